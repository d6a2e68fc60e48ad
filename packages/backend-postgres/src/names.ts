/** Names behind the ids in rows, as one connection has met them: looked up once, remembered as long as it lasts. */
import { Corrupt } from "@persist/core"
import { int8s } from "./arrays.ts"
import type { Row } from "./asking.ts"
import { fromStored } from "./text.ts"

/** Which table holds the names. */
export type NameTable = "stream" | "type"

// For each table and connection; a short name and its id take some 100 bytes.
const remembered = 20_000

/**
 * What a connection remembers. Another server may mean something else by an id, and so may this one once a backup was
 * restored into the running database: before that, all handles have to be closed.
 */
export class Names {
  private readonly known = { stream: new Map<number, string>(), type: new Map<number, string>() }

  /**
   * The names of these ids, in their order, of which those that aren't remembered are looked up at once. Throws
   * `Corrupt` where there is none.
   */
  async of(
    table: NameTable,
    ids: ReadonlyArray<number>,
    lookUp: (ids: Buffer) => Promise<ReadonlyArray<Row>>
  ): Promise<ReadonlyArray<string>> {
    // Forgetting comes first, so that what a page needs is not forgotten while it's put together.
    if (this.known[table].size > remembered) this.known[table].clear()
    const known = this.known[table]
    const missing = new Set<number>()
    for (const id of ids) if (!known.has(id)) missing.add(id)
    const rows = missing.size === 0 ? [] : await lookUp(int8s([...missing]))
    for (const [id, name] of rows) known.set(Number(id), fromStored(name ?? ""))
    return ids.map((id) => {
      const name = known.get(id)
      if (name !== undefined) return name
      throw new Corrupt({
        where: `table ${table}`,
        reason: `a row names the id ${id}, which isn't there`,
        remedy: "restore a backup"
      })
    })
  }
}

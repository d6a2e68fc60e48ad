/** Writing keys, inside the transaction of a batch: each by its own statement, so that the next commit sees it. */
import type { Commit, Committed, Payload } from "@persist/core"
import { Position } from "@persist/core"
import type Database from "better-sqlite3"
import type { Names } from "./names.ts"
import * as queries from "./queries.ts"
import { Sweeper } from "./sweep.ts"

/** The kv as a commit meets and changes it. */
export class KeyWriter {
  private readonly namespaces: Names
  private readonly sql: ReturnType<typeof prepare>
  private readonly sweeper: Sweeper

  constructor(db: Database.Database, namespaces: Names) {
    this.namespaces = namespaces
    this.sql = prepare(db)
    this.sweeper = new Sweeper(db)
  }

  /** The key's revision; 0 where it is absent. */
  readonly revision = (namespace: string, key: string): Position => {
    const id = this.namespaces.idOf(namespace)
    return Position((id === undefined ? undefined : this.sql.revision.get(id, key)) ?? 0)
  }

  /** How many keys a namespace holds. */
  readonly count = (namespace: string): number => {
    const id = this.namespaces.idOf(namespace)
    return (id === undefined ? undefined : this.sql.count.get(id, id)) ?? 0
  }

  /** Does a commit's writes, at the revisions it was given. */
  write({ at, write }: Commit, { revisions }: Committed): void {
    for (let i = 0; i < write.length; i++) {
      const op = write[i]
      const revision = revisions[i]
      if (op === undefined || revision === undefined) continue
      if (op._tag === "Put") {
        const namespace = this.idOf(op.namespace)
        const before = this.before(namespace, op.key)
        const entry = this.sql.put.get(namespace, op.key, revision, at, op.value, op.meta)
        if (entry !== undefined) this.changed(namespace, revision, entry, before)
        continue
      }
      const namespace = this.namespaces.idOf(op.namespace)
      if (namespace === undefined) continue
      if (op._tag === "Delete") this.bury(namespace, op.key, revision, at)
      else this.clear(namespace, revision, at)
    }
  }

  // The keys' positions run up to the clear's own, in the order of the keys.
  private clear(namespace: number, last: Position, at: number): void {
    const keys = this.sql.livingKeys.all(namespace)
    let revision = last - keys.length
    for (const key of keys) this.bury(namespace, key, ++revision, at)
  }

  // What is deleted already keeps its first tombstone.
  private bury(namespace: number, key: string, revision: number, at: number): void {
    const before = this.before(namespace, key)
    const entry = this.sql.bury.get(revision, at, namespace, key)
    if (entry !== undefined) this.changed(namespace, revision, entry, before)
  }

  private before(namespace: number, key: string): number | undefined {
    return this.sweeper.hasBegun(namespace) ? undefined : this.sql.revision.get(namespace, key)
  }

  private changed(namespace: number, revision: number, entry: number, before: number | undefined): void {
    this.sql.insertChange.run(namespace, revision, entry)
    this.sweeper.added(namespace, revision, before)
  }

  private idOf(namespace: string): number {
    const known = this.namespaces.idOf(namespace)
    if (known !== undefined) return known
    const id = Number(this.sql.insertNamespace.run(namespace).lastInsertRowid)
    this.namespaces.remember(id, namespace)
    return id
  }
}

const prepare = (db: Database.Database) => ({
  insertNamespace: db.prepare<[string]>("INSERT INTO namespace (name) VALUES (?)"),
  revision: db.prepare<[number, string], number>(queries.revision).pluck(),
  count: db.prepare<[number, number], number>(queries.countKeys).pluck(),
  livingKeys: db.prepare<[number], string>(queries.livingKeys).pluck(),
  put: db.prepare<[number, string, number, number, Payload, string | undefined], number>(`
    INSERT INTO entry (namespace, key, revision, at, value, meta) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (namespace, key) DO UPDATE
    SET revision = excluded.revision, at = excluded.at, value = excluded.value, meta = excluded.meta
    RETURNING id`).pluck(),
  bury: db.prepare<[number, number, number, string], number>(`
    UPDATE entry SET revision = ?, at = ?, value = NULL, meta = NULL
    WHERE namespace = ? AND key = ? AND value IS NOT NULL
    RETURNING id`).pluck(),
  insertChange: db.prepare<[number, number, number]>("INSERT INTO change (namespace, revision, entry) VALUES (?, ?, ?)")
})

/** The short ways to write: calls that do what most batches are where all is as the handle remembers it, or nothing. */
import type { Commit } from "@persist/core"
import { appendEachParameters } from "./append-each-function.ts"
import { appendOneParameters } from "./append-one-function.ts"
import { texts } from "./arrays.ts"
import type { Statement, Value } from "./asking.ts"
import { encodeEach } from "./encode-each.ts"
import { encodeOne } from "./encode-one.ts"
import { encodePut, onlyPut } from "./encode-put.ts"
import type { Session } from "./link.ts"
import type { Memory } from "./memory.ts"
import { callNumber } from "./plpgsql.ts"
import { putOneParameters } from "./put-one-function.ts"
import type { Queries } from "./queries.ts"
import { shortOutcomes } from "./remembered-sql.ts"
import { fromStored } from "./text.ts"
import { type Turn, type Writing, type Written, writtenAs } from "./turn.ts"
import { writeEachParameters } from "./write-each-function.ts"

/** Each way answers `undefined` where it isn't for the batch, or where all isn't so: nothing was done then. */
export class ShortWays {
  /** Whether the last call found the head as it was remembered: then nobody else writes just now. */
  alone = false
  private readonly memory: Memory
  private readonly queries: Queries
  private readonly appendEach: Statement
  private readonly appendOne: Statement
  private readonly writeAll: Statement
  private readonly putOne: Statement

  /** A `schema`'s name is given as SQL has it. */
  constructor(schema: string, queries: Queries, memory: Memory) {
    this.memory = memory
    this.queries = queries
    this.appendEach = callNumber(schema, "append_each_1", appendEachParameters)
    this.appendOne = callNumber(schema, "append_one_1", appendOneParameters)
    this.writeAll = callNumber(schema, "write_each_1", writeEachParameters)
    this.putOne = callNumber(schema, "put_one_1", putOneParameters)
  }

  /** Writes commits of one event or put each; one event alone is {@link writeOne}'s. */
  async writeEach(
    session: Session,
    batch: ReadonlyArray<Commit>,
    { patience }: Writing
  ): Promise<Written | undefined> {
    const { memory } = this
    if (!this.alone || memory.server === undefined) return undefined
    await this.learnSpaces(session, batch)
    const [only, another] = batch
    if (only !== undefined && another === undefined) {
      const put = encodePut(only, memory, patience)
      const written = put && await this.call(session, this.putOne, put.values)
      return put && written && this.conclude(put, written)
    }
    const each = encodeEach(batch, memory, patience)
    const written = each && await this.call(session, each.puts ? this.writeAll : this.appendEach, each.values)
    if (each === undefined || written === undefined) return undefined
    each.streams.forEach((stream, name) => memory.keepStream(name, stream))
    return this.conclude(each, written)
  }

  // Namespaces are never removed, nor renamed.
  private async learnSpaces(session: Session, batch: ReadonlyArray<Commit>): Promise<void> {
    const { memory } = this
    const unknown = new Set<string>()
    for (const commit of batch) {
      const { namespace } = onlyPut(commit)?.put ?? {}
      if (namespace !== undefined && memory.space(namespace) === undefined) unknown.add(namespace)
    }
    if (unknown.size === 0) return
    for (const [name, id, server] of await session.run(this.queries.spaceIds, [texts([...unknown])])) {
      if (server === memory.server) memory.keepSpace(fromStored(name ?? ""), Number(id))
    }
  }

  /** Writes the one commit of a batch that happens, where it's of one event. */
  async writeOne(
    session: Session,
    { assumption, placed: [only, another], played }: Turn,
    { patience }: Writing
  ): Promise<Written | undefined> {
    const others = played.outcomes.length - played.conflicting.length
    if (!this.alone || only === undefined || another !== undefined || others > 1) return undefined
    const one = encodeOne(only, assumption, played, this.memory, patience)
    if (one === undefined) return undefined
    const written = await this.call(session, this.appendOne, one.values)
    if (written === undefined) return undefined
    this.memory.keepStream(one.stream, { id: one.id, last: one.last })
    return this.conclude({ outcomes: played.outcomes, head: only.placed.position }, written)
  }

  private async call(
    session: Session,
    short: Statement,
    values: ReadonlyArray<Value>
  ): Promise<Pick<Written, "listened"> | undefined> {
    const [row] = await session.run(short, values, true)
    const state = Number(row?.[0])
    this.alone = state !== shortOutcomes.nothing
    return this.alone ? { listened: state === shortOutcomes.listened } : undefined
  }

  private conclude(
    { head, outcomes }: Pick<Written, "head"> & { readonly outcomes: Turn["played"]["outcomes"] },
    { listened }: Pick<Written, "listened">
  ): Written {
    const before = this.memory.head ?? 0
    this.memory.move(head)
    return writtenAs(outcomes, { head: before, listened }, head)
  }
}

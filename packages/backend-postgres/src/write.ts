/** Writing: a batch is judged by core's rules and sent in one call; sent again where what it was judged by isn't so. */
import type { Commit } from "@persist/core"
import { Unavailable } from "@persist/core"
import type { NonEmptyReadonlyArray } from "effect/Array"
import { appendParameters, outcomes as states } from "./append-function.ts"
import { numbersOf, texts } from "./arrays.ts"
import type { Row, Statement } from "./asking.ts"
import { type AssumedStream, type Assumption, nothingTold, type Told } from "./assume.ts"
import { commitParameters } from "./commit-function.ts"
import { encodeKeys, hasKeys } from "./encode-keys.ts"
import { type Caller, encodeAppends, type EncodedAppends } from "./encode.ts"
import type { Session } from "./link.ts"
import { Memory } from "./memory.ts"
import { play } from "./play.ts"
import { callRow } from "./plpgsql.ts"
import type { Queries } from "./queries.ts"
import { readRecorded } from "./recorded.ts"
import { ShortWays } from "./short.ts"
import { fromStored } from "./text.ts"
import { judgeTurn, type Turn, type Writing, type Written, writtenAs } from "./turn.ts"

// Each answer tells everything the next attempt asks for, so more are needed only while others keep changing it.
const attempts = 20

/** The writing side of a handle: what it remembers, and the calls. */
export class Writer {
  private readonly queries: Queries
  private readonly append: Statement
  private readonly commit: Statement
  private readonly memory = new Memory()
  private readonly short: ShortWays
  /** Whose answers are remembered. */
  private session: Session | undefined

  /** A `schema`'s name is given as SQL has it. */
  constructor(schema: string, queries: Queries) {
    this.queries = queries
    this.append = callRow(schema, "append_1", appendParameters)
    this.commit = callRow(schema, "commit_1", commitParameters)
    this.short = new ShortWays(schema, queries, this.memory)
  }

  /** Drops what it remembers: after a failure, and where what was written may be rolled back. */
  forget(): void {
    this.memory.forget()
  }

  /** Does a batch, in one call where nothing comes as a surprise. Rejects as the session does. */
  async write(
    session: Session,
    batch: NonEmptyReadonlyArray<Commit>,
    writing: Writing
  ): Promise<Written> {
    // A server that doesn't flush may have lost the last commits in a crash, which ends every connection.
    if (session !== this.session) this.memory.forget()
    this.session = session
    const each = await this.short.writeEach(session, batch, writing)
    if (each !== undefined) return each
    const told = nothingTold()
    let turn = judgeTurn(batch, this.memory, told)
    const one = await this.short.writeOne(session, turn, writing)
    if (one !== undefined) return one
    for (let attempt = 0; attempt < attempts; attempt++) {
      const { answer, encoded } = await this.send(session, batch, turn, { ...writing, attempts: told.attempts })
      if (answer.state === states.written) return this.conclude(batch, turn, answer, encoded)
      await this.learn(session, batch, turn, answer, told)
      turn = judgeTurn(batch, this.memory, told)
      if (isSettled(turn, answer)) return writtenAs(turn.played.outcomes, answer, answer.head)
    }
    throw new Unavailable({
      operation: "commit",
      reason: `others kept changing what it depends on, ${attempts} times`,
      remedy: "try again"
    })
  }

  private async send(
    session: Session,
    batch: ReadonlyArray<Commit>,
    { assumption, placed, played }: Turn,
    caller: Caller
  ): Promise<{ readonly answer: Answer; readonly encoded: EncodedAppends }> {
    const encoded = encodeAppends(placed, assumption, played, this.memory, caller)
    const [row] = hasKeys(batch)
      ? await session.run(this.commit, [...encoded.values, ...encodeKeys(placed, assumption, encoded.streams)], true)
      : await session.run(this.append, encoded.values, true)
    return { answer: readAnswer(row ?? []), encoded }
  }

  // Nothing was done: what the answer says, and what it leads to, goes into the next turn.
  private async learn(
    session: Session,
    batch: ReadonlyArray<Commit>,
    { assumption }: Turn,
    answer: Answer,
    told: Told
  ): Promise<void> {
    switch (answer.state) {
      case states.otherwise:
        return this.take(assumption, answer, told)
      case states.recorded:
        for (const [id, one] of await readRecorded(session, this.queries, idsOf(batch))) told.recorded.set(id, one)
        return
      case states.voided:
        for (const [id, count] of await session.run(this.queries.voided, [texts(idsOf(batch))])) {
          told.attempts.set(fromStored(id ?? ""), Number(count))
        }
        return
      default:
        this.memory.forget()
    }
  }

  private take(assumption: Assumption, { counts, head, ids, lasts, revisions, server }: Answer, told: Told): void {
    this.memory.meet(server, head)
    let n = 0
    for (const name of assumption.streams.keys()) {
      told.streams.set(name, { id: ids[n] ?? 0, last: lasts[n] ?? 0 })
      n++
    }
    n = 0
    for (const name of assumption.keys.keys()) told.keys.set(name, revisions[n++] ?? 0)
    n = 0
    for (const name of assumption.counts.keys()) told.counts.set(name, counts[n++] ?? 0)
  }

  private conclude(
    batch: ReadonlyArray<Commit>,
    { assumption, played }: Turn,
    answer: Answer,
    { streams, types }: EncodedAppends
  ): Written {
    const actual = actually(assumption, answer)
    const right = actual === assumption ? played : play(batch, actual)
    const { memory } = this
    this.short.alone = answer.head === assumption.head
    memory.meet(answer.server, answer.head)
    actual.streams.forEach(({ id, value }, name) => {
      const own = answer.ids[streams.of(name) - 1] ?? id
      if (own > 0) memory.keepStream(name, { id: own, last: value })
    })
    let head = answer.head
    for (const outcome of right.outcomes) {
      if (outcome._tag !== "Committed" || outcome.repeated) continue
      head = outcome.position
      for (const { last, stream } of outcome.appended) {
        const known = memory.stream(stream)
        if (known !== undefined) memory.keepStream(stream, { id: known.id, last })
      }
    }
    answer.types.forEach((id, n) => {
      const name = types.names[n]
      if (name !== undefined) memory.keepType(name, id)
    })
    memory.move(head)
    return writtenAs(right.outcomes, answer, head)
  }
}

// What was told behind the store's lock was so at that moment, which is as good as any where nothing is written. That a
// commit has happened before is told without a look at what others expect.
const isSettled = ({ placed, played: { outcomes } }: Turn, { state }: Answer): boolean =>
  placed.length === 0 &&
  (state === states.otherwise ||
    (state === states.recorded && outcomes.every(({ _tag }) => _tag !== "Conflict")))

/** What a call found; the lists are empty where all is as the caller remembers it. */
interface Answer {
  readonly state: number
  readonly head: number
  readonly server: string
  readonly ids: ReadonlyArray<number>
  readonly lasts: ReadonlyArray<number>
  readonly types: ReadonlyArray<number>
  readonly listened: boolean
  readonly revisions: ReadonlyArray<number>
  readonly counts: ReadonlyArray<number>
}

const readAnswer = ([state, head, server, ids, lasts, types, listened, revisions, counts]: Row): Answer => ({
  state: Number(state),
  head: Number(head),
  server: server ?? "",
  ids: numbersOf(ids ?? "{}"),
  lasts: numbersOf(lasts ?? "{}"),
  types: numbersOf(types ?? "{}"),
  listened: listened === "t",
  revisions: numbersOf(revisions ?? "{}"),
  counts: numbersOf(counts ?? "{}")
})

// The assumption with the numbers that were found; itself where they are the same.
const actually = (assumption: Assumption, { head, lasts }: Answer): Assumption => {
  let n = 0
  let same = head === assumption.head
  const streams = new Map<string, AssumedStream>()
  for (const [name, assumed] of assumption.streams) {
    const value = lasts[n++] ?? assumed.value
    if (value !== assumed.value) same = false
    streams.set(name, { ...assumed, value })
  }
  return same ? assumption : { ...assumption, head, streams }
}

const idsOf = (batch: ReadonlyArray<Commit>): ReadonlyArray<string> =>
  batch.flatMap(({ identity }) => identity === undefined ? [] : [identity.id])

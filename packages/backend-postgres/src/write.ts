/** Writing: a batch is judged by core's rules and sent in one call; sent again where what it was judged by isn't so. */
import type { Commit, Outcome } from "@persist/core"
import { Unavailable } from "@persist/core"
import { isReadonlyArrayNonEmpty, type NonEmptyReadonlyArray } from "effect/Array"
import { appendEachParameters } from "./append-each-function.ts"
import { appendParameters, outcomes as states } from "./append-function.ts"
import { appendOneParameters } from "./append-one-function.ts"
import { numbersOf, texts } from "./arrays.ts"
import type { Row, Statement, Value } from "./asking.ts"
import { assume, type AssumedStream, type Assumption, nothingTold, type Told } from "./assume.ts"
import { commitParameters } from "./commit-function.ts"
import { encodeEach } from "./encode-each.ts"
import { encodeKeys, hasKeys } from "./encode-keys.ts"
import { encodeOne } from "./encode-one.ts"
import { type Caller, encodeAppends, type EncodedAppends, happening, type Placed } from "./encode.ts"
import type { Session } from "./link.ts"
import { Memory } from "./memory.ts"
import { play, type Played } from "./play.ts"
import { callNumber, callRow } from "./plpgsql.ts"
import type { Queries } from "./queries.ts"
import { readRecorded } from "./recorded.ts"
import { shortOutcomes } from "./remembered-sql.ts"
import { fromStored } from "./text.ts"

/** What a batch came to. */
export interface Written {
  readonly outcomes: NonEmptyReadonlyArray<Outcome>
  /** The head after it. */
  readonly head: number
  readonly changed: boolean
  /** Whether others listen for notifications. */
  readonly listened: boolean
}

/** Who writes, and how long it waits. */
export type Writing = Pick<Caller, "incarnation" | "floor" | "patience">

// Each answer tells everything the next attempt asks for, so more are needed only while others keep changing it.
const attempts = 20

/** The writing side of a handle: what it remembers, and the calls. */
export class Writer {
  private readonly queries: Queries
  private readonly append: Statement
  private readonly appendEach: Statement
  private readonly appendOne: Statement
  private readonly commit: Statement
  private readonly memory = new Memory()
  /** Whether the last call found the head as it was remembered: then nobody else writes just now. */
  private alone = false
  /** Whose answers are remembered. */
  private session: Session | undefined

  /** A `schema`'s name is given as SQL has it. */
  constructor(schema: string, queries: Queries) {
    this.queries = queries
    this.append = callRow(schema, "append_1", appendParameters)
    this.appendEach = callNumber(schema, "append_each_1", appendEachParameters)
    this.appendOne = callNumber(schema, "append_one_1", appendOneParameters)
    this.commit = callRow(schema, "commit_1", commitParameters)
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
    const each = await this.writeEach(session, batch, writing)
    if (each !== undefined) return each
    const told = nothingTold()
    let turn = this.judge(batch, told)
    const one = await this.writeOne(session, turn, writing)
    if (one !== undefined) return one
    for (let attempt = 0; attempt < attempts; attempt++) {
      const { answer, encoded } = await this.send(session, batch, turn, { ...writing, attempts: told.attempts })
      if (answer.state === states.written) return this.conclude(batch, turn, answer, encoded)
      await this.learn(session, batch, turn, answer, told)
      turn = this.judge(batch, told)
      if (isSettled(turn, answer)) return written(turn.played, answer, answer.head)
    }
    throw new Unavailable({
      operation: "commit",
      reason: `others kept changing what it depends on, ${attempts} times`,
      remedy: "try again"
    })
  }

  // What most batches are, where all is as it's remembered; `undefined` where it isn't so, and nothing was done.
  private async writeEach(
    session: Session,
    batch: ReadonlyArray<Commit>,
    { patience }: Writing
  ): Promise<Written | undefined> {
    if (!this.alone || batch.length === 1) return undefined
    const each = encodeEach(batch, this.memory, patience)
    if (each === undefined) return undefined
    const before = this.memory.head ?? 0
    const state = await this.callShort(session, this.appendEach, each.values)
    if (state === shortOutcomes.nothing) return undefined
    each.streams.forEach((stream, name) => this.memory.keepStream(name, stream))
    this.memory.move(each.head)
    return written(each, { head: before, listened: state === shortOutcomes.listened }, each.head)
  }

  private async callShort(session: Session, short: Statement, values: ReadonlyArray<Value>): Promise<number> {
    const [row] = await session.run(short, values, true)
    const state = Number(row?.[0])
    this.alone = state !== shortOutcomes.nothing
    return state
  }

  // What most commits are, where all is as it's remembered; `undefined` where it isn't so, and nothing was done.
  private async writeOne(
    session: Session,
    { assumption, placed: [only, another], played }: Turn,
    { patience }: Writing
  ): Promise<Written | undefined> {
    const others = played.outcomes.length - played.conflicting.length
    if (!this.alone || only === undefined || another !== undefined || others > 1) return undefined
    const one = encodeOne(only, assumption, played, this.memory, patience)
    if (one === undefined) return undefined
    const state = await this.callShort(session, this.appendOne, one.values)
    if (state === shortOutcomes.nothing) return undefined
    const { position: head } = only.placed
    this.memory.keepStream(one.stream, { id: one.id, last: one.last })
    this.memory.move(head)
    return written(played, { head: head - 1, listened: state === shortOutcomes.listened }, head)
  }

  private judge(batch: ReadonlyArray<Commit>, told: Told): Turn {
    const assumption = assume(batch, this.memory, told)
    const played = play(batch, assumption)
    return { assumption, played, placed: happening(batch, played) }
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
    this.alone = answer.head === assumption.head
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
    return written(right, answer, head)
  }
}

/** A batch as it is judged by what is known of the store so far. */
interface Turn {
  readonly assumption: Assumption
  readonly played: Played
  readonly placed: ReadonlyArray<Placed>
}

const written = (
  { outcomes }: Pick<Played, "outcomes">,
  { head: before, listened }: Pick<Answer, "head" | "listened">,
  head: number
): Written => {
  if (!isReadonlyArrayNonEmpty(outcomes)) throw new Error("a batch without outcomes")
  return { outcomes, head, changed: head > before, listened }
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

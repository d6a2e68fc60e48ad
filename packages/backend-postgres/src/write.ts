/** Writing: a batch is judged by core's rules and sent in one call; sent again where what it was judged by isn't so. */
import type { Commit, Outcome } from "@persist/core"
import { Unavailable } from "@persist/core"
import type { NonEmptyReadonlyArray } from "effect/Array"
import { appendParameters, outcomes as states } from "./append-function.ts"
import { numbersOf, texts } from "./arrays.ts"
import { assume, type AssumedStream, type Assumption, nothingTold, type Told } from "./assume.ts"
import { commitParameters } from "./commit-function.ts"
import { encodeKeys, hasKeys } from "./encode-keys.ts"
import { type Caller, encodeAppends, type EncodedAppends, happening } from "./encode.ts"
import type { Row, Session, Statement } from "./link.ts"
import { Memory } from "./memory.ts"
import { play, type Played } from "./play.ts"
import type { Queries } from "./queries.ts"
import { readRecorded } from "./recorded.ts"
import { fromStored } from "./text.ts"

const call = (schema: string, name: string, parameters: ReadonlyArray<string>): Statement => ({
  name,
  text: `SELECT * FROM ${schema}.${name}(${parameters.map((_, n) => `$${n + 1}`).join(", ")})`
})

/** What a batch came to. */
export interface Written {
  readonly outcomes: NonEmptyReadonlyArray<Outcome>
  /** The head after it. */
  readonly head: number
  readonly changed: boolean
}

/** Who writes, and how long it waits. */
export type Writing = Pick<Caller, "incarnation" | "floor" | "patience">

// Each answer tells everything the next attempt asks for, so more are needed only while others keep changing it.
const attempts = 20

/** The writing side of a handle: what it remembers, and the calls. */
export class Writer {
  private readonly queries: Queries
  private readonly append: Statement
  private readonly commit: Statement
  private readonly memory = new Memory()

  /** A `schema`'s name is given as SQL has it. */
  constructor(schema: string, queries: Queries) {
    this.queries = queries
    this.append = call(schema, "append_1", appendParameters)
    this.commit = call(schema, "commit_1", commitParameters)
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
    const told = nothingTold()
    for (let attempt = 0; attempt < attempts; attempt++) {
      const written = await this.attempt(session, batch, writing, told)
      if (written !== undefined) return written
    }
    throw new Unavailable({
      operation: "commit",
      reason: `others kept changing what it depends on, ${attempts} times`,
      remedy: "try again"
    })
  }

  // Undefined where nothing was done and what was told has to be taken into account.
  private async attempt(
    session: Session,
    batch: NonEmptyReadonlyArray<Commit>,
    writing: Writing,
    told: Told
  ): Promise<Written | undefined> {
    const assumption = assume(batch, this.memory, told)
    const played = play(batch, assumption)
    const placed = happening(batch, played)
    const encoded = encodeAppends(placed, assumption, played, this.memory, { ...writing, attempts: told.attempts })
    const [row] = hasKeys(batch)
      ? await session.run(this.commit, [...encoded.values, ...encodeKeys(placed, assumption, encoded.streams)], true)
      : await session.run(this.append, encoded.values, true)
    const answer = readAnswer(row ?? [])
    switch (answer.state) {
      case states.written:
        return this.conclude(batch, assumption, played, answer, encoded)
      case states.otherwise:
        return this.learn(assumption, answer, told)
      case states.recorded:
        for (const [id, one] of await readRecorded(session, this.queries, idsOf(batch))) told.recorded.set(id, one)
        return undefined
      case states.voided:
        for (const [id, count] of await session.run(this.queries.voided, [texts(idsOf(batch))])) {
          told.attempts.set(fromStored(id ?? ""), Number(count))
        }
        return undefined
      default:
        this.memory.forget()
        return undefined
    }
  }

  private learn(
    assumption: Assumption,
    { counts, head, ids, lasts, revisions, server }: Answer,
    told: Told
  ): undefined {
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
    batch: NonEmptyReadonlyArray<Commit>,
    assumption: Assumption,
    played: Played,
    answer: Answer,
    { streams, types }: EncodedAppends
  ): Written {
    const actual = actually(assumption, answer)
    const { outcomes } = actual === assumption ? played : play(batch, actual)
    const { memory } = this
    memory.meet(answer.server, answer.head)
    actual.streams.forEach(({ id, value }, name) => {
      const own = answer.ids[streams.of(name) - 1] ?? id
      if (own > 0) memory.keepStream(name, { id: own, last: value })
    })
    let head = answer.head
    for (const outcome of outcomes) {
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
    const [first, ...rest] = outcomes
    if (first === undefined) throw new Error("a batch without outcomes")
    return { outcomes: [first, ...rest], head, changed: head > answer.head }
  }
}

/** What a call found; the lists are empty where all is as the caller remembers it. */
interface Answer {
  readonly state: number
  readonly head: number
  readonly server: string
  readonly ids: ReadonlyArray<number>
  readonly lasts: ReadonlyArray<number>
  readonly types: ReadonlyArray<number>
  readonly revisions: ReadonlyArray<number>
  readonly counts: ReadonlyArray<number>
}

const readAnswer = ([state, head, server, ids, lasts, types, revisions, counts]: Row): Answer => ({
  state: Number(state),
  head: Number(head),
  server: server ?? "",
  ids: numbersOf(ids ?? "{}"),
  lasts: numbersOf(lasts ?? "{}"),
  types: numbersOf(types ?? "{}"),
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

/** One handle over six functions: each commit is judged, numbered and carried out by one call of one function. */
import type {
  Ability,
  Append,
  BackendError,
  Commit,
  Delete,
  Expectation,
  KeyExpectation,
  KeyName,
  Outcome,
  StoredEntry,
  StoredEvent,
  StreamExpectation,
  StreamRange,
  Write
} from "@persist/core"
import { judge, noSeq, origin, OutcomeUnknown, place, Position, Seq } from "@persist/core"
import { lackFault } from "@persist/core/fault"
import type { NonEmptyArray, NonEmptyReadonlyArray } from "effect/Array"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import { ask, askToWrite, type SixEvent, type SixFunctions } from "./six-functions.ts"
import {
  entryForm,
  eventForm,
  readEvents,
  type State,
  stateForm,
  storedEntry,
  storedEvent,
  tombstoneForm
} from "./text-form.ts"

/** How many positions are reserved at a time: one more write among so many, and the widest hole a crash leaves. */
const stretch = 1000

/** How many last seqs are remembered at most: a stream that is forgotten is read whole again when it's written to. */
const remembered = 10_000

/** Where the store keeps what it knows of itself: no other key can be this text, since those are JSON. */
export const ownKey = "$store"

/** The stream that the functions are given for one of the store: names with `$` are kept apart from the store's own. */
export const streamName = (stream: string): string => stream.startsWith("$") ? `$${stream}` : stream

/** The namespace whose keys are kept by the functions for snapshots. */
const snapshotNamespace = "$snapshot"

/** What can't be done by one call of one function, or found again without a list of what there is. */
export const lacks: ReadonlySet<Ability> = new Set<Ability>([
  "atomic",
  "resolve",
  "truncate",
  "clear",
  "readAll",
  "streams",
  "scan",
  "changed",
  "namespaces"
])

/** A handle. Nothing else writes to the store while it's open, so what it remembers stays true. */
export class Handle {
  /** The last position given out, or reserved by a handle that wasn't closed. */
  head: Position
  private readonly name: string
  private readonly functions: SixFunctions
  private state: State
  // A commit is several calls, and so is a read of several keys: neither may see the other half done.
  private readonly turn = Semaphore.makeUnsafe(1)
  /** Those written to last are its last. */
  private readonly lastSeqs = new Map<string, Seq>()

  constructor(name: string, functions: SixFunctions, state: State) {
    this.name = name
    this.functions = functions
    this.state = state
    this.head = Position(state.reserved)
  }

  /** Carries out commits one after another; fails with `OutcomeUnknown` where it breaks after one that happened. */
  commit(batch: NonEmptyReadonlyArray<Commit>): Effect.Effect<NonEmptyReadonlyArray<Outcome>, BackendError> {
    const carryOut = Effect.gen({ self: this }, function*() {
      const [first, ...rest] = batch
      const outcomes: NonEmptyArray<Outcome> = [yield* this.one(first)]
      for (const commit of rest) {
        const outcome = Effect.mapError(this.one(commit), (error) => outcomes.some(isCommitted) ? broken(error) : error)
        outcomes.push(yield* outcome)
      }
      return outcomes
    })
    return this.turn.withPermit(carryOut)
  }

  /** The events of a stream within a range. */
  readStream(
    { from, limit, reverse, stream, to }: StreamRange
  ): Effect.Effect<ReadonlyArray<StoredEvent>, BackendError> {
    return Effect.flatMap(this.alone(this.events(stream)), (events) => {
      const within = events.slice(Math.max(0, from - 1), to)
      const page = reverse ? within.slice(-limit).reverse() : within.slice(0, limit)
      return Effect.fromResult(Result.all(page.map((event) => storedEvent(stream, event))))
    })
  }

  /** The entries of keys, in their order. */
  get(keys: ReadonlyArray<KeyName>): Effect.Effect<ReadonlyArray<StoredEntry | undefined>, BackendError> {
    return this.alone(Effect.forEach(keys, (key) => this.entry(key)))
  }

  /** Notes the exact head, so that the next handle leaves no hole. */
  get close(): Effect.Effect<void, BackendError> {
    return this.turn.withPermit(Effect.suspend(() => this.note({ ...this.state, reserved: this.head })))
  }

  /**
   * Reads in its turn. Who asked may leave while a function is at work, which nobody can stop: the turn is over when it
   * has answered.
   */
  private alone<A, E>(read: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.gen({ self: this }, function*() {
        yield* restore(this.turn.take(1))
        const reading = yield* Effect.forkDetach(Effect.ensuring(read, this.turn.release(1)), {
          startImmediately: true
        })
        return yield* restore(Fiber.join(reading))
      })
    )
  }

  private one(commit: Commit): Effect.Effect<Outcome, BackendError> {
    const ability = neededOf(commit)
    if (ability !== undefined) return Effect.succeed({ _tag: "Refused", error: lackFault(this.name, ability) })
    this.forget()
    return Effect.gen({ self: this }, function*() {
      const revisions = new Map<string, Position>()
      for (const { stream } of [...commit.expect.filter(isOfStream), ...commit.append]) yield* this.learn(stream)
      for (const key of [...commit.expect.filter(isOfKey), ...commit.write.filter(isDelete)]) {
        const entry = yield* this.entry(key)
        if (entry !== undefined) revisions.set(kvName(key), entry.revision)
      }
      const lastSeq = (stream: string) => this.lastSeqs.get(stream) ?? noSeq
      const revision = (namespace: string, key: string) => revisions.get(kvName({ namespace, key })) ?? origin
      const verdict = judge(commit, { lastSeq, revision, recorded: () => undefined })
      if (verdict !== undefined) return verdict
      const placed = place(commit, this.head, lastSeq, () => 0)
      if (placed.position > this.state.reserved) {
        yield* this.note({ ...this.state, reserved: placed.position + stretch - 1 })
      }
      // From here on the position is taken, whatever comes of it: it is never given to anything else.
      this.head = placed.position
      for (const append of commit.append) yield* this.append(append, placed.position)
      for (const write of commit.write) {
        if (write._tag === "Put") yield* this.put(write, entryForm(write, placed.position, commit.at))
        if (isDelete(write) && revisions.has(kvName(write))) {
          yield* this.put(write, tombstoneForm(placed.position, commit.at))
        }
      }
      return placed
    })
  }

  private append({ events: [event], stream }: Append, position: Position): Effect.Effect<void, BackendError> {
    const seq = Seq((this.lastSeqs.get(stream) ?? noSeq) + 1)
    const name = streamName(stream)
    // Forgotten until it's known to be there: after a failure only the functions know.
    this.lastSeqs.delete(stream)
    return Effect.map(
      askToWrite("append", () => this.functions.append(name, eventForm(name, seq, position, event))),
      () => {
        this.lastSeqs.set(stream, seq)
      }
    )
  }

  private put(key: KeyName, text: string): Effect.Effect<void, BackendError> {
    return key.namespace === snapshotNamespace
      ? askToWrite("snapshotWrite", () => this.functions.snapshotWrite(key.key, text))
      : askToWrite("kvPut", () => this.functions.kvPut(kvName(key), text))
  }

  private entry(key: KeyName): Effect.Effect<StoredEntry | undefined, BackendError> {
    const answer = key.namespace === snapshotNamespace
      ? ask("snapshotRead", () => this.functions.snapshotRead(key.key))
      : ask("kvGet", () => this.functions.kvGet(kvName(key)))
    return Effect.flatMap(answer, (text) => Effect.fromResult(storedEntry(key.namespace, key.key, text)))
  }

  private events(stream: string): Effect.Effect<ReadonlyArray<SixEvent>, BackendError> {
    const answer = ask("read", () => this.functions.read(streamName(stream)))
    return Effect.flatMap(answer, (events) => Effect.fromResult(readEvents(stream, events)))
  }

  /** Remembers a stream's last seq: a stream is read whole when it's first written to. */
  private learn(stream: string): Effect.Effect<void, BackendError> {
    if (this.lastSeqs.has(stream)) return Effect.void
    return Effect.map(this.events(stream), (events) => {
      this.lastSeqs.set(stream, Seq(events.length))
    })
  }

  private forget(): void {
    for (const stream of this.lastSeqs.keys()) {
      if (this.lastSeqs.size <= remembered) return
      this.lastSeqs.delete(stream)
    }
  }

  private note(state: State): Effect.Effect<void, BackendError> {
    return Effect.map(ask("kvPut", () => this.functions.kvPut(ownKey, stateForm(state))), () => {
      this.state = state
    })
  }
}

const kvName = ({ key, namespace }: KeyName): string => JSON.stringify([namespace, key])
const isCommitted = ({ _tag }: Outcome): boolean => _tag === "Committed"
const isOfStream = (expectation: Expectation): expectation is StreamExpectation => expectation._tag === "Stream"
const isOfKey = (expectation: Expectation): expectation is KeyExpectation => expectation._tag === "Key"
const isDelete = (write: Write): write is Delete => write._tag === "Delete"

/** What a commit needs that these functions can't do. */
const neededOf = ({ append, identity, truncate, write }: Commit): Ability | undefined => {
  if (identity !== undefined) return "resolve"
  if (truncate.length > 0) return "truncate"
  if (write.some(({ _tag }) => _tag === "Clear")) return "clear"
  return append.reduce((sum, { events }) => sum + events.length, write.length) > 1 ? "atomic" : undefined
}

const broken = (cause: BackendError): OutcomeUnknown =>
  new OutcomeUnknown({ id: undefined, reason: "the batch broke after some of its commits had happened", cause })

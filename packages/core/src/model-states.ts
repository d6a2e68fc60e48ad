/** The states of a read model's keys while it is kept: events folded in plain loops, and what to write then. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Catalogue, EventOf } from "./catalogue.ts"
import type { Draft, Op } from "./draft.ts"
import type { StoreError } from "./error.ts"
import type { Fault } from "./fault.ts"
import { type Held, HeldStates, noEntries } from "./held-states.ts"
import { type Claim, type Clash, type EntriesMoved, type EntryWrite, entryWrites, Owners } from "./index-writes.ts"
import { notUnique, threw, tooLarge, tooManyKeys, tooManyWrites } from "./model-fault.ts"
import { keysOf } from "./model-keys.ts"
import { quoted } from "./path.ts"
import { type Payload, payloadBytes, samePayload } from "./payload.ts"
import { entriesOf } from "./read-index.ts"
import type { ReadModel } from "./read-model.ts"
import type { StoreShape } from "./store.ts"

/** Some events of a page, each with the keys it changes. */
interface Routed<E> {
  readonly events: ReadonlyArray<E>
  readonly eventKeys: ReadonlyArray<ReadonlyArray<string>>
  /** All keys of them, each once. */
  readonly keys: ReadonlySet<string>
}

/** A state that differs from the stored one: a payload to put, or `undefined` to delete. */
interface Changed<A> extends Held<A> {
  readonly key: string
}

/** Some events folded: what to write for them. */
export interface Folded<A> {
  /** How many events, from the first. */
  readonly count: number
  readonly changed: ReadonlyArray<Changed<A>>
  /** The entries of indexes to put and delete. */
  readonly entries: ReadonlyArray<EntryWrite>
}

/** What a fold of some events comes to, before anything is encoded. */
interface Stepped<A> {
  readonly count: number
  readonly fault: StoreError | undefined
  readonly states: ReadonlyMap<string, A | undefined>
  /** What each event claims of unique indexes, in their order; none where there are none. */
  readonly claims: ReadonlyArray<Claim>
}

/** What a commit has for states and entries: so many bytes of payload, and so many writes. */
export interface Room {
  readonly bytes: number
  readonly writes: number
}

/** The states of a read model, and what events make of them. */
export class States<C extends Catalogue, A> {
  private readonly held: HeldStates<C, A>
  private readonly store: StoreShape
  private readonly model: ReadModel<C, A>
  private readonly room: Room
  private readonly claiming: boolean

  /** `room` is what a commit has for them. */
  constructor(store: StoreShape, model: ReadModel<C, A>, room: Room) {
    this.held = new HeldStates(store, model)
    this.store = store
    this.model = model
    this.room = room
    this.claiming = model.readIndexes.some(({ unique }) => unique)
  }

  /**
   * Folds events from `start` on into the states, all or as many as fit one commit and go well. Fails where not even
   * the first goes: `Invalid` where the model throws, gives keys or a state that can't be stored, or two states the
   * same values of a unique index, `LimitExceeded` where that is too much; `Corrupt` where a stored state can't be
   * read, and as every read.
   */
  readonly fold = Effect.fnUntraced({ self: this }, function*(
    items: ReadonlyArray<EventOf<C>>,
    start: number
  ): Effect.fn.Return<Folded<A>, StoreError> {
    const routed = yield* Effect.fromResult(this.route(items, start))
    yield* this.held.load(routed.keys)
    const { claims, folded } = yield* Effect.fromResult(this.foldRouted(routed, routed.events.length))
    if (claims.length === 0) return folded
    const clash = yield* this.clash(claims)
    if (clash === undefined) return folded
    const event = routed.events[clash.event]
    yield* Effect.fromResult(this.held.restore(routed.keys))
    if (clash.event === 0 && event !== undefined) return yield* notUnique(event, clash)
    // Those before the one that clashes, which don't.
    return (yield* Effect.fromResult(this.foldRouted(routed, clash.event))).folded
  })

  private clash(claims: ReadonlyArray<Claim>): Effect.Effect<Clash | undefined, StoreError> {
    const { engine } = this.store
    const owners = new Owners(this.model.readIndexes, claims, (key) => this.held.entries(key))
    const unknown = owners.unknown(claims)
    const stored = unknown.length === 0
      ? Effect.succeed([])
      : engine.reading(undefined, engine.backend.get(unknown))
    return Effect.flatMap(
      stored,
      (entries) => Effect.map(Effect.fromResult(owners.learn(unknown, entries)), () => owners.take(claims))
    )
  }

  /**
   * Asks the model for the keys of events from `start` on, as many as one commit can write; fails with `Invalid` or
   * `LimitExceeded` where the first of them has none that can be used.
   */
  private route(items: ReadonlyArray<EventOf<C>>, start: number): Result.Result<Routed<EventOf<C>>, StoreError> {
    const { nameBytes } = this.store.about.limits
    // A state may leave one entry of each index, and take another.
    const writesOfKey = 1 + 2 * this.model.readIndexes.length
    const told: Array<ReadonlyArray<string>> = []
    const keys = new Set<string>()
    for (let i = start; i < items.length; i++) {
      const event = items[i]
      if (event === undefined) break
      const own = keysOf(this.model, event, nameBytes)
      const more = Result.isSuccess(own) ? own.success.reduce((n, key) => keys.has(key) ? n : n + 1, 0) : 0
      if (i > start && (Result.isFailure(own) || (keys.size + more) * writesOfKey > this.room.writes)) break
      if (Result.isFailure(own)) return Result.fail(own.failure)
      if (more > this.room.writes) return Result.fail(tooManyKeys(event, more, this.room.writes))
      for (const key of own.success) keys.add(key)
      told.push(own.success)
    }
    return Result.succeed({ events: items.slice(start, start + told.length), eventKeys: told, keys })
  }

  private foldRouted(
    routed: Routed<EventOf<C>>,
    events: number
  ): Result.Result<{ readonly folded: Folded<A>; readonly claims: ReadonlyArray<Claim> }, StoreError> {
    let most = events
    while (true) {
      const { claims, count, fault, states } = this.step(routed, most)
      const encoded = fault === undefined ? this.encode(states) : Result.fail(fault)
      if (Result.isSuccess(encoded)) return Result.succeed({ folded: { count, ...encoded.success }, claims })
      // Also where it fails: whoever tries the event again, or passes over it, goes on with these.
      const restored = this.held.restore(routed.keys)
      if (Result.isFailure(restored)) return Result.fail(restored.failure)
      if (fault === undefined ? count <= 1 : count === 0) return Result.fail(encoded.failure)
      // Again with fewer: those before the one that threw, or half of those that are too much together.
      most = fault === undefined ? Math.ceil(count / 2) : count
    }
  }

  private step({ eventKeys, events }: Routed<EventOf<C>>, most: number): Stepped<A> {
    const { seed, step } = this.model
    const states = new Map<string, A | undefined>()
    const claims: Array<Claim> = []
    let count = 0
    let fault: StoreError | undefined
    const ran = Result.try(() => {
      for (; count < most && fault === undefined; count++) {
        const event = events[count]
        const keys = eventKeys[count]
        if (event === undefined || keys === undefined) break
        for (const key of keys) {
          const before = states.has(key) ? states.get(key) : this.held.get(key)?.state
          states.set(key, step(before === undefined ? seed() : before, event, key))
        }
        if (this.claiming) fault = this.claim(count, keys, states, claims)
      }
    })
    // The event that can't claim was counted as if it had gone.
    if (fault !== undefined) return { count: count - 1, fault, states, claims }
    const at = events[count]
    if (Result.isFailure(ran) && at !== undefined) fault = threw("step", at, ran.failure)
    return { count, fault, states, claims }
  }

  private claim(
    event: number,
    keys: ReadonlyArray<string>,
    states: ReadonlyMap<string, A | undefined>,
    claims: Array<Claim>
  ): StoreError | undefined {
    for (const key of keys) {
      const entries = this.entries(key, states.get(key))
      if (Result.isFailure(entries)) return entries.failure
      claims.push({ event, key, entries: entries.success })
    }
    return undefined
  }

  private entries(key: string, state: A | undefined): Result.Result<ReadonlyArray<string>, StoreError> {
    return state === undefined
      ? Result.succeed(noEntries)
      : entriesOf(this.model.readIndexes, key, state, this.store.about.limits.nameBytes)
  }

  private encode(states: ReadonlyMap<string, A | undefined>): Result.Result<Omit<Folded<A>, "count">, StoreError> {
    const changed: Array<Changed<A>> = []
    const moved: Array<EntriesMoved> = []
    let bytes = 0
    for (const [key, state] of states) {
      const before = this.held.get(key)?.payload
      if (state === undefined && before === undefined) continue
      const payload = state === undefined ? Result.succeed(undefined) : this.payload(key, state)
      if (Result.isFailure(payload)) return Result.fail(payload.failure)
      if (before !== undefined && payload.success !== undefined && samePayload(before, payload.success)) continue
      const entries = this.entries(key, state)
      if (Result.isFailure(entries)) return Result.fail(entries.failure)
      bytes += payload.success === undefined ? 0 : payloadBytes(payload.success)
      changed.push({ key, state, payload: payload.success, entries: entries.success })
      moved.push({ key, before: this.held.entries(key), after: entries.success })
    }
    const writes = entryWrites(this.model.readIndexes, moved)
    for (const { value } of writes) bytes += value === undefined ? 0 : payloadBytes(value)
    const { room } = this
    if (bytes > room.bytes) return Result.fail(tooLarge("states changed by one event", bytes, room.bytes))
    return changed.length + writes.length > room.writes
      ? Result.fail(tooManyWrites(changed.length + writes.length, room.writes))
      : Result.succeed({ changed, entries: writes })
  }

  private payload(key: string, state: A): Result.Result<Payload, StoreError> {
    const encoded = this.model.codec.encode("", state)
    // The key is written out only where it's to be told: there are as many as states.
    if (Result.isFailure(encoded)) return this.model.codec.encode(`state of key ${quoted(key)}`, state)
    const size = payloadBytes(encoded.success)
    const limit = Math.min(this.room.bytes, this.store.about.limits.payloadBytes)
    return size > limit ? Result.fail(tooLarge(`state of key ${quoted(key)}`, size, limit)) : encoded
  }

  /** What writes the changes, as one operation of a commit. */
  op({ changed, entries }: Folded<A>): Op {
    const { namespace } = this.model
    return {
      "~persist/Op": (draft) => {
        for (const { key, payload } of changed) {
          const fault = writeTo(draft, { namespace, key, value: payload })
          if (fault !== undefined) return fault
        }
        for (const entry of entries) {
          const fault = writeTo(draft, entry)
          if (fault !== undefined) return fault
        }
        return undefined
      }
    }
  }

  /** The changes are committed: they are what's stored now. */
  committed({ changed }: Folded<A>): void {
    this.held.committed(changed)
  }
}

const writeTo = (draft: Draft, { key, namespace, value }: EntryWrite): Fault | undefined =>
  value === undefined
    ? draft.delete(namespace, key, "any")
    : draft.put({ namespace, key, value, meta: undefined }, "any")

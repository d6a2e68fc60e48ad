/** The states of a read model's keys while it is kept: events folded in plain loops, and what to write then. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Catalogue, EventOf } from "./catalogue.ts"
import type { Op } from "./draft.ts"
import { Invalid, LimitExceeded, type StoreError } from "./error.ts"
import type { Event } from "./event.ts"
import { nameFault } from "./name.ts"
import { quoted } from "./path.ts"
import { type Payload, payloadBytes, samePayload } from "./payload.ts"
import type { ReadModel } from "./read-model.ts"
import type { StoreShape } from "./store.ts"

/** Some events of a page, each with the keys it changes. */
export interface Routed<E> {
  readonly events: ReadonlyArray<E>
  readonly keysOf: ReadonlyArray<ReadonlyArray<string>>
  /** All keys of them, each once. */
  readonly keys: ReadonlySet<string>
}

/** A state that differs from the stored one: a payload to put, or `undefined` to delete. */
interface Changed<A> {
  readonly key: string
  readonly state: A | undefined
  readonly payload: Payload | undefined
}

/** Some events folded: what to write for them. */
export interface Folded<A> {
  /** How many events, from the first. */
  readonly count: number
  readonly changed: ReadonlyArray<Changed<A>>
}

/** A key's state as it is stored; both `undefined` where there is none. */
interface Held<A> {
  readonly state: A | undefined
  readonly payload: Payload | undefined
}

/** Most keys, and most bytes of their payloads, that are held between pages. */
const mostHeld = { keys: 10_000, bytes: 64 * 1024 * 1024 }

/**
 * The states as they are stored, as far as they are known. What's held is right as long as nobody else writes to the
 * namespace: whoever does has moved the checkpoint, so that the next commit is fenced.
 */
export class States<C extends Catalogue, A> {
  private readonly held = new Map<string, Held<A>>()
  private heldBytes = 0
  private readonly store: StoreShape
  private readonly model: ReadModel<C, A>
  private readonly room: number

  /** `room` is how many bytes of payload a commit has for states. */
  constructor(store: StoreShape, model: ReadModel<C, A>, room: number) {
    this.store = store
    this.model = model
    this.room = room
  }

  /**
   * Asks the model for the keys of events from `start` on, as many as one commit can write; fails with `Invalid` or
   * `LimitExceeded` where the first of them has none that can be used.
   */
  route(items: ReadonlyArray<EventOf<C>>, start: number): Result.Result<Routed<EventOf<C>>, StoreError> {
    const { commitEvents, nameBytes } = this.store.about.limits
    const keysOf: Array<ReadonlyArray<string>> = []
    const keys = new Set<string>()
    for (let i = start; i < items.length; i++) {
      const event = items[i]
      if (event === undefined) break
      const own = this.keysOf(event, nameBytes)
      const more = Result.isSuccess(own) ? own.success.reduce((n, key) => keys.has(key) ? n : n + 1, 0) : 0
      // The checkpoint is written too.
      if (Result.isFailure(own) || keys.size + more >= commitEvents) {
        if (i > start) break
        return Result.isFailure(own)
          ? Result.fail(own.failure)
          : Result.fail(tooManyKeys(event, more, commitEvents - 1))
      }
      for (const key of own.success) keys.add(key)
      keysOf.push(own.success)
    }
    return Result.succeed({ events: items.slice(start, start + keysOf.length), keysOf, keys })
  }

  private keysOf(event: EventOf<C>, nameBytes: number): Result.Result<ReadonlyArray<string>, StoreError> {
    const told = Result.try({ try: () => this.model.keys(event), catch: (cause) => threw("keys", event, cause) })
    if (Result.isFailure(told)) return Result.fail(told.failure)
    const keys = typeof told.success === "string" ? [told.success] : told.success
    if (!Array.isArray(keys)) return Result.fail(noKeys(event))
    for (const key of keys) {
      const fault = nameFault(`keys of ${place(event)}`, key, nameBytes)
      if (fault !== undefined) return Result.fail(fault)
    }
    return Result.succeed(keys.length < 2 ? keys : Array.from(new Set(keys)))
  }

  /** Reads the states of keys that aren't held. `Corrupt` where one can't be read by the model's schema. */
  load(keys: ReadonlySet<string>): Effect.Effect<void, StoreError> {
    const { namespace } = this.model
    const { engine } = this.store
    const missing: Array<string> = []
    for (const key of keys) if (!this.held.has(key)) missing.push(key)
    if (missing.length === 0) return Effect.void
    const read = engine.reading(undefined, engine.backend.get(missing.map((key) => ({ namespace, key }))))
    return Effect.flatMap(
      read,
      (entries) => Effect.fromResult(this.take(missing, (_key, i) => entries[i]?.value))
    )
  }

  private take(
    keys: ReadonlyArray<string>,
    payloadOf: (key: string, i: number) => Payload | undefined
  ): Result.Result<void, StoreError> {
    for (const [i, key] of keys.entries()) {
      const payload = payloadOf(key, i)
      if (payload === undefined) {
        this.hold(key, { state: undefined, payload })
        continue
      }
      const where = `key ${quoted(key)} of namespace ${quoted(this.model.namespace)}`
      const state = this.model.codec.decode(where, payload)
      if (Result.isFailure(state)) return Result.fail(state.failure)
      this.hold(key, { state: state.success, payload })
    }
    return Result.succeed(undefined)
  }

  /**
   * Folds routed events into the states, all or as many as fit one commit and go well.
   * Fails where not even the first goes: `Invalid` where the model throws or gives a state that doesn't fit its schema,
   * `LimitExceeded` where that is too large.
   */
  fold(routed: Routed<EventOf<C>>): Result.Result<Folded<A>, StoreError> {
    let most = routed.events.length
    while (true) {
      const { count, fault, states } = this.step(routed, most)
      const changed = fault === undefined ? this.encode(states) : Result.fail(fault)
      if (Result.isSuccess(changed)) return Result.succeed({ count, changed: changed.success })
      if (fault === undefined ? count <= 1 : count === 0) return Result.fail(changed.failure)
      // Again with fewer: those before the one that threw, or half of those that are too much together.
      most = fault === undefined ? Math.ceil(count / 2) : count
      const restored = this.restore(routed.keys)
      if (Result.isFailure(restored)) return Result.fail(restored.failure)
    }
  }

  // A step that changes its state in place has spoilt what's held for a second fold.
  private restore(keys: ReadonlySet<string>): Result.Result<void, StoreError> {
    return this.take(Array.from(keys), (key) => this.held.get(key)?.payload)
  }

  private step(
    { events, keysOf }: Routed<EventOf<C>>,
    most: number
  ): { readonly count: number; readonly fault: StoreError | undefined; readonly states: Map<string, A | undefined> } {
    const { seed, step } = this.model
    const states = new Map<string, A | undefined>()
    let count = 0
    const ran = Result.try(() => {
      for (; count < most; count++) {
        const event = events[count]
        const keys = keysOf[count]
        if (event === undefined || keys === undefined) break
        for (const key of keys) {
          const before = states.has(key) ? states.get(key) : this.held.get(key)?.state
          states.set(key, step(before === undefined ? seed() : before, event, key))
        }
      }
    })
    const at = events[count]
    const fault = Result.isSuccess(ran) || at === undefined ? undefined : threw("step", at, ran.failure)
    return { count, fault, states }
  }

  private encode(states: ReadonlyMap<string, A | undefined>): Result.Result<ReadonlyArray<Changed<A>>, StoreError> {
    const changed: Array<Changed<A>> = []
    let bytes = 0
    for (const [key, state] of states) {
      const before = this.held.get(key)?.payload
      if (state === undefined) {
        if (before !== undefined) changed.push({ key, state, payload: undefined })
        continue
      }
      const encoded = this.model.codec.encode(`state of key ${quoted(key)}`, state)
      if (Result.isFailure(encoded)) return Result.fail(encoded.failure)
      const payload = encoded.success
      if (before !== undefined && samePayload(before, payload)) continue
      const size = payloadBytes(payload)
      bytes += size
      const limit = Math.min(this.room, this.store.about.limits.payloadBytes)
      if (size > limit) return Result.fail(tooLarge(`state of key ${quoted(key)}`, size, limit))
      if (bytes > this.room) return Result.fail(tooLarge("states changed by one event", bytes, this.room))
      changed.push({ key, state, payload })
    }
    return Result.succeed(changed)
  }

  /** What writes the changes, as one operation of a commit. */
  op({ changed }: Folded<A>): Op {
    const { namespace } = this.model
    return {
      "~persist/Op": (draft) => {
        for (const { key, payload } of changed) {
          const fault = payload === undefined
            ? draft.delete(namespace, key, "any")
            : draft.put({ namespace, key, value: payload, meta: undefined }, "any")
          if (fault !== undefined) return fault
        }
        return undefined
      }
    }
  }

  /** The changes are committed: they are what's stored now. */
  committed({ changed }: Folded<A>): void {
    for (const { key, payload, state } of changed) this.hold(key, { state, payload })
    if (this.held.size <= mostHeld.keys && this.heldBytes <= mostHeld.bytes) return
    this.held.clear()
    this.heldBytes = 0
  }

  private hold(key: string, held: Held<A>): void {
    this.heldBytes += (held.payload?.length ?? 0) - (this.held.get(key)?.payload?.length ?? 0)
    this.held.set(key, held)
  }
}

const place = ({ seq, stream, type }: Event): string => `event ${seq} of stream ${quoted(stream)}, type ${quoted(type)}`

const threw = (field: "keys" | "step", event: Event, cause: unknown): Invalid =>
  new Invalid({
    field,
    reason: `it threw at ${place(event)}`,
    remedy: "mend the read model and run it again: it goes on with that event",
    cause
  })

const noKeys = (event: Event): Invalid =>
  new Invalid({
    field: "keys",
    reason: `it gave neither a string nor an array for ${place(event)}`,
    remedy: "return the keys that the event changes, or [] for none"
  })

const tooManyKeys = (event: Event, actual: number, limit: number): LimitExceeded =>
  new LimitExceeded({
    field: `keys of ${place(event)}`,
    limit,
    actual,
    unit: "keys",
    remedy: "change fewer keys with one event: its changes are one commit"
  })

const tooLarge = (field: string, actual: number, limit: number): LimitExceeded =>
  new LimitExceeded({ field, limit, actual, unit: "bytes", remedy: "keep less under one key, or split it by key" })

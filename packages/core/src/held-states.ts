/** The states of a read model's keys as they are stored, as far as they are known, with their entries in indexes. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Catalogue } from "./catalogue.ts"
import type { StoreError } from "./error.ts"
import { quoted } from "./path.ts"
import type { Payload } from "./payload.ts"
import { entriesOf } from "./read-index.ts"
import type { ReadModel } from "./read-model.ts"
import type { StoreShape } from "./store.ts"

/** A key's state as it is stored; both `undefined`, and without entries, where there is none. */
export interface Held<A> {
  readonly state: A | undefined
  readonly payload: Payload | undefined
  /** One of each index. */
  readonly entries: ReadonlyArray<string>
}

/** No entries: those of a key without a state. */
export const noEntries: ReadonlyArray<string> = []

/** Most keys, and most bytes of their payloads and entries, that are held between pages. */
const mostHeld = { keys: 10_000, bytes: 64 * 1024 * 1024 }

/**
 * What's held is right as long as nobody else writes to the namespaces: whoever does has moved the checkpoint, so that
 * the next commit is fenced.
 */
export class HeldStates<C extends Catalogue, A> {
  private readonly held = new Map<string, Held<A>>()
  private heldBytes = 0
  private readonly store: StoreShape
  private readonly model: ReadModel<C, A>

  constructor(store: StoreShape, model: ReadModel<C, A>) {
    this.store = store
    this.model = model
  }

  /** What is known of a key. */
  get(key: string): Held<A> | undefined {
    return this.held.get(key)
  }

  /** The entries of a key; none where it has no state. */
  entries(key: string): ReadonlyArray<string> {
    return this.held.get(key)?.entries ?? noEntries
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

  /** Makes states anew from their payloads: a step that changes its state in place has spoilt those that it met. */
  restore(keys: ReadonlySet<string>): Result.Result<void, StoreError> {
    return this.take(Array.from(keys), (key) => this.held.get(key)?.payload)
  }

  private take(
    keys: ReadonlyArray<string>,
    payloadOf: (key: string, i: number) => Payload | undefined
  ): Result.Result<void, StoreError> {
    const { codec, namespace, readIndexes } = this.model
    for (const [i, key] of keys.entries()) {
      const payload = payloadOf(key, i)
      if (payload === undefined) {
        this.hold(key, { state: undefined, payload, entries: noEntries })
        continue
      }
      const where = `key ${quoted(key)} of namespace ${quoted(namespace)}`
      const state = codec.decode(where, payload)
      if (Result.isFailure(state)) return Result.fail(state.failure)
      const entries = entriesOf(readIndexes, key, state.success, this.store.about.limits.nameBytes)
      if (Result.isFailure(entries)) return Result.fail(entries.failure)
      this.hold(key, { state: state.success, payload, entries: entries.success })
    }
    return Result.succeed(undefined)
  }

  /** These are what's stored now. */
  committed(changes: ReadonlyArray<Held<A> & { readonly key: string }>): void {
    for (const { entries, key, payload, state } of changes) this.hold(key, { state, payload, entries })
    if (this.held.size <= mostHeld.keys && this.heldBytes <= mostHeld.bytes) return
    this.held.clear()
    this.heldBytes = 0
  }

  private hold(key: string, held: Held<A>): void {
    this.heldBytes += sizeOf(held) - sizeOf(this.held.get(key))
    this.held.set(key, held)
  }
}

const sizeOf = <A>(held: Held<A> | undefined): number =>
  held === undefined ? 0 : held.entries.reduce((sum, { length }) => sum + length, held.payload?.length ?? 0)

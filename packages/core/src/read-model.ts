/** Read models: projections kept in the kv, one state for each key, that any reader looks up while they follow the log. */
import type { Catalogue, EventOf } from "./catalogue.ts"
import type { PureSchema } from "./codec.ts"
import { Invalid } from "./error.ts"
import { isCounter } from "./fault.ts"
import type { Kv } from "./kv.ts"
import { isReserved } from "./name.ts"
import type { StoreShape } from "./store.ts"

/** What a read model is made of. Everything here decides the answer: change one and the version goes up. */
export interface ReadModelDefinition<C extends Catalogue, A> {
  readonly name: string
  /** A whole number from 1; a new one is built beside the old one, which stays readable. */
  readonly version: number
  /** The events it is made of. Types that the catalogue skips are left out by the backend. */
  readonly events: C
  /** Only streams whose name starts with it. */
  readonly prefix?: string | undefined
  /** The keys an event changes: one, several or none. Pure. */
  readonly keys: (event: EventOf<C>) => string | ReadonlyArray<string>
  /** The state of a key before its first event, and again after it was deleted. */
  readonly seed: A
  /**
   * The state of a key after one more event, or `undefined` to delete the key. Pure: no clock, no randomness, and what
   * it's given is never changed in place.
   */
  readonly step: (state: A, event: EventOf<C>, key: string) => A | undefined
  /** How a state is stored. */
  readonly value: PureSchema<A>
}

/** The verbs of a kv that read. */
export type KvReads<A> = Pick<
  Kv<A>,
  "namespace" | "get" | "entry" | "getMany" | "has" | "count" | "scan" | "changedSince" | "watch"
>

/** A read model: its states are the values of a namespace. */
export interface ReadModel<C extends Catalogue, A> extends ReadModelDefinition<C, A> {
  /** Where its states are: `name@version`. */
  readonly namespace: string
  /** Its name among the registered readers. */
  readonly reader: string
  /** The states by key, as of its checkpoint: `waitFor` first where they must show a certain event. */
  readonly kv: (store: StoreShape) => KvReads<A>
}

/** The name under which a read model is a registered reader, from that of its namespace. */
const readerOf = (namespace: string): string => `$read-model/${namespace}`

/**
 * Makes a read model. Definitions are code, so a wrong one throws at once: `Invalid` for an empty name or one that
 * starts with `$`, and a version that's no whole number from 1.
 */
const make = <C extends Catalogue, A>(definition: ReadModelDefinition<C, A>): ReadModel<C, A> => {
  const { name, value, version } = definition
  if (typeof name !== "string" || name === "" || isReserved(name)) {
    throw new Invalid({
      field: "name",
      reason: "is no name for a read model",
      remedy: "pass a non-empty string that doesn't start with $"
    })
  }
  if (!isCounter(version) || version === 0) {
    throw new Invalid({ field: "version", reason: "is no whole number from 1", remedy: "count the versions from 1" })
  }
  const namespace = `${name}@${version}`
  return { ...definition, namespace, reader: readerOf(namespace), kv: (store) => store.kv(namespace, value) }
}

/** Makes read models. */
export const ReadModel = { make }

/** Read models: projections kept in the kv, a state for each key, to be looked up while they follow the log. */
import * as Result from "effect/Result"
import type { Catalogue, EventOf } from "./catalogue.ts"
import { type Codec, type PureSchema, schemaCodec } from "./codec.ts"
import { Invalid } from "./error.ts"
import * as Fault from "./fault.ts"
import type { Kv } from "./kv.ts"
import { isReserved, nameFault, reservedFault } from "./name.ts"
import { type IndexDefinition, makeIndexes, type ReadIndex } from "./read-index.ts"
import { seedThunk } from "./seed.ts"
import { type StateFields, stateFields } from "./state-fields.ts"
import type { StoreShape } from "./store.ts"

/**
 * What makes the next state of a key. (The condition is always true, as in `StepOf`: so `{ state: "paid" }` isn't taken
 * for any string.)
 */
export type ModelStepOf<C extends Catalogue, A> = [C, A] extends [unknown, unknown]
  ? (state: NoInfer<A>, event: EventOf<C>, key: string) => NoInfer<A> | undefined
  : never

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
  /**
   * The state of a key before its first event, and again after it was deleted: a value of which every key gets its own
   * copy, or a function that makes it.
   */
  readonly seed: NoInfer<A> | (() => NoInfer<A>)
  /**
   * The state of a key after one more event, or `undefined` to delete the key. Pure: no clock, no randomness, no
   * waiting.
   */
  readonly step: ModelStepOf<C, A>
  /** How a state is stored. */
  readonly value: PureSchema<A>
  /**
   * The indexes to be kept with the states, by name, for `query`: up to 64 letters, digits, `-` and `_`, a letter
   * first. Each costs a write of its own where a state changes in its fields, in the same commit.
   */
  readonly indexes?: Readonly<Record<string, IndexDefinition<NoInfer<A>>>> | undefined
}

/** The verbs of a kv that read. */
export type KvReads<A> = Pick<
  Kv<A>,
  "namespace" | "get" | "entry" | "getMany" | "has" | "count" | "scan" | "changedSince" | "watch"
>

/** A read model: its states are the values of a namespace. */
export interface ReadModel<C extends Catalogue, A>
  extends Pick<ReadModelDefinition<C, A>, "name" | "version" | "events" | "prefix" | "keys">
{
  readonly step: (state: A, event: EventOf<C>, key: string) => A | undefined
  /** A fresh seed each time. */
  readonly seed: () => A
  /** Turns states into what is stored, and back. */
  readonly codec: Codec<A>
  /** Where its states are: `name@version`. */
  readonly namespace: string
  /** Its indexes, by name; each has a namespace of its own: `name@version/index`. */
  readonly readIndexes: ReadonlyArray<ReadIndex>
  /** The fields of its states, as far as the schema tells. */
  readonly fields: StateFields
  /** Its name among the registered readers. */
  readonly reader: string
  /** The states by key, as of its checkpoint: `waitFor` first where they must show a certain event. */
  readonly kv: (store: StoreShape) => KvReads<A>
}

/** Longest name of a read model, in UTF-8 bytes: the names of its namespace and its reader are made of it. */
const nameBytes = 256

const readerSign = "$read-model/"

/** The namespace of the read model that a reader keeps; `undefined` for a reader of any other kind. */
export const modelOf = (reader: string): string | undefined =>
  reader.startsWith(readerSign) ? reader.slice(readerSign.length) : undefined

/** The start of the names under which the versions of a read model read. */
export const versionsPrefix = (name: string): string => `${readerSign}${name}@`

/** The version of a read model that a reader keeps; `undefined` for a reader of any other kind. */
export const versionOf = (reader: string): { readonly name: string; readonly version: number } | undefined => {
  const [, name, version] = /^(.*)@(\d+)$/s.exec(modelOf(reader) ?? "") ?? []
  return name === undefined ? undefined : { name, version: Number(version) }
}

const known = ["name", "version", "events", "prefix", "keys", "seed", "step", "value", "indexes"]

/**
 * Makes a read model. Definitions are code, so a wrong one throws at once: `Invalid` or `LimitExceeded` for a bad name
 * or version, a seed that can't be copied (pass a function that makes it), keys or a step that are no functions, events
 * that are no catalogue, a value schema without a JSON form, and indexes by fields that the states don't have.
 */
const make = <C extends Catalogue, A>(definition: ReadModelDefinition<C, A>): ReadModel<C, A> => {
  const { events, keys, name, prefix, value, version } = definition
  const step = definition.step as ReadModel<C, A>["step"] // The condition in its type is always true.
  const fault = Fault.optionsFault(definition, known) ?? nameFault("name", name, nameBytes) ??
    (isReserved(name) ? reservedFault("name", name) : undefined) ?? Fault.versionFault(version) ??
    Fault.textFault("prefix", prefix) ?? functionFault("keys", keys) ?? functionFault("step", step) ??
    (typeof events?.decode === "function" ? undefined : noCatalogue)
  if (fault !== undefined) throw fault
  const seed = Result.getOrThrow(seedThunk(definition.seed))
  const codec = Result.getOrThrow(Result.try({ try: () => schemaCodec(value), catch: noForm }))
  const namespace = `${name}@${version}`
  const fields = stateFields(value)
  return {
    name,
    version,
    events,
    prefix,
    keys,
    seed,
    step,
    codec,
    namespace,
    readIndexes: Result.getOrThrow(makeIndexes(namespace, definition.indexes, fields)),
    fields,
    reader: `${readerSign}${namespace}`,
    kv: (store) => store.kv(namespace, value)
  }
}

const functionFault = (field: string, value: unknown): Invalid | undefined =>
  typeof value === "function"
    ? undefined
    : new Invalid({ field, reason: "is no function", remedy: "pass a pure function" })

const noCatalogue = new Invalid({
  field: "events",
  reason: "is no catalogue",
  remedy: "pass one made with Catalogue.make, or anyEvents for every event as it is stored"
})

const noForm = (cause: unknown): Invalid =>
  new Invalid({
    field: "value",
    reason: "is no schema, or one without a JSON form",
    remedy: "use a schema of values JSON can carry",
    cause
  })

/** Makes read models. */
export const ReadModel = { make }

/** Events as a catalogue: every type with the schema of its data, its versions, and a policy for types unknown. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { StoredEvent } from "./backend.ts"
import type { PureSchema } from "./codec.ts"
import { Corrupt, Invalid } from "./error.ts"
import type { Event, EventInput, UnknownEvent } from "./event.ts"
import type { Json } from "./json.ts"
import { located, rawKind, versionedKind } from "./kind.ts"
import type { EncodedEvent, Kind } from "./kind.ts"
import { isReserved } from "./name.ts"
import { pathOf, quoted } from "./path.ts"
import { closest } from "./suggest.ts"
import { isVersions, versions } from "./upcast.ts"
import type { Versions } from "./upcast.ts"

export type { EncodedEvent } from "./kind.ts"

/** What to do with a stored event whose type isn't in the catalogue: fail, leave it out, or pass it on undecoded. */
export type UnknownPolicy = "fail" | "skip" | "pass"

/** The types of a catalogue: each with the schema of its data, or with the versions it has had. */
export interface Definitions {
  readonly [type: string]: PureSchema | Versions
}

/** What the data of each type is now. */
export interface Schemas {
  readonly [type: string]: PureSchema
}

/** The current schemas of definitions. */
export type CurrentSchemas<D> = { readonly [T in keyof D]: D[T] extends Versions<infer Current> ? Current : D[T] }

/** The event types an application knows. `D` maps each to its schema, `U` is what happens to types outside. */
export interface Catalogue<D extends object = Schemas, U extends UnknownPolicy = UnknownPolicy> {
  /** What happens to a stored event of another type. */
  readonly unknown: U
  /** Every type, in the order of definition; a read may filter by them only where `unknown` is `"skip"`. */
  readonly types: ReadonlyArray<keyof D & string>
  /** The current schema of each type. */
  readonly schemas: { readonly [T in keyof D]: D[T] }
  /**
   * Encodes an event in the current version of its type. `Invalid`, naming the place below `field`, for a type that
   * isn't in the catalogue, data that doesn't fit its schema, and meta that isn't JSON or uses keys starting with `$`.
   */
  encode(field: string, input: InputOf<this>): Result.Result<EncodedEvent, Invalid>
  /**
   * Decodes an event, reading old versions as the current one; `undefined` where the policy leaves it out.
   * `Corrupt`, naming stream, seq and type, where the data fits no version, its version is newer than the
   * catalogue, an upcaster fails, or the type is unknown and the policy is `"fail"`.
   */
  decode(event: StoredEvent): Result.Result<EventOf<this> | undefined, Corrupt>
  /**
   * The same catalogue narrowed to these types; all others are skipped in reading and refused in appending.
   * Throws `Invalid` for no type at all, or one that isn't in it.
   */
  only<T extends keyof D & string>(...types: ReadonlyArray<T>): Catalogue<Pick<D, T>, "skip">
}

/** What {@link EventOf} and {@link InputOf} need to know of a catalogue. */
export interface Described {
  readonly schemas: object
  readonly unknown: UnknownPolicy
}

type DataOf<S> = S extends { readonly Type: infer A } ? A : never

/** An event of one of the catalogue's types: `data` follows from `type`. Where unknown types pass, ask `unknown`. */
export type EventOf<C extends Described> = "pass" extends C["unknown"] ? KnownUnmarked<C> | UnknownEvent : Known<C>

type Known<C extends Described> = {
  [T in keyof C["schemas"] & string]: Event<T, DataOf<C["schemas"][T]>>
}[keyof C["schemas"] & string]

type KnownUnmarked<C extends Described> = {
  [T in keyof C["schemas"] & string]: Event<T, DataOf<C["schemas"][T]>> & { readonly unknown?: never }
}[keyof C["schemas"] & string]

/** What may be appended: `data` follows from `type`. */
export type InputOf<C extends Described> = {
  [T in keyof C["schemas"] & string]: EventInput<T, DataOf<C["schemas"][T]>>
}[keyof C["schemas"] & string]

/** What a catalogue is made of. */
export interface CatalogueOptions<U extends UnknownPolicy> {
  /** `"fail"` unless said otherwise: data nobody can read is noticed at once instead of being missing. */
  readonly unknown: U
}

type MergedSchemas<C> = C extends readonly [infer First extends Described, ...infer Rest]
  ? First["schemas"] & MergedSchemas<Rest>
  : unknown

/** The catalogue of several, flattened so that it reads like one that was written whole. */
export type Merged<C extends ReadonlyArray<Catalogue>> = Catalogue<
  { readonly [T in keyof MergedSchemas<C>]: MergedSchemas<C>[T] },
  C[number]["unknown"]
>

/** A catalogue before the compiler knows its types. */
interface Untyped extends Kind {
  readonly unknown: UnknownPolicy
  readonly types: ReadonlyArray<string>
  readonly schemas: Schemas
  readonly only: (...types: ReadonlyArray<string>) => Untyped
}

/** A type's current schema, and how its events are written and read. */
interface Entry extends Kind {
  readonly schema: PureSchema
}

/**
 * Makes a catalogue. Definitions are code, so a wrong one throws at once: `Invalid` for an empty name, one that
 * starts with `$`, what is no schema or has no JSON form, and an unknown policy.
 */
const make = <D extends Definitions, U extends UnknownPolicy = "fail">(
  definitions: D,
  options?: CatalogueOptions<U>
): Catalogue<CurrentSchemas<D>, U> => {
  const entries = new Map<string, Entry>()
  for (const [type, definition] of Object.entries(definitions)) entries.set(type, define(type, definition))
  const unknown = options === undefined ? "fail" : options.unknown
  if (!policies.has(unknown)) {
    throw new Invalid({ field: "unknown", reason: "is no policy", remedy: `pass "fail", "skip" or "pass"` })
  }
  // `build` takes the types from the definitions' keys and the schemas from their values, as the type says.
  return build(entries, unknown) as unknown as Catalogue<CurrentSchemas<D>, U>
}

/** Joins catalogues into one. Throws `Invalid` where two define the same type, one is empty, or policies differ. */
const merge = <C extends readonly [Catalogue, ...ReadonlyArray<Catalogue>]>(...catalogues: C): Merged<C> => {
  const entries = new Map<string, Entry>()
  const unknown = catalogues[0].unknown
  for (const [i, catalogue] of catalogues.entries()) {
    if (catalogue.unknown !== unknown) throw mergeFault(i, "its policy for unknown types differs", "make both with one")
    if (catalogue.types.length === 0) throw mergeFault(i, "it defines no types", "leave it out")
    for (const [type, schema] of Object.entries(catalogue.schemas)) {
      if (entries.has(type)) throw mergeFault(i, `${quoted(type)} is defined before`, "define each type once")
      entries.set(type, {
        schema,
        encode: (field, input) => catalogue.encode(field, input),
        decode: (event) => catalogue.decode(event)
      })
    }
  }
  // Types and schemas are those of the catalogues together, as the type says.
  return build(entries, unknown) as unknown as Merged<C>
}

const policies: ReadonlySet<unknown> = new Set<UnknownPolicy>(["fail", "skip", "pass"])

const mergeFault = (i: number, reason: string, remedy: string): Invalid =>
  new Invalid({ field: `catalogues[${i}]`, reason, remedy })

const define = (type: string, definition: PureSchema | Versions): Entry => {
  const field = pathOf("definitions", [type])
  if (type === "" || isReserved(type)) {
    throw new Invalid({
      field,
      reason: "is no name for an event type",
      remedy: "use a name that isn't empty and doesn't start with $"
    })
  }
  const history = isVersions(definition) ? definition : versions(definition)
  const kind = Result.try({
    try: () => versionedKind(history),
    catch: (cause) =>
      cause instanceof Invalid
        ? new Invalid({ field, reason: `its schema ${cause.reason}`, remedy: cause.remedy })
        : cause
  })
  return { schema: history.current, ...Result.getOrThrow(kind) }
}

const build = (entries: ReadonlyMap<string, Entry>, unknown: UnknownPolicy): Untyped => {
  const types = Array.from(entries.keys())
  return {
    unknown,
    types,
    schemas: Object.fromEntries(Array.from(entries, ([type, { schema }]) => [type, schema])),
    encode: (field, input) => {
      const entry = entries.get(input.type)
      return entry === undefined
        ? Result.fail(notDefined(`${field}.type`, input.type, types))
        : entry.encode(field, input)
    },
    decode: (event) => {
      const entry = entries.get(event.type)
      return entry === undefined ? decodeUnknown(event, unknown) : entry.decode(event)
    },
    only: (...chosen) =>
      narrow(chosen, (type, i) => {
        const entry = entries.get(type)
        if (entry === undefined) throw notDefined(`types[${i}]`, type, types)
        return entry
      })
  }
}

const narrow = (types: ReadonlyArray<string>, entryOf: (type: string, i: number) => Entry): Untyped => {
  if (types.length === 0) {
    throw new Invalid({ field: "types", reason: "names no type", remedy: "name at least one of the catalogue's types" })
  }
  return build(new Map(types.map((type, i) => [type, entryOf(type, i)])), "skip")
}

const decodeUnknown = (
  event: StoredEvent,
  unknown: UnknownPolicy
): Result.Result<UnknownEvent | undefined, Corrupt> => {
  if (unknown === "skip") return Result.succeed(undefined)
  if (unknown === "pass") return Result.map(rawKind.decode(event), (raw) => ({ ...raw, unknown: true }))
  return Result.fail(located(
    event,
    new Corrupt({
      where: "type",
      reason: "isn't in the catalogue",
      remedy: `define it, or make the catalogue with { unknown: "skip" } or { unknown: "pass" }`
    })
  ))
}

const notDefined = (field: string, type: unknown, known: ReadonlyArray<string>): Invalid => {
  if (typeof type !== "string") {
    return new Invalid({ field, reason: `expected a string, got ${typeof type}`, remedy: "pass the event's type" })
  }
  const near = closest(type, known).map(quoted)
  return new Invalid({
    field,
    reason: `${quoted(type)} isn't in the catalogue`,
    remedy: near.length > 0
      ? `did you mean ${near.join(" or ")}?`
      : `define it, or use one of ${known.slice(0, 3).map(quoted).join(", ")}${known.length > 3 ? " …" : ""}`
  })
}

/** Makes catalogues of event types: `make` from schemas, `versions` for a type that changed, `merge` for several. */
export const Catalogue = { make, merge, versions }

/** A schema for every type there could be. */
export interface AnySchemas {
  readonly [type: string]: PureSchema<Json | Uint8Array>
}

const raw: Entry = { schema: Schema.Union([Schema.Json, Schema.Uint8Array]), ...rawKind }

const untyped: Untyped = {
  unknown: "fail",
  types: [],
  schemas: {},
  ...rawKind,
  only: (...types) => narrow(types, () => raw)
}

/**
 * Every type, for callers without a catalogue: data is JSON or bytes as stored, and meta shows our own keys, so that
 * copying events loses nothing. No type is unknown to it; `types` and `schemas` are empty.
 */
// Raw events are just what this type says: JSON or bytes under any name.
export const anyEvents = untyped as unknown as Catalogue<AnySchemas, "fail">

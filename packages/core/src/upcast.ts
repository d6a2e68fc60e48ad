/** The versions an event type has had: old data is read as new, and what is stored stays as it is. */
import * as Result from "effect/Result"
import { schemaCheck, schemaCodec } from "./codec.ts"
import type { Codec, PureSchema } from "./codec.ts"
import { Corrupt } from "./error.ts"
import type { Payload } from "./payload.ts"

/** A version that is no longer written: its schema, and how its data becomes that of the next version. */
export interface PastVersion {
  readonly schema: PureSchema
  readonly upcast: (old: unknown) => unknown
}

/** All versions of an event type: the first has number 1, and `Current` is the schema of the last. */
export interface Versions<Current extends PureSchema = PureSchema> {
  readonly current: Current
  /** Oldest first. */
  readonly past: ReadonlyArray<PastVersion>
  /** Adds the next version: its schema, and a pure function that makes its data from that of the version before. */
  readonly to: <Next extends PureSchema>(
    schema: Next,
    upcast: (old: Current["Type"]) => Next["Type"]
  ) => Versions<Next>
}

/** Starts the versions of an event type with its first schema; every `.to(schema, upcast)` adds one. */
export const versions = <First extends PureSchema>(first: First): Versions<First> => versionsFrom([], first)

const versionsFrom = <Current extends PureSchema>(
  past: ReadonlyArray<PastVersion>,
  current: Current
): Versions<Current> => ({
  current,
  past,
  // An upcaster only ever meets what the schema before it decodes, which is the type it asks for.
  to: (schema, upcast) => versionsFrom([...past, { schema: current, upcast }], schema)
})

/** Tells versions from a plain schema. */
export const isVersions = (definition: PureSchema | Versions): definition is Versions =>
  typeof definition === "object" && definition !== null && "past" in definition

/** Reads and writes the data of one event type, whatever version it is stored in. */
export interface VersionedCodec {
  /** The current version: what new events are written in. */
  readonly version: number
  readonly encode: Codec<unknown>["encode"]
  /** The data as of the current version; `Corrupt` where it doesn't fit, or its version isn't known yet. */
  readonly decode: (where: string, version: number, payload: Payload) => Result.Result<unknown, Corrupt>
}

/** Makes the codec of an event type. Throws `Invalid` where a schema has no JSON form. */
export const versionedCodec = ({ current, past }: Versions): VersionedCodec => {
  const latest = schemaCodec(current)
  const earlier = past.map(({ schema }) => schemaCodec(schema))
  const version = past.length + 1
  const check = schemaCheck(current)
  const upcast = (where: string, from: number, old: unknown): Result.Result<unknown, Corrupt> => {
    let data = old
    for (const [i, step] of past.slice(from - 1).entries()) {
      const next = Result.try({ try: () => step.upcast(data), catch: (cause) => threw(where, from + i, cause) })
      if (Result.isFailure(next)) return next
      data = next.success
    }
    // Upcasters are the user's code: what they give is checked, so that a reader never meets what encode would refuse.
    return Result.mapError(check(where, data), (fault) => unfit(from, version, fault))
  }
  return {
    version,
    encode: latest.encode,
    decode: (where, stored, payload) => {
      if (stored === version) return latest.decode(where, payload)
      const codec = earlier[stored - 1]
      if (codec === undefined) return Result.fail(tooNew(where, stored, version))
      const old = codec.decode(where, payload)
      return Result.isFailure(old) ? old : upcast(where, stored, old.success)
    }
  }
}

const threw = (where: string, version: number, cause: unknown): Corrupt =>
  new Corrupt({
    where,
    reason: `the upcaster from version ${version} to ${version + 1} threw`,
    remedy: "mend the upcaster so that it takes everything its old schema lets through",
    cause
  })

const unfit = (from: number, to: number, { cause, reason, where }: Corrupt): Corrupt =>
  new Corrupt({
    where,
    reason: `upcast from version ${from}, it doesn't fit version ${to}: ${reason}`,
    remedy: "mend the upcaster so that it gives what its new schema asks for",
    ...(cause === undefined ? {} : { cause })
  })

const tooNew = (where: string, version: number, known: number): Corrupt =>
  new Corrupt({
    where,
    reason: `it has version ${version}, and this catalogue knows versions up to ${known}`,
    remedy: "deploy the newer catalogue before reading with it"
  })

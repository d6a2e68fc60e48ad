/** The versions an event type has had: old data is read as new, and what is stored stays as it is. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import { schemaCodec } from "./codec.ts"
import type { Codec, PureSchema } from "./codec.ts"
import { Corrupt } from "./error.ts"
import { explainIssue } from "./issue.ts"
import type { Payload } from "./payload.ts"

/** One version of an event type; `upcast` makes its data from the data of the version before, and is pure. */
export interface Version {
  readonly schema: PureSchema
  readonly upcast: (old: unknown) => unknown
}

/** All versions of an event type, oldest first; `Current` is the schema of the last, and versions count from 1. */
export interface Versions<Current extends PureSchema = PureSchema> {
  readonly current: Current
  readonly history: ReadonlyArray<Version>
  /** Adds the next version: its schema, and how data of the last one becomes data of this one. */
  readonly to: <Next extends PureSchema>(
    schema: Next,
    upcast: (old: Current["Type"]) => Next["Type"]
  ) => Versions<Next>
}

/** Starts the versions of an event type with the first; continue with `.to(schema, upcast)`. */
export const versions = <First extends PureSchema>(first: First): Versions<First> =>
  extend([], { schema: first, upcast: (old) => old }, first)

const extend = <Current extends PureSchema>(
  before: ReadonlyArray<Version>,
  version: Version,
  current: Current
): Versions<Current> => {
  const history = [...before, version]
  return {
    current,
    history,
    // The upcaster only ever meets what the schema before it decoded, which is the type it asks for.
    to: (schema, upcast) => extend(history, { schema, upcast: upcast as (old: unknown) => unknown }, schema)
  }
}

/** Reads and writes the data of one event type, whatever version it is stored in. */
export interface VersionedCodec {
  /** The current version: what new events are written in. */
  readonly version: number
  readonly encode: Codec<unknown>["encode"]
  /** The data in its current version; `Corrupt` for what doesn't fit its version, or a version not known yet. */
  readonly decode: (where: string, version: number, payload: Payload) => Result.Result<unknown, Corrupt>
}

/** Makes the codec of an event type from its versions. */
export const versionedCodec = (history: ReadonlyArray<Version>, current: PureSchema): VersionedCodec => {
  const codecs = history.map(({ schema }) => schemaCodec(schema))
  const latest = schemaCodec(current)
  // Upcasters are the user's code: what they give is checked, so that a reader never meets what encode would refuse.
  const check = SchemaParser.decodeUnknownResult(Schema.toType(current), { reportInput: false })
  const upcast = (where: string, from: number, old: unknown): Result.Result<unknown, Corrupt> => {
    let data = old
    for (const [i, step] of history.slice(from).entries()) {
      const next = Result.try({ try: () => step.upcast(data), catch: (cause) => threw(where, from + i, cause) })
      if (Result.isFailure(next)) return next
      data = next.success
    }
    const checked = check(data)
    if (Result.isSuccess(checked)) return Result.succeed(data)
    const { path, reason } = explainIssue(where, checked.failure)
    return Result.fail(unfit(path, from, history.length, reason))
  }
  return {
    version: history.length,
    encode: latest.encode,
    decode: (where, version, payload) => {
      if (version === history.length) return latest.decode(where, payload)
      const codec = codecs[version - 1]
      if (codec === undefined) return Result.fail(tooNew(where, version, history.length))
      const old = codec.decode(where, payload)
      return Result.isFailure(old) ? old : upcast(where, version, old.success)
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

const unfit = (where: string, from: number, to: number, reason: string): Corrupt =>
  new Corrupt({
    where,
    reason: `upcast from version ${from}, it doesn't fit version ${to}: ${reason}`,
    remedy: "mend the upcaster so that it gives what its new schema asks for"
  })

const tooNew = (where: string, version: number, known: number): Corrupt =>
  new Corrupt({
    where,
    reason: `it has version ${version}, and this catalogue knows versions up to ${known}`,
    remedy: "deploy the newer catalogue before reading with it"
  })

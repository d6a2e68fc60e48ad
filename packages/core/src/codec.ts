/** Between what the user holds and what the store keeps: a codec turns values into payloads and back. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import { Corrupt, Invalid } from "./error.ts"
import { explainIssue } from "./issue.ts"
import { parseJson, stringifyJson, writeText } from "./json.ts"
import type { Json } from "./json.ts"
import type { Payload } from "./payload.ts"

/** Turns values of one kind into payloads and back. Pure: neither direction waits, and neither keeps its argument. */
export interface Codec<A> {
  /** The payload for a value; `Invalid`, naming the path below `field`, where the value isn't of its kind. */
  readonly encode: (field: string, value: A) => Result.Result<Payload, Invalid>
  /** The value of a payload; `Corrupt`, naming the path below `where`, where `encode` can't have made the payload. */
  readonly decode: (where: string, payload: Payload) => Result.Result<A, Corrupt>
}

/** A schema that encodes and decodes without services. */
export type PureSchema<A = unknown> = Schema.ConstraintCodec<A, unknown, never, never>

/** Encodes as {@link jsonCodec} does, whatever the type of the value says; `Invalid` for what is neither JSON nor bytes. */
export const encodeRaw = (field: string, value: unknown): Result.Result<Payload, Invalid> =>
  value instanceof Uint8Array ? Result.succeed(new Uint8Array(value)) : stringifyJson(field, value)

/** Keeps JSON values as text and bytes as bytes; nothing else is let through (see `stringifyJson`). */
export const jsonCodec: Codec<Json | Uint8Array> = {
  encode: encodeRaw,
  decode: (where, payload) =>
    typeof payload === "string" ? parseJson(where, payload) : Result.succeed(new Uint8Array(payload))
}

/**
 * Derives a codec from a schema: its canonical JSON form as text, in which dates, bigints, bytes, maps, sets, options
 * and classes survive. Encoding checks the value, and refuses properties that the schema doesn't name, since they
 * would be lost; decoding ignores them. Errors say what was expected and never repeat the value.
 * A schema that turns out to wait for something or to need a service is refused: `Invalid` or `Corrupt`.
 *
 * Schemas are interpreted. An application that may run generated code makes them several times as fast with
 * `import "effect/schema/SchemaJITCompiler/enable"` as the first import of its program; core doesn't, because it
 * also runs in pages whose content security policy forbids that.
 */
export const schemaCodec = <A>(schema: PureSchema<A>): Codec<A> => {
  const json = Schema.toCodecJson(schema)
  const toJson = SchemaParser.encodeUnknownResult(json, { onExcessProperty: "error", reportInput: false })
  const fromJson = SchemaParser.decodeUnknownResult(json, { reportInput: false })
  return {
    encode: (field, value) => {
      const encoded = Result.try({ try: () => toJson(value), catch: (cause) => notPure(field, cause) })
      if (Result.isFailure(encoded)) return Result.fail(encoded.failure)
      const written = encoded.success
      return Result.isSuccess(written) ? writeText(field, written.success) : Result.fail(misfit(field, written.failure))
    },
    decode: (where, payload) => {
      if (typeof payload !== "string") return Result.fail(bytesForText(where))
      const parsed = parseJson(where, payload)
      if (Result.isFailure(parsed)) return Result.fail(parsed.failure)
      const decoded = Result.try({ try: () => fromJson(parsed.success), catch: (cause) => undecodable(where, cause) })
      if (Result.isFailure(decoded)) return Result.fail(decoded.failure)
      const read = decoded.success
      return Result.isSuccess(read) ? Result.succeed(read.success) : Result.fail(unreadable(where, read.failure))
    }
  }
}

const misfit = (field: string, issue: SchemaIssue.Issue): Invalid => {
  const { path, reason } = explainIssue(field, issue)
  return new Invalid({ field: path, reason, remedy: "pass a value that fits the schema" })
}

const unreadable = (where: string, issue: SchemaIssue.Issue): Corrupt => {
  const { path, reason } = explainIssue(where, issue)
  return new Corrupt({
    where: path,
    reason,
    remedy: "read it with the schema it was written with, or declare a new version with an upcaster"
  })
}

const notPure = (field: string, cause: unknown): Invalid =>
  new Invalid({
    field,
    reason: "its schema threw, or waits for something, or needs a service",
    remedy: "use a schema that encodes at once and without services",
    cause
  })

const undecodable = (where: string, cause: unknown): Corrupt =>
  new Corrupt({
    where,
    reason: "its schema threw, or waits for something, or needs a service",
    remedy: "use a schema that decodes at once and without services",
    cause
  })

const bytesForText = (where: string): Corrupt =>
  new Corrupt({ where, reason: "holds bytes where the schema expects JSON text", remedy: "read it without a schema" })

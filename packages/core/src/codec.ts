/** Between what the user holds and what the store keeps: a codec turns values into payloads and back. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import { Corrupt, Invalid } from "./error.ts"
import { explainIssue } from "./issue.ts"
import { parseJson, stringifyJson } from "./json.ts"
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

/** Encodes as {@link jsonCodec} does, whatever the value's type says; `Invalid` for what is neither JSON nor bytes. */
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
 *
 * Throws `Invalid` for a schema without a JSON form (symbols as keys). One that waits, needs a service or throws shows
 * it only when it runs: `encode` answers `Invalid`, also where its first value can't be read back; `decode` `Corrupt`.
 *
 * Schemas are interpreted. An application that may run generated code makes them several times as fast with
 * `import "effect/schema/SchemaJITCompiler/enable"` as the first import of its program; core doesn't, because it
 * also runs in pages whose content security policy forbids that.
 */
export const schemaCodec = <A>(schema: PureSchema<A>): Codec<A> => {
  const json = Result.getOrThrow(Result.try({ try: () => Schema.toCodecJson(schema), catch: noJsonForm }))
  const toJson = SchemaParser.encodeUnknownEffect(json, { onExcessProperty: "error", reportInput: false })
  const fromJson = SchemaParser.decodeUnknownEffect(json, { reportInput: false })
  let proven = false
  const decode = (where: string, payload: Payload): Result.Result<A, Corrupt> => {
    if (typeof payload !== "string") return Result.fail(bytesForText(where))
    const parsed = parseJson(where, payload)
    if (Result.isFailure(parsed)) return Result.fail(parsed.failure)
    const exit = Effect.runSyncExit(fromJson(parsed.success))
    return Exit.isSuccess(exit) ? Result.succeed(exit.value) : Result.fail(unreadable(where, exit.cause))
  }
  const encode = (field: string, value: A): Result.Result<string, Invalid> => {
    const exit = Effect.runSyncExit(toJson(value))
    if (Exit.isFailure(exit)) return Result.fail(misfit(field, exit.cause))
    // Schema.Any lets through what JSON can't carry, so the form is checked like any other value.
    const written = stringifyJson(field, exit.value)
    if (proven || Result.isFailure(written)) return written
    // The types can't tell a schema that only decodes by waiting; its first value does, before anything is stored.
    const read = decode(field, written.success)
    if (Result.isFailure(read)) return Result.fail(oneWay(field, read.failure))
    proven = true
    return written
  }
  return { encode, decode }
}

/**
 * Decodes all items of a page in one step; fails with the first that can't be read. What is decoded as `undefined` is
 * left out.
 */
export const decodeAll = <A, B>(
  items: ReadonlyArray<A>,
  decode: (item: A) => Result.Result<B | undefined, Corrupt>
): Effect.Effect<ReadonlyArray<B>, Corrupt> =>
  Effect.suspend(() => {
    const decoded: Array<B> = []
    for (const item of items) {
      const result = decode(item)
      if (Result.isFailure(result)) return Effect.fail(result.failure)
      if (result.success !== undefined) decoded.push(result.success)
    }
    return Effect.succeed(decoded)
  })

/** Checks a value that is already decoded, such as one made by user code; `Corrupt` where it doesn't fit the schema. */
export const schemaCheck = (
  schema: PureSchema
): (where: string, value: unknown) => Result.Result<unknown, Corrupt> => {
  const check = SchemaParser.decodeUnknownEffect(Schema.toType(schema), { reportInput: false })
  return (where, value) => {
    const exit = Effect.runSyncExit(check(value))
    return Exit.isSuccess(exit) ? Result.succeed(value) : Result.fail(unreadable(where, exit.cause))
  }
}

const misfit = (field: string, cause: Cause.Cause<SchemaIssue.Issue>): Invalid => {
  const issue = Cause.findError(cause)
  if (Result.isFailure(issue)) return new Invalid({ field, ...impurity(issue.failure) })
  const { path, reason } = explainIssue(field, issue.success)
  return new Invalid({ field: path, reason, remedy: "pass a value that fits the schema" })
}

const unreadable = (where: string, cause: Cause.Cause<SchemaIssue.Issue>): Corrupt => {
  const issue = Cause.findError(cause)
  if (Result.isFailure(issue)) return new Corrupt({ where, ...impurity(issue.failure) })
  const { path, reason } = explainIssue(where, issue.success)
  const remedy = "read it with the schema it was written with, or declare a new version with an upcaster"
  return new Corrupt({ where: path, reason, remedy })
}

const impurity = (cause: Cause.Cause<never>) => {
  const defect = Cause.squash(cause)
  return Cause.isAsyncFiberError(defect)
    ? { reason: "its schema waits for something", remedy: "use a schema that encodes and decodes at once" }
    : { reason: "its schema threw", remedy: "mend the schema, and give it no service to look for", cause: defect }
}

const oneWay = (field: string, { cause, reason }: Corrupt): Invalid =>
  new Invalid({
    field,
    reason: `its schema writes what it can't read back: ${reason}`,
    remedy: "use a schema whose two directions undo each other",
    ...(cause === undefined ? {} : { cause })
  })

const noJsonForm = (cause: unknown): Invalid =>
  new Invalid({ field: "schema", reason: "has no JSON form", remedy: "pass a schema with strings as keys", cause })

const bytesForText = (where: string): Corrupt =>
  new Corrupt({ where, reason: "holds bytes where the schema expects JSON text", remedy: "read it without a schema" })

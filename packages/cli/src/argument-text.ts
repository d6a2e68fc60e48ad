/** What arguments and flags say: expectations, times and JSON. */
import type { Expected, ExpectedKey, Json, Meta, StartFrom } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { isUtf8 } from "node:buffer"
import { parseTime } from "persist/effect"
import { parseExactJson } from "./exact-json.ts"
import { type Failure, misuse } from "./failure.ts"
import { openInput } from "./input.ts"
import { isObject } from "./line-field.ts"

const count = /^\d{1,16}$/

/** Reads what an append expects of its stream. */
export const parseExpected = (text: string): Effect.Effect<Expected, Failure> =>
  text === "any" || text === "exists"
    ? Effect.succeed(text)
    : count.test(text)
    ? Effect.succeed(Number(text))
    : Effect.fail(
      misuse(
        "--expected",
        `${JSON.stringify(text)} is no expectation of a stream`,
        "give the last seq you know, 0 for a new stream, exists, or any"
      )
    )

/** Reads what a write expects of its key. */
export const parseExpectedKey = (text: string): Effect.Effect<ExpectedKey, Failure> =>
  text === "any" || text === "exists" || text === "absent"
    ? Effect.succeed(text)
    : count.test(text)
    ? Effect.succeed(Number(text))
    : Effect.fail(
      misuse(
        "--expected",
        `${JSON.stringify(text)} is no expectation of a key`,
        "give the revision you read, absent, exists, or any"
      )
    )

/** Reads a time: ISO 8601 or milliseconds since 1970. */
export const parseTimeText = (field: string, text: string): Effect.Effect<number, Failure> => {
  const parsed = parseTime(field, /^-?\d{1,16}$/.test(text) ? Number(text) : text)
  return Result.isSuccess(parsed) && parsed.success !== undefined
    ? Effect.succeed(parsed.success)
    : Effect.fail(
      misuse(
        field,
        `${JSON.stringify(text)} is no time`,
        "write ISO 8601 with its zone, such as 2026-01-31T12:00:00Z, or milliseconds since 1970"
      )
    )
}

const units = new Map([["ms", 1], ["s", 1000], ["m", 60_000], ["h", 3_600_000], ["d", 86_400_000], ["w", 604_800_000]])

/** Reads how long something lasts, in milliseconds: `30d`, `12h`. */
export const parseSpan = (field: string, text: string): Effect.Effect<number, Failure> => {
  const [, many, unit] = /^(\d{1,9})(ms|s|m|h|d|w)$/.exec(text) ?? []
  const millis = unit === undefined ? undefined : units.get(unit)
  return millis === undefined
    ? Effect.fail(misuse(field, `${JSON.stringify(text)} is no span of time`, "write 30d, 12h, 90m, 45s or 500ms"))
    : Effect.succeed(Number(many) * millis)
}

/** Reads JSON. */
export const parseJsonText = (field: string, text: string): Effect.Effect<Json, Failure> => {
  const parsed = parseExactJson(field, text)
  return Result.isSuccess(parsed)
    ? Effect.succeed(parsed.success)
    : Effect.fail(misuse(field, parsed.failure.reason, `${parsed.failure.remedy}; text goes in double quotes`))
}

/** Reads metadata: a JSON object. */
export const parseMeta = (text: string): Effect.Effect<Meta, Failure> =>
  Effect.flatMap(parseJsonText("--meta", text), (json) =>
    isObject(json)
      ? Effect.succeed(json)
      : Effect.fail(misuse("--meta", "is no JSON object", "write an object, such as {\"by\":\"ada\"}")))

/** The bytes of a file, or of stdin for `-`, whole. */
export const readWhole = (file: string): Effect.Effect<Uint8Array, Failure> =>
  Effect.scoped(Effect.flatMap(openInput(file, { unpacked: false }), (input) =>
    Effect.gen(function*() {
      const chunks: Array<Uint8Array> = []
      for (;;) {
        const chunk = yield* input.next
        if (chunk === undefined) return Buffer.concat(chunks)
        chunks.push(chunk)
      }
    })))

/** Text given as an argument, or the whole of stdin for `-`. */
export const textOrStdin = (field: string, text: string): Effect.Effect<string, Failure> =>
  text !== "-" ? Effect.succeed(text) : Effect.flatMap(readWhole("-"), (bytes) =>
    isUtf8(bytes)
      ? Effect.succeed(Buffer.from(bytes).toString())
      : Effect.fail(misuse(field, "stdin holds no UTF-8 text", "write it as UTF-8")))

/** Reads what was given; `undefined` where nothing was. */
export const ifGiven = <A, B, E>(
  given: Option.Option<A>,
  read: (value: A) => Effect.Effect<B, E>
): Effect.Effect<B | undefined, E> => Option.isNone(given) ? Effect.undefined : read(given.value)

/** Reads where a reader begins; `Failure` for what is no such place. */
export const parseFrom = (text: string): Effect.Effect<StartFrom, Failure> =>
  text === "start" || text === "end"
    ? Effect.succeed(text)
    : /^\d{1,16}$/.test(text)
    ? Effect.succeed({ position: Number(text) })
    : Effect.fail(misuse("--from", `${JSON.stringify(text)} is no place to begin`, "give start, end or a position"))

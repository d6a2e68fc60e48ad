/** The flags that say over which streams a projection is folded, and as of when. */
import type { AsOf, Scope } from "@persist/core"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { parseTimeText } from "./argument-text.ts"
import { type Failure, misuse } from "./failure.ts"

/** Over which streams. */
export const scopeFlags = {
  stream: Flag.String("stream").pipe(Flag.withDescription("Over this stream"), Flag.optional),
  prefix: Flag.String("prefix").pipe(
    Flag.withDescription("Over the streams whose name starts with this"),
    Flag.optional
  )
}

/** A moment: the flag's name, and what it's for. */
export const momentFlag = (name: string, what: string): Flag.Flag<string> =>
  Flag.String(name).pipe(
    Flag.withDescription(`${what}: seq:N (of one stream), position:N, or a time, ISO 8601 or milliseconds`),
    Flag.withMetavar("seq:N|position:N|TIME")
  )

/** The scope that the flags say; all streams where they say nothing. */
export const parseScope = ({ prefix, stream }: {
  readonly stream: Option.Option<string>
  readonly prefix: Option.Option<string>
}): Effect.Effect<Scope, Failure> => {
  if (Option.isSome(stream)) {
    return Option.isSome(prefix)
      ? Effect.fail(misuse("--prefix", "is given beside --stream", "give one of the two"))
      : Effect.succeed({ stream: stream.value })
  }
  return Effect.succeed(Option.isSome(prefix) ? { prefix: prefix.value } : { all: true })
}

/** The moment that a flag says. */
export const parseAsOf = (flag: string, text: string): Effect.Effect<AsOf, Failure> => {
  const [, unit, count] = /^(seq|position):(\d{1,16})$/.exec(text) ?? []
  if (unit === "seq") return Effect.succeed({ seq: Number(count) })
  if (unit === "position") return Effect.succeed({ position: Number(count) })
  // A short number is more likely a seq or position whose kind was forgotten than a moment in 1970.
  return /^\d{1,9}$/.test(text)
    ? Effect.fail(misuse(flag, `${text} may be a seq or a position`, `write seq:${text} or position:${text}`))
    : Effect.map(parseTimeText(flag, text), (at) => ({ at }))
}

/** A scope as people read it. */
export const scopeText = (scope: Scope): string =>
  "stream" in scope
    ? `stream ${JSON.stringify(scope.stream)}`
    : "streams" in scope
    ? `streams ${scope.streams.map((stream) => JSON.stringify(stream)).join(", ")}`
    : "prefix" in scope
    ? `streams ${JSON.stringify(scope.prefix)}…`
    : "all streams"

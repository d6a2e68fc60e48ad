/** The two ways out: data on stdout, waiting for whoever reads it, and talk on stderr. */
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import { exitCode } from "./exit-code.ts"
import { Failure, OutputClosed } from "./failure.ts"

/** Whether data is to be written as JSON: one object, or one a line. */
export const Json = GlobalFlag.Setting("json")({
  flag: Flag.Boolean("json").pipe(
    Flag.withDescription("Write data as JSON, one object or one a line; errors too, on stderr"),
    Flag.withDefault(false)
  )
})

/** Writes text to stdout; answers when it has been taken. `OutputClosed` where nobody reads any more. */
export const write = (text: string): Effect.Effect<void, Failure | OutputClosed> =>
  text === "" ? Effect.void : writeBytes(Buffer.from(text))

/** Writes bytes to stdout as they are. */
export const writeBytes = (bytes: Uint8Array): Effect.Effect<void, Failure | OutputClosed> =>
  Effect.callback((resume) => {
    process.stdout.write(bytes, (error) => resume(error ? Effect.fail(outputFailure(error)) : Effect.void))
  })

/** Writes lines of data to stdout, each with its newline, in one piece. */
export const writeLines = (lines: ReadonlyArray<string>): Effect.Effect<void, Failure | OutputClosed> =>
  write(lines.map((line) => `${line}\n`).join(""))

/** Writes a command's result: the object with `--json`, otherwise the lines for people. */
export const writeResult = (
  json: { readonly [name: string]: unknown },
  lines: ReadonlyArray<string>
): Effect.Effect<void, Failure | OutputClosed, GlobalFlag.Setting.Identifier<"json">> =>
  Effect.flatMap(Json, (asJson) => writeLines(asJson ? [JSON.stringify(json)] : lines))

/** Writes a line of talk to stderr. */
export const say = (line: string): Effect.Effect<void> => Effect.sync(() => sayNow(line))

/** The same for plain loops. */
export const sayNow = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

const outputFailure = (error: Error): Failure | OutputClosed => {
  const code = "code" in error ? String(error.code) : error.message
  if (code === "EPIPE" || code === "ERR_STREAM_DESTROYED") return new OutputClosed()
  return new Failure({
    exitCode: exitCode.failed,
    field: "stdout",
    reason: `it can't be written (${code})`,
    remedy: "free some space or write elsewhere, then run it again",
    cause: error
  })
}

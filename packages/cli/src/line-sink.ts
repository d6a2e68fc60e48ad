/** Where lines go that make up a file: to a file that appears whole or not at all, or to stdout, packed or not. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { createWriteStream, rmSync } from "node:fs"
import { rename } from "node:fs/promises"
import { pipeline, Writable } from "node:stream"
import { createGzip } from "node:zlib"
import { exitCode } from "./exit-code.ts"
import { Failure, OutputClosed } from "./failure.ts"

/** Takes lines. */
export interface LineSink {
  /** Writes lines, each with its newline; answers when they are taken. */
  readonly write: (lines: ReadonlyArray<string>) => Effect.Effect<void, Failure | OutputClosed>
  /** Ends it; only now a file gets its name. */
  readonly finish: Effect.Effect<void, Failure | OutputClosed>
}

/** Opens a file, or stdout for `-`; where the scope ends before `finish`, no file is left behind. */
export const openSink = (
  file: string,
  { packed }: { readonly packed: boolean }
): Effect.Effect<LineSink, never, Scope> =>
  Effect.gen(function*() {
    const toStdout = file === "-"
    const part = `${file}.${process.pid}.part`
    const failed = yield* Deferred.make<never, Failure | OutputClosed>()
    const fail = (error: Error) => Deferred.doneUnsafe(failed, Effect.fail(writeFailure(file, error)))
    const target = yield* Effect.acquireRelease(
      // `flush` makes sure that the content is on disk before the name is.
      Effect.sync(() => toStdout ? stdoutWritable() : createWriteStream(part, { flush: true })),
      (opened) =>
        Effect.sync(() => {
          opened.destroy()
          if (!toStdout) rmSync(part, { force: true })
        })
    )
    const ended = yield* Deferred.make<void>()
    const done = (error?: Error | null) => error ? fail(error) : Deferred.doneUnsafe(ended, Effect.void)
    const gzip = packed ? createGzip() : undefined
    if (gzip === undefined) target.on("error", fail).on("close", () => done())
    else pipeline(gzip, target, done)
    const head: Writable = gzip ?? target
    const settled = <A>(effect: Effect.Effect<A>) => Effect.raceFirst(effect, Deferred.await(failed))
    return {
      write: (lines) =>
        settled(Effect.callback<void>((resume) => {
          head.write(lines.map((line) => `${line}\n`).join(""), (error) => {
            if (!error) resume(Effect.void)
          })
        })),
      finish: Effect.gen(function*() {
        head.end()
        yield* settled(Deferred.await(ended))
        if (!toStdout) {
          yield* Effect.tryPromise({ try: () => rename(part, file), catch: (cause) => writeFailure(file, cause) })
        }
      })
    }
  })

/** Stdout as something that can be ended while stdout itself stays open. */
const stdoutWritable = (): Writable =>
  new Writable({
    write: (chunk: Uint8Array, _, done) => {
      process.stdout.write(chunk, done)
    }
  })

const writeFailure = (file: string, cause: unknown): Failure | OutputClosed => {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause)
  if (file === "-" && (code === "EPIPE" || code === "ERR_STREAM_DESTROYED")) return new OutputClosed()
  return new Failure({
    exitCode: exitCode.failed,
    field: "file",
    reason: `${file === "-" ? "stdout" : file} can't be written (${code})`,
    remedy: "name a file in a directory that may be written, with room for it",
    cause
  })
}

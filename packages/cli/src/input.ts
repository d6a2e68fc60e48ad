/** The bytes of an input, a file or stdin; what is packed with gzip can be unpacked on the way. */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { createReadStream, fstatSync, openSync } from "node:fs"
import { resolve } from "node:path"
import { pipeline, type Readable } from "node:stream"
import { createGunzip, type Gunzip } from "node:zlib"
import { exitCode } from "./exit-code.ts"
import { Failure, misuse } from "./failure.ts"

/** An input that is being read. */
export interface Input {
  /** As people know it: the file's name as given, or `stdin`. */
  readonly name: string
  /** The file's absolute path; `undefined` for stdin. */
  readonly path: string | undefined
  /** The file's size in bytes, packed as it is; `undefined` where it isn't known before the end. */
  readonly size: number | undefined
  /** How many bytes of the file went into what `next` has given, to be compared with its size. */
  readonly bytesRead: () => number
  /** The next bytes, unpacked where that was asked for; `undefined` at the end. `Failure` where they can't be read. */
  readonly next: Effect.Effect<Uint8Array | undefined, Failure>
}

const chunkBytes = 256 * 1024

// No line of JSON starts with it, and every gzip file does.
const gzipMagic = 0x1f

/** Opens a file, or stdin for `-`, for as long as the scope; `Failure` where there is nothing to read. */
export const openInput = (
  file: string,
  { unpacked: mayUnpack }: { readonly unpacked: boolean }
): Effect.Effect<Input, Failure, Scope> =>
  Effect.gen(function*() {
    const fromStdin = file === "-"
    const name = fromStdin ? "stdin" : file
    const opened = yield* fromStdin ? Effect.succeed({ fd: 0, size: undefined }) : openFile(file)
    const raw = yield* Effect.acquireRelease(
      Effect.sync((): Readable =>
        fromStdin ? process.stdin : createReadStream(file, { fd: opened.fd, highWaterMark: chunkBytes })
      ),
      (readable) => Effect.sync(() => readable.destroy())
    )
    let chunks: AsyncIterator<Uint8Array> | undefined
    let gunzip: Gunzip | undefined
    let given = 0
    const begin = Effect.map(mayUnpack ? startsPacked(raw, name) : Effect.succeed(false), (packed) => {
      gunzip = packed ? unpack(raw) : undefined
      return chunks = (gunzip ?? raw)[Symbol.asyncIterator]()
    })
    return {
      name,
      path: fromStdin ? undefined : resolve(file),
      size: opened.size,
      // The file itself is read further ahead.
      bytesRead: () => gunzip?.bytesWritten ?? given,
      next: Effect.suspend(() => chunks === undefined ? begin : Effect.succeed(chunks)).pipe(
        Effect.flatMap((from) =>
          Effect.tryPromise({ try: () => from.next(), catch: (cause) => unreadable(name, cause) })
        ),
        Effect.map(({ done, value }) => {
          if (done === true) return undefined
          given += value.length
          return value
        })
      )
    }
  })

const openFile = (file: string): Effect.Effect<{ readonly fd: number; readonly size: number | undefined }, Failure> =>
  Effect.try({
    try: () => {
      const fd = openSync(file, "r")
      const stat = fstatSync(fd)
      if (stat.isDirectory()) throw Object.assign(new Error("a directory"), { code: "EISDIR" })
      return { fd, size: stat.isFile() ? stat.size : undefined }
    },
    catch: (cause) =>
      misuse(
        "file",
        codeOf(cause) === "ENOENT"
          ? `there is no file ${file}`
          : codeOf(cause) === "EISDIR"
          ? `${file} is a directory`
          : `${file} can't be read (${codeOf(cause)})`,
        "name a file of events, or - for stdin",
        cause
      )
  })

/** Looks at the first byte and puts it back. */
const startsPacked = (raw: Readable, name: string): Effect.Effect<boolean, Failure> =>
  Effect.callback((resume) => {
    const look = () => {
      const chunk: Uint8Array | null = raw.read()
      if (chunk === null) return
      leave()
      raw.unshift(chunk)
      resume(Effect.succeed(chunk[0] === gzipMagic))
    }
    const ended = () => {
      leave()
      resume(Effect.succeed(false))
    }
    const failed = (cause: Error) => {
      leave()
      resume(Effect.fail(unreadable(name, cause)))
    }
    const leave = () => {
      raw.off("readable", look)
      raw.off("end", ended)
      raw.off("error", failed)
    }
    raw.on("readable", look)
    raw.on("end", ended)
    raw.on("error", failed)
    return Effect.sync(leave)
  })

// Errors of either side come out of the unpacked one.
const unpack = (raw: Readable): Gunzip => pipeline(raw, createGunzip({ chunkSize: chunkBytes }), () => undefined)

const unreadable = (name: string, cause: unknown): Failure => {
  const code = codeOf(cause)
  const reason = code === "Z_BUF_ERROR"
    ? `${name} ends in the middle of its gzip data`
    : code.startsWith("Z_")
    ? `${name} starts like gzip and is none, or is damaged`
    : `${name} can't be read (${code})`
  const remedy = "get the whole file again, then run it again"
  return new Failure({ exitCode: exitCode.failed, field: "file", reason, remedy, cause })
}

const codeOf = (cause: unknown): string =>
  cause instanceof Error && "code" in cause ? String(cause.code) : cause instanceof Error ? cause.message : "unknown"

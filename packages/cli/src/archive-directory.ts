/** An archive in a directory: a file of events for each step, on disk before it has its name, whole or not there. */
import type { Archive, Event } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { constants } from "node:fs"
import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises"
import { dirname, join, resolve } from "node:path"
import { eventJson } from "./event-line.ts"
import { exitCode } from "./exit-code.ts"
import { Failure } from "./failure.ts"

/** Opens an archive in a directory, which is made if it isn't there. */
export const openArchive = (directory: string): Effect.Effect<Archive<Failure>, Failure> => {
  const attempt = <A>(work: () => Promise<A>): Effect.Effect<A, Failure> =>
    Effect.tryPromise({ try: work, catch: (cause) => unwritable(directory, cause) })
  const archive: Archive<Failure> = {
    keep: (step, events) => {
      const unnamed = join(directory, part(step))
      return Effect.andThen(
        Effect.acquireUseRelease(
          attempt(() => open(unnamed, "w")),
          (file) =>
            Effect.andThen(
              Stream.runForEachArray(events, (page) => attempt(() => file.writeFile(linesOf(page)))),
              attempt(() => file.sync())
            ),
          (file) => attempt(() => file.close())
        ),
        attempt(async () => {
          await rename(unnamed, join(directory, `${step}.ndjson`))
          await syncDirectory(directory)
        })
      )
    },
    discard: (step) =>
      attempt(async () => {
        for (const name of [part(step), `${step}.ndjson`]) await rm(join(directory, name), { force: true })
        await syncDirectory(directory)
      })
  }
  return Effect.as(attempt(() => make(resolve(directory))), archive)
}

const part = (step: string): string => `.${step}.part`

/** Makes a directory, and those above it, whose names then survive a loss of power. */
const make = async (directory: string): Promise<void> => {
  const first = await mkdir(directory, { recursive: true })
  await readdir(directory)
  if (first === undefined) return
  for (let made = directory; made.length >= first.length; made = dirname(made)) await syncDirectory(dirname(made))
}

const syncDirectory = async (directory: string): Promise<void> => {
  // Where a directory can't be opened to be synced, its names are the file system's own business.
  if (process.platform === "win32") return
  const handle: FileHandle = await open(directory, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const linesOf = (events: ReadonlyArray<Event>): string =>
  events.map((event) => `${JSON.stringify(eventJson(event))}\n`).join("")

const unwritable = (directory: string, cause: unknown): Failure => {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause)
  return new Failure({
    exitCode: exitCode.failed,
    field: "--archive",
    reason: `${directory} can't be written (${code})`,
    remedy: "name a directory that may be written, with room for what is removed; what isn't archived is not removed",
    cause
  })
}

/** The durable stores that the crash proof is asked of, and where it puts them. */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { postgres, replicatedPostgres } from "./postgres.ts"
import type { Troubled } from "./trouble.ts"

/** One kind of durable store. */
export interface Target {
  readonly name: string
  /** How many processes may write to it at once. */
  readonly writers: number
  /** A new place for one store, cleared away with the scope. */
  readonly place: Effect.Effect<Place, unknown, Scope>
}

/** Where one store is. */
export interface Place {
  /** What a writer opens. */
  readonly url: string
  /** What a reader opens in another process. */
  readonly readUrl: string
  /** Where the store lies in files of its writer's, so that its system calls can be watched and its files copied. */
  readonly files?: Files
  /** What can befall the server that keeps the store, where there is one. */
  readonly troubled?: Troubled
}

/** A store in files. */
export interface Files {
  /** Holds the store and nothing else; absolute, without symbolic links. */
  readonly directory: string
  /** The URL of the same store in a copy of the directory. */
  readonly urlIn: (directory: string) => string
}

const directoryIn = (parent: string) =>
  Effect.acquireRelease(
    Effect.sync(() => realpathSync(mkdtempSync(join(parent, "persist-crash-")))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )

/** A directory of its own, removed with the scope. */
export const newDirectory = directoryIn(tmpdir())

/** The same for what is looked at once and thrown away: in memory where that can be had, which syncs nothing. */
export const briefDirectory = directoryIn(existsSync("/dev/shm") ? "/dev/shm" : tmpdir())

/** A kind of store in files. */
export interface TargetInFiles extends Target {
  readonly place: Effect.Effect<Place & { readonly files: Files }, unknown, Scope>
}

const inFiles = (name: string, writers: number, urlIn: (directory: string) => string): TargetInFiles => ({
  name,
  writers,
  place: Effect.map(newDirectory, (directory) => {
    const url = urlIn(directory)
    return { url, readUrl: `${url}${url.includes("?") ? "&" : "?"}readonly=true`, files: { directory, urlIn } }
  })
})

/** SQLite: one file, several writers. */
export const sqlite: TargetInFiles = inFiles("sqlite", 2, (directory) => `sqlite:${directory}/app.db`)

/** The file backend: a directory, one writer. */
export const file: TargetInFiles = inFiles("file", 1, (directory) => `file:${directory}/data`)

/** The same with segments of a few commits each, so that they are sealed, indexed and compacted all the time. */
export const fileInPieces: TargetInFiles = inFiles(
  "file-in-pieces",
  1,
  (directory) => `file:${directory}/data?segmentBytes=4096`
)

/** Whether a kind of store keeps its stores in files of the writer's own. */
export const isInFiles = (target: Target): target is TargetInFiles => inOwnFiles.has(target)

const inOwnFiles: ReadonlySet<Target> = new Set([sqlite, file, fileInPieces])

/** All of them. */
export const targets: ReadonlyArray<Target> = [sqlite, file, fileInPieces, postgres, replicatedPostgres]

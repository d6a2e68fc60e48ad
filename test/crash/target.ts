/** The durable stores that the crash proof is asked of, and where it puts them. */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

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
}

/** A store in files. */
export interface Files {
  /** Holds the store and nothing else; absolute, without symbolic links. */
  readonly directory: string
  /** The URL of the same store in a copy of the directory. */
  readonly urlIn: (directory: string) => string
}

/** A directory of its own, removed with the scope. */
export const newDirectory = Effect.acquireRelease(
  Effect.sync(() => realpathSync(mkdtempSync(join(tmpdir(), "persist-crash-")))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const inFiles = (name: string, writers: number, urlIn: (directory: string) => string): Target => ({
  name,
  writers,
  place: Effect.map(newDirectory, (directory) => ({
    url: urlIn(directory),
    readUrl: `${urlIn(directory)}?readonly=true`,
    files: { directory, urlIn }
  }))
})

/** SQLite: one file, several writers. */
export const sqlite: Target = inFiles("sqlite", 2, (directory) => `sqlite:${directory}/app.db`)

/** All of them. */
export const targets: ReadonlyArray<Target> = [sqlite]

/** Work on the files of a tree: only on what lies in it, and only on files and directories. */
import { type Invalid, isStoreError, type StoreError } from "@persist/core"
import * as Effect from "effect/Effect"
import { constants, type Dirent, type Stats } from "node:fs"
import { lstat, open, readdir } from "node:fs/promises"
import { join } from "node:path"
import { codeOf, fileFault, inTheWay, TakenOver } from "./file-fault.ts"

/** What work on files fails with; `TakenOver` only where they are written. */
export type FilesError = StoreError | TakenOver

/** Work on files, which is never left halfway. */
export const onFiles = <A>(work: () => Promise<A>): Effect.Effect<A, FilesError> =>
  Effect.uninterruptible(Effect.tryPromise({
    try: work,
    catch: (cause) => {
      if (cause instanceof TakenOver || isStoreError(cause)) return cause
      throw cause
    }
  }))

/** What a call on a path answers; what it throws is told as one of the store's errors. */
export const told = async <A>(path: string, call: () => Promise<A>): Promise<A> => {
  try {
    return await call()
  } catch (cause) {
    if (cause instanceof TakenOver) throw cause
    throw fileFault(path, cause)
  }
}

/** Answers nothing where a call failed since there is nothing; throws on all else. */
export const absent = (cause: unknown): undefined => {
  if (codeOf(cause) !== "ENOENT") throw cause
}

/** What is at a path, links not followed; `undefined` where there is nothing. */
export const statOf = (path: string) => lstat(path).catch(absent)

/** What a file holds; `undefined` where there is nothing, or what is there is no file. */
export const readRegular = async (path: string): Promise<Uint8Array | undefined> => {
  const found = await statOf(path)
  if (found?.isFile() !== true) return undefined
  // Windows lacks the flag, and the privilege to make links is rare there.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)).catch(absent)
  try {
    return handle && new Uint8Array(await handle.readFile())
  } finally {
    await handle?.close()
  }
}

/** What is in a directory of a tree. */
export interface Listed {
  /** As the tree calls it. */
  readonly name: string
  readonly entry: Dirent
}

// The old file system of macOS gives names back decomposed, and takes them either way.
const givenName = (name: string): string => process.platform === "darwin" ? name.normalize("NFC") : name

/** What is in a directory, in an order that stays, without names that begin with a dot: no file of a tree's does. */
export const entriesIn = async (root: string, path: string): Promise<ReadonlyArray<Listed>> => {
  const found = await told(path, () => statOf(join(root, path)))
  if (found === undefined) return []
  if (!found.isDirectory()) throw noDirectory(path, found)
  const entries = await told(path, () => readdir(join(root, path), { withFileTypes: true }))
  return entries.filter(({ name }) => !name.startsWith("."))
    .map((entry) => ({ name: givenName(entry.name), entry }))
    .sort((a, b) => a.name < b.name ? -1 : 1)
}

/** The refusal of what isn't a directory, where one of a tree's belongs. */
export const noDirectory = (path: string, found: Pick<Stats, "isFile" | "isSymbolicLink">): Invalid =>
  inTheWay(path, found.isSymbolicLink() ? link : found.isFile() ? "is a file" : "is neither file nor directory")

const link = "is a symbolic link, which may lead anywhere"

/**
 * Every file below a directory of a tree, in an order that stays. Throws `Invalid` for a link, and whatever else is
 * neither file nor directory.
 */
export async function* filesIn(root: string, path: string): AsyncGenerator<string> {
  for (const { entry, name } of await entriesIn(root, path)) {
    const each = `${path}/${name}`
    if (entry.isDirectory()) yield* filesIn(root, each)
    else if (entry.isFile()) yield each
    else throw noDirectory(each, entry)
  }
}

/** What a file of a tree holds. Throws `Invalid` where it's there no more. */
export const contentOf = async (root: string, path: string): Promise<Uint8Array> => {
  const content = await told(path, () => readRegular(join(root, path)))
  if (content === undefined) throw inTheWay(path, "is no file any more")
  return content
}

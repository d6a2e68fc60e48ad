/** Writing a tree: each file appears whole or not at all, nothing is written outside, and one process writes. */
import { randomUUID } from "node:crypto"
import { constants } from "node:fs"
import { type FileHandle, mkdir, open, readdir, readFile, realpath, rename, rm, rmdir, unlink } from "node:fs/promises"
import { join, posix } from "node:path"
import type { TreeFile } from "./entry-file.ts"
import { codeOf, inTheWay, TakenOver } from "./file-fault.ts"
import { absent, filesIn, noDirectory, readRegular, statOf, told } from "./file-read.ts"
import { deskDirectory, markerPath, streamsDirectory, valuesDirectory } from "./tree-path.ts"

// So many files are written at once: what the threads that wait for the disk can bear.
const atOnce = 8

/**
 * A tree to be written, by its real path. Symbolic links within it are never followed. Whoever takes it over
 * makes the next write of whoever had it throw {@link TakenOver}. All methods throw the store's errors.
 */
export class TreeFiles {
  readonly root: string
  /** What told this writer from others. */
  private readonly token = randomUUID()
  /** Directories that are known to be some, and no links. */
  private readonly known = new Set<string>([""])
  /** Directories whose names have changed since the last sync. */
  private readonly changed = new Set<string>()
  private count = 0
  /** How many values' and streams' files were written, and how many were removed. */
  written = 0
  removed = 0

  private constructor(root: string) {
    this.root = root
  }

  /** Opens the directory, and makes it where it isn't there. */
  static async open(directory: string): Promise<TreeFiles> {
    const root = await told(directory, async () => {
      await mkdir(directory, { recursive: true })
      return realpath(directory)
    })
    return new TreeFiles(root)
  }

  /** Takes the tree over from whoever writes it: only now may it be written. */
  async takeOver(): Promise<void> {
    await this.enter(deskDirectory, true)
    const desk = join(this.root, deskDirectory)
    await told(deskDirectory, async () => {
      await this.put(`${deskDirectory}/writer`, this.token, false)
      await this.put(`${deskDirectory}/.gitignore`, "*\n", false)
      // What a writer left that was killed.
      const left = (await readdir(desk)).filter((name) => name !== "writer" && name !== ".gitignore")
      for (const name of left) await rm(join(desk, name), { force: true, recursive: true })
    })
  }

  /** The content of the marker; `undefined` where there is none. `Invalid` where a tree without one is in the way. */
  async marker(): Promise<Uint8Array | undefined> {
    const marker = await this.read(markerPath)
    if (marker !== undefined) return marker
    for (const directory of [valuesDirectory, streamsDirectory]) {
      const found = await told(directory, () => statOf(join(this.root, directory)))
      if (found !== undefined) throw inTheWay(directory, `is there, without the ${markerPath} that makes it a tree's`)
    }
    return undefined
  }

  /** Makes the two directories of a tree's content, which git is told to keep byte for byte. */
  async lay(): Promise<void> {
    for (const directory of [valuesDirectory, streamsDirectory]) {
      await this.write({ path: `${directory}/.gitattributes`, content: "* -text\n" })
    }
  }

  /** Writes files, several at once. One that holds the same already is left untouched. */
  async writeAll(files: ReadonlyArray<TreeFile>): Promise<void> {
    let next = 0
    let failed: { readonly cause: unknown } | undefined
    const worker = async () => {
      while (failed === undefined) {
        const file = files[next++]
        if (file === undefined) return
        try {
          if (await this.write(file)) this.written++
        } catch (cause) {
          failed ??= { cause }
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(atOnce, files.length) }, worker))
    if (failed !== undefined) throw failed.cause
  }

  /** Writes a file; answers whether it held anything else before. */
  async write({ content, path }: TreeFile): Promise<boolean> {
    await this.enter(posix.dirname(path), true)
    if (same(await this.read(path), content)) return false
    await told(path, () => this.put(path, content, true))
    this.changed.add(posix.dirname(path))
    return true
  }

  /** Removes a file, where it is there, and the directories that are empty without it. */
  async remove(path: string): Promise<void> {
    const directory = posix.dirname(path)
    if (!(await this.enter(directory, false)) || await told(path, () => statOf(join(this.root, path))) === undefined) {
      return
    }
    await this.checkOwner()
    await told(path, () => unlink(join(this.root, path)).catch(absent))
    this.removed++
    await this.prune(directory)
  }

  /** Removes a directory with all that is in it. */
  async removeAll(path: string): Promise<void> {
    const directory = posix.dirname(path)
    if (!(await this.enter(directory, false))) return
    await this.checkOwner()
    await told(path, () => rm(join(this.root, path), { recursive: true, force: true }))
    for (const each of this.known) if (each === path || each.startsWith(`${path}/`)) this.known.delete(each)
    this.removed++
    this.changed.add(directory)
  }

  /** Removes every file of a tree's that isn't among these. */
  async keepOnly(kept: ReadonlySet<string>): Promise<void> {
    for (const directory of [valuesDirectory, streamsDirectory]) {
      for await (const path of filesIn(this.root, directory)) {
        if (/\.(json|ndjson|bin)$/.test(path) && !kept.has(path)) await this.remove(path)
      }
    }
  }

  /** Makes everything that was written and removed survive a loss of power. */
  async sync(): Promise<void> {
    for (const directory of this.changed) {
      await told(directory, async () => {
        const handle = await open(join(this.root, directory), constants.O_RDONLY).catch(absent)
        // Where a directory can't be opened to be synced, its names are the file system's own business.
        await handle?.sync().catch((cause) => (process.platform === "win32" ? undefined : Promise.reject(cause)))
        await handle?.close()
      })
    }
    this.changed.clear()
  }

  /** What a file holds; `undefined` where there is none, or what is there is no file. */
  read(path: string): Promise<Uint8Array | undefined> {
    return told(path, () => readRegular(join(this.root, path)))
  }

  private async put(path: string, content: string | Uint8Array, owned: boolean): Promise<void> {
    const part = join(this.root, deskDirectory, `${process.pid}-${this.token}-${this.count++}`)
    try {
      const handle = await open(part, "wx")
      await finished(handle, async () => {
        await handle.writeFile(content)
        await handle.datasync()
      })
      if (owned) await this.checkOwner()
      await rename(part, join(this.root, path))
    } catch (cause) {
      await unlink(part).catch(() => undefined)
      // Whoever takes a tree over clears its desk.
      if (owned && codeOf(cause) === "ENOENT") await this.checkOwner()
      throw cause
    }
  }

  /** Throws `TakenOver` where somebody else has taken the tree over. */
  async checkOwner(): Promise<void> {
    const token = await told(deskDirectory, () => readFile(join(this.root, deskDirectory, "writer"), "utf8"))
    if (token !== this.token) throw new TakenOver()
  }

  /** Makes sure that a directory is one; answers whether it's there. */
  private async enter(directory: string, make: boolean): Promise<boolean> {
    const path = directory === "." ? "" : directory
    if (this.known.has(path)) return true
    if (!(await this.enter(posix.dirname(path), make))) return false
    const full = join(this.root, path)
    const found = await told(path, () => statOf(full))
    if (found === undefined && !make) return false
    if (found === undefined) {
      await told(
        path,
        () => mkdir(full).catch((cause) => (codeOf(cause) === "EEXIST" ? undefined : Promise.reject(cause)))
      )
      this.changed.add(posix.dirname(path))
      return this.enter(directory, make)
    }
    if (!found.isDirectory()) throw noDirectory(path, found)
    this.known.add(path)
    return true
  }

  private async prune(from: string): Promise<void> {
    this.changed.add(from)
    for (let directory = from; posix.dirname(directory) !== "."; directory = posix.dirname(directory)) {
      const kept = await told(directory, () =>
        rmdir(join(this.root, directory)).then(
          () => false,
          (cause) => ["ENOTEMPTY", "EEXIST", "ENOENT"].includes(codeOf(cause)) ? true : Promise.reject(cause)
        ))
      if (kept) return
      this.known.delete(directory)
      this.changed.delete(directory)
      this.changed.add(posix.dirname(directory))
    }
  }
}

const finished = async (handle: FileHandle, use: () => Promise<void>): Promise<void> => {
  try {
    await use()
  } finally {
    await handle.close()
  }
}

const same = (found: Uint8Array | undefined, content: string | Uint8Array): boolean =>
  found !== undefined && Buffer.from(found).equals(typeof content === "string" ? Buffer.from(content) : content)

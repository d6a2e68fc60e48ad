/** The manifest: which files make up the store, in order. Whoever publishes the next number first has written it. */
import { Corrupt, Position, Unsupported } from "@persist/core"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { randomBytes, randomUUID } from "node:crypto"
import { join } from "node:path"
import { type Disk, readFile, writeFile } from "./disk.ts"
import { codeOf, Unsettled } from "./error.ts"
import { hashOf } from "./log/frame.ts"
import type { SealedSegment, SegmentName } from "./log/segment.ts"
import type { RunInfo } from "./tree/tree.ts"

/** The segment that is being written, as far as it was known to be durable when the manifest was published. */
export interface OpenTail extends SegmentName {
  readonly head: Position
  readonly bytes: number
  readonly chain: string
}

/**
 * How the store is being used: `closed` properly, `open` for writing, or `fenced`, which whoever takes it over from a
 * dead writer publishes first, so that nobody believes what that one may still write.
 */
export type Usage = "closed" | "open" | "fenced"

/** What a manifest says. */
export interface Manifest {
  readonly number: number
  /** Which store it is, as its file `store` says; its log begins with it. */
  readonly identity: string
  /** See `About.incarnation`: another one says that its history is to be taken for another. */
  readonly incarnation: string
  readonly usage: Usage
  /** In the order of their positions, without a gap. */
  readonly sealed: ReadonlyArray<SealedSegment>
  readonly open: OpenTail | undefined
  /** The index's runs, oldest first, and the position up to which they tell of everything. */
  readonly runs: ReadonlyArray<RunInfo>
  readonly through: Position
}

/** The first manifest of a store. */
export const emptyManifest = (identity: string): Manifest => ({
  number: 0,
  identity,
  incarnation: randomUUID(),
  usage: "closed",
  sealed: [],
  open: undefined,
  runs: [],
  through: Position(0)
})

/** The format of manifests. */
const currentFormat = 1

const Whole = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Stored = Schema.Struct({
  number: Whole,
  identity: Schema.String,
  incarnation: Schema.String,
  usage: Schema.Literals(["closed", "open", "fenced"]),
  sealed: Schema.Array(Schema.Tuple([Whole, Whole, Whole, Whole, Schema.String])),
  open: Schema.NullOr(Schema.Tuple([Whole, Whole, Whole, Whole, Schema.String])),
  runs: Schema.Array(Schema.Struct({ file: Schema.String, bytes: Whole, entries: Whole, sum: Whole })),
  through: Whole
})
const decode = Schema.decodeUnknownResult(Stored)

const textOf = ({ open, sealed, ...rest }: Manifest): string => {
  const stored: typeof Stored.Encoded = {
    ...rest,
    sealed: sealed.map(({ bytes, chain, first, generation, last }) => [first, last, generation, bytes, chain]),
    open: open === undefined ? null : [open.first, open.head, open.generation, open.bytes, open.chain]
  }
  const text = JSON.stringify({ kind: "persist manifest", format: currentFormat, ...stored })
  // Twice, so that damage to one copy leaves the other: nothing else says which files make up the store.
  return `${text}\n${hashOf(text).toString("hex")}\n`.repeat(2)
}

// Its copies, by their places: what is damaged may be the end of a line. The first stores have one.
const copiesOf = (bytes: Buffer): ReadonlyArray<string | undefined> => {
  const single = wholeOf(bytes)
  const half = bytes.length >> 1
  return single === undefined ? [wholeOf(bytes.subarray(0, half)), wholeOf(bytes.subarray(half))] : [single]
}

const wholeOf = (copy: Buffer): string | undefined => {
  const [json = "", sum, ...rest] = copy.toString().split("\n")
  return hashOf(json).toString("hex") === sum && rest.join() === "" ? json : undefined
}

/** Whether one of a manifest's copies isn't what was written; throws what the disk throws. */
export const isHalfDamaged = (disk: Disk, directory: string, number: number): boolean =>
  copiesOf(readFile(disk, join(directory, manifestFile(number)))).includes(undefined)

const manifestOf = (file: Buffer, number: number, path: string): Manifest => {
  const json = copiesOf(file).find((copy) => copy !== undefined)
  if (json === undefined) throw damaged(path, "its checksum doesn't match")
  const parsed: unknown = JSON.parse(json)
  const format = typeof parsed === "object" && parsed !== null && "format" in parsed ? parsed.format : undefined
  if (format !== currentFormat) {
    throw new Unsupported({
      backend: "file",
      ability: `format ${String(format)} of ${path}, where this version knows ${currentFormat},`,
      remedy: "open the store with the newer version that wrote it"
    })
  }
  const decoded = decode(parsed)
  if (Result.isFailure(decoded)) throw damaged(path, "it says what no manifest can say", decoded.failure)
  const { open, sealed, through, ...stored } = decoded.success
  if (stored.number !== number) throw damaged(path, `it says that its number is ${stored.number}`)
  return {
    ...stored,
    sealed: sealed.map(([first, last, generation, bytes, chain]) => ({
      first: Position(first),
      last: Position(last),
      generation,
      bytes,
      chain
    })),
    open: open === null ? undefined : tailOf(open),
    through: Position(through)
  }
}

const tailOf = (
  [first, head, generation, bytes, chain]: readonly [number, number, number, number, string]
): OpenTail => ({
  first: Position(first),
  head: Position(head),
  generation,
  bytes,
  chain
})

const damaged = (path: string, reason: string, cause?: unknown): Corrupt =>
  new Corrupt({
    where: `${path}, at byte 0`,
    reason,
    remedy: "restore the store from a backup",
    ...(cause === undefined ? {} : { cause })
  })

/** Name of the manifest of a number. */
export const manifestFile = (number: number): string => `manifest-${String(number).padStart(10, "0")}`

const namePattern = /^manifest-(\d{10,16})$/

/** The numbers of the manifests among the names of a directory, in rising order. */
export const manifestNumbers = (names: ReadonlyArray<string>): ReadonlyArray<number> =>
  names.flatMap((name) => {
    const digits = namePattern.exec(name)?.[1]
    return digits === undefined ? [] : [Number(digits)]
  }).sort((a, b) => a - b)

/**
 * The latest manifest of a store, `undefined` where there is none. Throws `Corrupt` for one that isn't what was
 * written, and `Unsupported` for one of a newer format.
 */
export const latestManifest = (disk: Disk, directory: string): Manifest | undefined => {
  for (let empty = 0; empty < mostEmpty;) {
    const number = manifestNumbers(disk.list(directory)).at(-1)
    if (number === undefined) {
      empty++
      continue
    }
    const path = join(directory, manifestFile(number))
    try {
      return manifestOf(readFile(disk, path), number, path)
    } catch (cause) {
      // A writer has gone on to the next one meanwhile.
      if (codeOf(cause) !== "ENOENT") throw cause
    }
  }
  return undefined
}

// A list that's made while one manifest comes and the one before goes may have neither.
const mostEmpty = 3

/** Removes all manifests but the latest: what writers left that were stopped between publishing one and this. */
export const removeOutdated = (disk: Disk, directory: string): void => {
  for (const number of manifestNumbers(disk.list(directory)).slice(0, -1)) {
    disk.remove(join(directory, manifestFile(number)))
  }
}

/** Whether a manifest newer than this number was published: two looks, in this order, miss none. */
export const isOutdated = (disk: Disk, directory: string, number: number): boolean =>
  disk.look(join(directory, manifestFile(number + 1))) !== undefined ||
  disk.look(join(directory, manifestFile(number))) === undefined

const overtaken = "another process had written to it"

/**
 * Publishes a manifest, which follows on the one numbered before it: durable when it returns, and that one is gone.
 * Throws what the disk throws where nothing was published, and `Unsettled` where it can't be told, or where another
 * process has published one of that number, whatever the lock says.
 */
export const publishManifest = (disk: Disk, directory: string, manifest: Manifest): void => {
  const path = join(directory, manifestFile(manifest.number))
  // Its own name for each attempt: two processes must never write the same file.
  const draft = `${path}.${randomBytes(6).toString("hex")}.tmp`
  try {
    writeFile(disk, draft, Buffer.from(textOf(manifest)))
    disk.link(draft, path)
  } catch (cause) {
    // What can't be removed is swept away when the store is opened again.
    Result.try(() => disk.remove(draft))
    if (codeOf(cause) === "EEXIST") throw new Unsettled(overtaken, cause)
    throw cause
  }
  // From here on it's published, unless others were further already, whose manifest of this number is gone again.
  try {
    disk.remove(draft)
    if (manifestNumbers(disk.list(directory)).at(-1) !== manifest.number) {
      disk.remove(path)
      throw new Unsettled(overtaken)
    }
    disk.syncDirectory(directory)
    disk.remove(join(directory, manifestFile(manifest.number - 1)))
  } catch (cause) {
    throw cause instanceof Unsettled ? cause : new Unsettled("a change of its directory that failed", cause)
  }
}

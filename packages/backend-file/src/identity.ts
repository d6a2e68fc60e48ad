/** The file `store`, which makes a directory a store and says which one; written once. */
import { Corrupt, Unsupported } from "@persist/core"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { randomBytes, randomUUID } from "node:crypto"
import { join } from "node:path"
import { type Disk, readFile, writeFile } from "./disk.ts"

/** The format of the directory: which files are in it, and what each is for. */
const currentFormat = 1
const kind = "persist store"
const file = "store"

const Stored = Schema.fromJsonString(Schema.Struct({
  kind: Schema.Literal(kind),
  format: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)),
  identity: Schema.NonEmptyString
}))
const decode = Schema.decodeUnknownResult(Stored)

/**
 * Which store is in a directory; `undefined` where there is none. Throws `Corrupt` where that can't be read,
 * `Unsupported` for a newer format, and what the disk throws.
 */
export const findIdentity = (disk: Disk, directory: string): string | undefined => {
  const path = join(directory, file)
  if (disk.look(path) === undefined) return undefined
  const decoded = decode(readFile(disk, path).toString())
  if (Result.isFailure(decoded)) {
    throw new Corrupt({
      where: `${path}, at byte 0`,
      reason: "it doesn't say which store this is",
      remedy: "restore the file from a backup, or as persist verify says",
      cause: decoded.failure
    })
  }
  const { format, identity } = decoded.success
  if (format > currentFormat) {
    throw new Unsupported({
      backend: "file",
      ability: `format ${format} of ${path}, where this version knows 1 to ${currentFormat},`,
      remedy: "open it with the newer version that wrote it"
    })
  }
  return identity
}

/** What the file of a store with this identity says. */
export const identityOf = (identity: string): typeof Stored.Type => ({ kind, format: currentFormat, identity })

/** The manifest and the identity of a directory tell of two different stores. */
export const otherStore = (directory: string): Corrupt =>
  new Corrupt({
    where: `${join(directory, file)}, at byte 0`,
    reason: "it says that this is another store than the manifest does",
    remedy: "restore the file from a backup, or as persist verify says"
  })

/** Makes a directory a store, and durably so; answers which one. */
export const createIdentity = (disk: Disk, directory: string): string => {
  const identity = randomUUID()
  const path = join(directory, file)
  const draft = `${path}.${randomBytes(6).toString("hex")}.tmp`
  const text = `${JSON.stringify(identityOf(identity), undefined, 2)}\n`
  writeFile(disk, draft, Buffer.from(text))
  disk.rename(draft, path)
  disk.syncDirectory(directory)
  return identity
}

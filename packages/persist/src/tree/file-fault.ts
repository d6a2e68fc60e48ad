/** What a file system says went wrong, as one of the store's errors: which path, why, and what to do. */
import { Denied, Invalid, isStoreError, type StoreError, Unavailable } from "@persist/core"
import * as Data from "effect/Data"

/** Somebody else has begun to write the same tree: what comes is theirs to write. */
export class TakenOver extends Data.TaggedError("TakenOver")<{}> {}

/** The code of a failed call, `ENOENT` and the like; empty for anything else. */
export const codeOf = (cause: unknown): string =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : ""

/** Why a path of a tree can't be read or written. What isn't of the file system is a defect, and thrown on. */
export const fileFault = (path: string, cause: unknown): StoreError => {
  if (isStoreError(cause)) return cause
  const code = codeOf(cause)
  if (code === "") throw cause
  const operation = "tree"
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
      return new Unavailable({
        operation,
        reason: `the disk takes no more at ${path} (${code})`,
        remedy: `free some space and ${again}`,
        cause
      })
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new Denied({
        operation,
        reason: `the file system refuses ${path} (${code})`,
        remedy: "allow it, or name another directory"
      })
    case "EEXIST":
    case "EISDIR":
    case "ENOTDIR":
    case "ENOTEMPTY":
    case "ELOOP":
      return inTheWay(path, "something else is there")
    case "ENAMETOOLONG":
      return new Invalid({
        field: path,
        reason: "is longer than the file system takes",
        remedy: "put the tree into a directory with a shorter path",
        cause
      })
    case "ENOENT":
      return new Invalid({ field: path, reason: "isn't there", remedy: "name a directory that is", cause })
    default:
      return new Unavailable({ operation, reason: `${path} failed with ${code}`, remedy: again, cause })
  }
}

const again = "run it again: it goes on from where it stopped"

/** The refusal to write through or over what isn't the tree's. */
export const inTheWay = (path: string, reason: string): Invalid =>
  new Invalid({ field: path, reason, remedy: "move it away, or name another directory" })

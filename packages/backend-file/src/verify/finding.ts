/** What verifying a store's directory finds. */
import { codeOf } from "../error.ts"

/** Something that isn't what was written. */
export interface Damage {
  readonly path: string
  /** In bytes. */
  readonly offset: number
  /** The first position that it's about; `undefined` where it's about none. */
  readonly position: number | undefined
  /** The last one; more than one where a whole segment can't be read. */
  readonly through: number | undefined
  readonly reason: string
}

/** What was looked at, and what is wrong with it. */
export class Findings {
  readonly damages: Array<Damage> = []
  /** Bytes behind the end of the log that are no whole frame: being written, or cut off when it's next opened. */
  unfinished = 0
  segments = 0
  /** Frames that are whole. */
  frames = 0
  /** Records that are what was written, also those in damaged frames. */
  records = 0
  runs = 0
  /** Entries of the index's runs. */
  entries = 0

  /** Notes a damage. */
  add(path: string, offset: number, reason: string, position?: number, through = position): void {
    this.damages.push({ path, offset, reason, position, through })
  }
}

/** What a damage is called where a file of the manifest isn't there. */
export const gone = "the file is gone"

/** What a damage is called where a file can't be read; throws what says nothing of the file. */
export const unreadable = (cause: unknown): string => {
  const code = codeOf(cause)
  if (code === "ENOENT") return gone
  if (code === undefined || !ofTheFile.has(code)) throw cause
  return `the file can't be read (${code})`
}

const ofTheFile = new Set(["EACCES", "EPERM", "EIO"])

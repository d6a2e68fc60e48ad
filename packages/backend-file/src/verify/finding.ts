/** What verifying a store's directory finds. */

/** Something that isn't what was written. */
export interface Damage {
  readonly path: string
  /** In bytes. */
  readonly offset: number
  /** The first position that it's about; `undefined` where it's about none. */
  readonly position: number | undefined
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
  add(path: string, offset: number, reason: string, position?: number): void {
    this.damages.push({ path, offset, reason, position })
  }
}

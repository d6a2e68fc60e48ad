/** The loops of one store that wait for what comes, so that closing it can end them. */

/** Keeps count of the loops that wait. */
export class Waiting {
  private readonly ends = new Set<() => unknown>()
  private readonly shared: boolean

  /** `shared`: whether somebody else may write to the store. Only then is waiting a reason for the process to stay. */
  constructor(shared: boolean) {
    this.shared = shared
  }

  /** Counts a loop in, until the answered function is called. */
  readonly enter = (end: () => unknown): () => void => {
    this.ends.add(end)
    return () => this.ends.delete(end)
  }

  /** Keeps the process alive, until the answered function is called. */
  readonly hold = (): () => void => {
    if (!this.shared) return () => undefined
    const timer = setInterval(() => undefined, longest)
    return () => clearInterval(timer)
  }

  /** Ends every loop as if it had been left. */
  readonly endAll = (): Promise<unknown> => Promise.all(Array.from(this.ends, (end) => end()))
}

// Timers count their milliseconds in 31 bits.
const longest = 2 ** 31 - 1

/** What the program's exit code says; scripts may rely on these numbers. */

/** Every exit code, by what it means. */
export const exitCode = {
  /** It was done. */
  ok: 0,
  /** It couldn't be done or finished, or what was checked doesn't hold. */
  failed: 1,
  /** The command line or the input is wrong: mend it, nothing of it was done. */
  usage: 2,
  /** Something else was there than what was expected: read what is there and decide again. */
  conflict: 3,
  /** The store can't answer now, or the outcome is unknown: try again, or ask what became of it. */
  unavailable: 4,
  /** The store refuses: policy forbids it, or this kind of store can't do it. */
  refused: 5,
  /** Ended by Ctrl-C. */
  interrupted: 130,
  /** Ended by SIGTERM. */
  terminated: 143
} as const

/** One of the exit codes. */
export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

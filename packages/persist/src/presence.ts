/** Why a process stays: as long as something of it waits for what others may write. */

/** Keeps the process alive until the answered function is called. */
export type Presence = () => () => void

// Timers count their milliseconds in 31 bits.
const longest = 2 ** 31 - 1

const waits: Presence = () => {
  const timer = setInterval(() => undefined, longest)
  return () => clearInterval(timer)
}

/** Where nobody else may write to the store, nothing can come once the process has nothing else to do: it may end. */
export const presenceOf = (shared: boolean): Presence => shared ? waits : () => () => undefined

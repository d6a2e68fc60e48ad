/** Text as it may be shown on a terminal. */

// Control characters, line and paragraph separators, and the marks that turn the direction of text around.
const unprintable = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** Writes whatever could move the cursor, start another line or reorder the text as an escape: `\u001b`. */
export const printable = (text: string): string =>
  text.replace(unprintable, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)

/** A count with separators for thousands: `38,945`. */
export const grouped = (count: number): string => Math.round(count).toLocaleString("en-US")

/** How many of something: `1 event`, `38,945 events`. */
export const counted = (count: number, noun: string): string => `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`

/** A size in the unit that suits it: `812 B`, `6.4 MiB`. */
export const sized = (bytes: number): string => {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"]
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  return power === 0 ? `${bytes} B` : `${(bytes / 1024 ** power).toFixed(1)} ${units[power]}`
}

/** A duration: `0.84 s`, `12 s`, `3 min 20 s`. */
export const lasting = (milliseconds: number): string => {
  const seconds = milliseconds / 1000
  if (seconds < 10) return `${seconds.toFixed(2)} s`
  if (seconds < 60) return `${Math.round(seconds)} s`
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)} min ${whole % 60} s`
}

/** Ids for commits that their callers didn't name. */
import * as Hex from "effect/encoding/Hex"

// Asking for 10 random bytes takes as long as asking for a thousand, which was a tenth of a commit in memory.
const each = 10
const pool = new Uint8Array(100 * each)
let used = pool.length

const randomBytes = (): Uint8Array => {
  if (used === pool.length) {
    crypto.getRandomValues(pool)
    used = 0
  }
  return pool.subarray(used, used += each)
}

/**
 * A UUID of version 7: unique, and in the order of time but within one millisecond. So the index by which a backend
 * finds ids grows at its end; random ones write to all of its pages, which doubles what recording one costs.
 */
export const newCommitId = (now: number): string => {
  const random = Hex.encode(randomBytes())
  const time = Math.max(0, Math.floor(now)).toString(16).padStart(12, "0")
  // The version's digit, and the variant's: two bits that are set so.
  const variant = (8 + Number.parseInt(random.charAt(3), 16) % 4).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${
    random.slice(7, 19)
  }`
}

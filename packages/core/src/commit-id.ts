/** Ids for commits that their callers didn't name. */
import * as Hex from "effect/encoding/Hex"

/**
 * A UUID of version 7: unique, and in the order of time but within one millisecond. So the index by which a backend
 * finds ids grows at its end; random ones write to all of its pages, which doubles what recording one costs.
 */
export const newCommitId = (now: number): string => {
  const random = Hex.encode(crypto.getRandomValues(new Uint8Array(10)))
  const time = Math.max(0, Math.floor(now)).toString(16).padStart(12, "0")
  // The version's digit, and the variant's: two bits that are set so.
  const variant = (8 + Number.parseInt(random.charAt(3), 16) % 4).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${
    random.slice(7, 19)
  }`
}

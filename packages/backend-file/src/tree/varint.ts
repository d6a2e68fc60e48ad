/** Whole numbers in few bytes: seven bits a byte, the lowest first, and the high bit says that more come. */

/** How many bytes a safe integer from 0 takes: 1 to 8. */
export const varintLength = (value: number): number => {
  if (value < 0x80) return 1
  let length = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++
  return length
}

/** Writes a safe integer from 0; answers where the next byte goes. */
export const putVarint = (bytes: Uint8Array, at: number, value: number): number => {
  if (value < 0x80) {
    bytes[at] = value
    return at + 1
  }
  let rest = value
  let next = at
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[next++] = (rest % 0x80) + 0x80
  bytes[next] = rest
  return next + 1
}

/** Reads the number that begins at an offset. */
export const varintAt = (bytes: Uint8Array, at: number): number => {
  let byte = bytes[at] ?? 0
  if (byte < 0x80) return byte
  let value = 0
  let weight = 1
  let next = at
  for (; byte >= 0x80; weight *= 0x80) {
    value += (byte - 0x80) * weight
    byte = bytes[++next] ?? 0
  }
  return value + byte * weight
}

/** Where the number that begins at an offset ends. */
export const varintEnd = (bytes: Uint8Array, at: number): number => {
  let next = at
  while ((bytes[next] ?? 0) >= 0x80) next++
  return next + 1
}

/** Arrays in PostgreSQL's binary form, as `pg` takes them: as text each value would be quoted, escaped and parsed. */

/** Types by their oids, which PostgreSQL never changes. */
const [int8, text] = [20, 25]

/** Dimensions, whether there are nulls, the type; of the one dimension its length and where it begins. */
const headerBytes = 20

const headed = (type: number, length: number, bytes: number): Buffer => {
  const buffer = Buffer.allocUnsafe(headerBytes + 4 * length + bytes)
  for (const [n, value] of [1, 0, type, length, 1].entries()) buffer.writeInt32BE(value, 4 * n)
  return buffer
}

/** A `bigint[]` of numbers from 0 on. */
export const int8s = (numbers: ReadonlyArray<number>): Buffer => {
  const buffer = headed(int8, numbers.length, 8 * numbers.length)
  let at = headerBytes
  for (const number of numbers) {
    at = buffer.writeInt32BE(8, at)
    at = buffer.writeUInt32BE(Math.floor(number / 2 ** 32), at)
    at = buffer.writeUInt32BE(number % 2 ** 32, at)
  }
  return buffer
}

/** A `text[]`. */
export const texts = (values: ReadonlyArray<string>): Buffer => {
  const buffer = headed(text, values.length, values.reduce((sum, value) => sum + Buffer.byteLength(value), 0))
  let at = headerBytes
  for (const value of values) {
    const length = buffer.write(value, at + 4)
    at = buffer.writeInt32BE(length, at) + length
  }
  return buffer
}

/**
 * Arrays in PostgreSQL's binary form, as parameters. Written as text they would be quoted, escaped and parsed again:
 * a batch of 64 events of 200 bytes takes 0.35 ms less in this form.
 */
import { toStored } from "./text.ts"

// Types by their oids, which PostgreSQL never changes.
const oids = { bool: 16, bytea: 17, int8: 20, int4: 23, text: 25 } as const

// Number of dimensions, whether there are nulls, the type of the elements; of the one dimension its length and start.
const headerBytes = 20

const headed = (oid: number, length: number, bytes: number): Buffer => {
  if (length === 0) return empties[oid] ??= emptyOf(oid)
  const buffer = Buffer.allocUnsafe(headerBytes + bytes)
  buffer.writeInt32BE(1, 0)
  buffer.writeInt32BE(1, 4)
  buffer.writeInt32BE(oid, 8)
  buffer.writeInt32BE(length, 12)
  buffer.writeInt32BE(1, 16)
  return buffer
}

const emptyBytes = 12

const emptyOf = (oid: number): Buffer => {
  const buffer = Buffer.alloc(emptyBytes)
  buffer.writeInt32BE(oid, 8)
  return buffer
}

const empties: Record<number, Buffer> = {}

/** The array, or null where it's empty: PostgreSQL takes half a microsecond to take in each array that isn't null. */
export const unlessEmpty = (array: Buffer): Buffer | null => array.byteLength === emptyBytes ? null : array

/** An `int[]` of whole numbers within 32 bits. */
export const int4s = (numbers: ReadonlyArray<number>): Buffer => {
  const buffer = headed(oids.int4, numbers.length, 8 * numbers.length)
  let at = headerBytes
  for (const number of numbers) {
    buffer.writeInt32BE(4, at)
    buffer.writeInt32BE(number, at + 4)
    at += 8
  }
  return buffer
}

/** A `bigint[]` of safe integers. */
export const int8s = (numbers: ReadonlyArray<number>): Buffer => {
  const buffer = headed(oids.int8, numbers.length, 12 * numbers.length)
  let at = headerBytes
  for (const number of numbers) {
    buffer.writeInt32BE(8, at)
    buffer.writeInt32BE(Math.floor(number / 2 ** 32), at + 4)
    buffer.writeUInt32BE(number % 2 ** 32 + (number < 0 && number % 2 ** 32 !== 0 ? 2 ** 32 : 0), at + 8)
    at += 12
  }
  return buffer
}

/** A `boolean[]`. */
export const bools = (values: ReadonlyArray<boolean>): Buffer => {
  const buffer = headed(oids.bool, values.length, 5 * values.length)
  values.forEach((value, n) => {
    buffer.writeInt32BE(1, headerBytes + 5 * n)
    buffer.writeUInt8(Number(value), headerBytes + 5 * n + 4)
  })
  return buffer
}

/** A `text[]`, in which `undefined` is null; an array of nothing but nulls is written as an empty one. */
export const texts = (values: ReadonlyArray<string | undefined>): Buffer => {
  const stored: Array<string | undefined> = []
  let bytes = 0
  let present = false
  for (const value of values) {
    bytes += 4
    if (value === undefined) {
      stored.push(undefined)
      continue
    }
    const text = toStored(value)
    present = true
    bytes += Buffer.byteLength(text)
    stored.push(text)
  }
  if (!present) return headed(oids.text, 0, 0)
  const buffer = headed(oids.text, values.length, bytes)
  let at = headerBytes
  for (const text of stored) {
    const written = text === undefined ? -1 : buffer.write(text, at + 4)
    buffer.writeInt32BE(written, at)
    at += 4 + Math.max(0, written)
  }
  return buffer
}

/** A `bytea[]`, in which `undefined` is null; an array of nothing but nulls is written as an empty one. */
export const byteArrays = (values: ReadonlyArray<Uint8Array | undefined>): Buffer => {
  if (!values.some((value) => value !== undefined)) return headed(oids.bytea, 0, 0)
  const buffer = headed(oids.bytea, values.length, values.reduce((sum, value) => sum + 4 + (value?.byteLength ?? 0), 0))
  let at = headerBytes
  for (const value of values) {
    buffer.writeInt32BE(value === undefined ? -1 : value.byteLength, at)
    if (value !== undefined) buffer.set(value, at + 4)
    at += 4 + (value?.byteLength ?? 0)
  }
  return buffer
}

/** The numbers of an array that PostgreSQL answered as text, such as `{1,2}`. */
export const numbersOf = (text: string): Array<number> => text === "{}" ? [] : text.slice(1, -1).split(",").map(Number)

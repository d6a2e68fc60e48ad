/**
 * A file by hand: records one after another, each with its length and checksum, encoded into one buffer; one write and
 * one flush for each group; where they lie is in memory. Zeros are written ahead, so that few flushes make the file
 * longer. What a kv puts is a record as well, its values in a map.
 */
import { closeSync, existsSync, fdatasyncSync, ftruncateSync, openSync, readSync, statSync, writeSync } from "node:fs"
import { join } from "node:path"
import { crc32 } from "node:zlib"
import { checkCount, fold, nothing, type Order, orderOf, placed } from "../payload.ts"
import { contending } from "./contend.ts"
import { grouped } from "./group.ts"
import { byHand, byPromise, checkFound, type LogSide, type OpenSide } from "./side.ts"
import { wholeSide } from "./whole.ts"

interface Append {
  readonly stream: string
  readonly texts: ReadonlyArray<string>
  /** The last seq it takes the stream to have, or none. */
  readonly expected?: number
}

const headBytes = 32

/** Room for the largest group: 64 appenders, each with a batch of 100. */
const room = 1 << 22

/** What is reserved at once, for groups that are shorter: whoever writes this much needn't write it twice. */
const ahead = Buffer.alloc(128 * 1024)

/** What is read at once. */
const window = 256 * 1024

/** Hands over the whole records of a file from one place on, until `use` says that it's enough. */
const walk = (fd: number, buffer: Buffer, from: number, use: (record: Buffer, at: number) => boolean): void => {
  for (let offset = from;;) {
    const count = readSync(fd, buffer, 0, buffer.length, offset)
    let at = 0
    while (at + headBytes <= count) {
      const length = buffer.readUInt32LE(at)
      if (length < headBytes || at + length > count) break
      if (!use(buffer.subarray(at, at + length), offset + at)) return
      at += length
    }
    if (at === 0) return
    offset += at
  }
}

/** Finds where each record of a stream lies, up to where a writer was killed. */
const scan = (fd: number) => {
  const places = new Map<string, Array<number>>()
  let [end, head] = [0, 0]
  walk(fd, Buffer.alloc(window), 0, (record, at) => {
    if (!isWhole(record)) return false
    const stream = record.toString("utf8", headBytes, record.indexOf(0, headBytes))
    const own = places.get(stream) ?? []
    if (own.length === 0) places.set(stream, own)
    own.push(at)
    end = at + record.length
    head++
    return true
  })
  return { places, end, head }
}

const openLog = (path: string) => {
  const fd = openSync(path, existsSync(path) ? "r+" : "w+")
  // Where each record of a stream begins.
  const found = scan(fd)
  const { places } = found
  let { end, head } = found
  // What is left of a group that was torn must not come to lie behind a record again.
  ftruncateSync(fd, end)
  let reserved = end
  const write = (bytes: Buffer, at: number): void => {
    if (writeSync(fd, bytes, 0, bytes.length, at) !== bytes.length) throw new Error("the disk is full")
  }
  const buffer = Buffer.alloc(room)
  const encode = (stream: string, seq: number, at: number, text: string, start: number): number => {
    let next = buffer.writeDoubleLE(++head, start + 8)
    next = buffer.writeDoubleLE(seq, next)
    next = buffer.writeDoubleLE(at, next)
    const names = buffer.write(`${stream}\0${placed}\0`, next)
    next += names
    next += buffer.write(text, next)
    buffer.writeUInt32LE(next - start, start)
    buffer.writeUInt32LE(crc32(buffer.subarray(start + 8, next)), start + 4)
    return next
  }
  const flush = (appends: ReadonlyArray<Append>): ReadonlyArray<boolean> => {
    let length = 0
    const at = Date.now()
    const answers = appends.map(({ expected, stream, texts }) => {
      const own = places.get(stream) ?? []
      if (expected !== undefined && expected !== own.length) return false
      if (own.length === 0) places.set(stream, own)
      for (const text of texts) {
        own.push(end + length)
        length = encode(stream, own.length, at, text, length)
      }
      return true
    })
    write(buffer.subarray(0, length), end)
    end += length
    if (end > reserved) {
      reserved = end
      if (length < ahead.length) {
        write(ahead, end)
        reserved += ahead.length
      }
    }
    fdatasyncSync(fd)
    return answers
  }
  const close = () => {
    ftruncateSync(fd, end)
    closeSync(fd)
  }
  return { fd, places, append: grouped(flush), head: () => head, close }
}

const isWhole = (record: Buffer): boolean => crc32(record.subarray(8)) === record.readUInt32LE(4)

const checked = (record: Buffer): Buffer => {
  if (!isWhole(record)) throw new Error("damaged")
  return record
}

/** The payload of a record: what follows the second name. */
const textIn = (record: Buffer): string =>
  record.toString("utf8", record.indexOf(0, record.indexOf(0, headBytes) + 1) + 1)

const readsOf = ({ fd, places }: ReturnType<typeof openLog>): Pick<LogSide, "fold" | "readAll"> => {
  const buffer = Buffer.alloc(window)
  return {
    fold: byPromise(async ({ events, stream }) => {
      const state = nothing()
      const own = places.get(stream) ?? []
      // Neighbours are read at once, as far as the buffer goes.
      for (let i = 0; i < own.length;) {
        const before = i
        walk(fd, buffer, own[i] ?? 0, (record, at) => {
          if (at === own[i]) {
            i++
            fold(state, JSON.parse(textIn(checked(record))))
          }
          return i < own.length && (own[i] ?? 0) - at < 4096
        })
        if (i === before) throw new Error("a record isn't where it was written")
      }
      checkCount(state.events, events)
    }),
    readAll: async (events) => {
      const state = nothing()
      walk(fd, buffer, 0, (record) => {
        fold(state, JSON.parse(textIn(checked(record))))
        return true
      })
      checkCount(state.events, events)
    }
  }
}

/** Opens a file by hand. */
export const openRawFile: OpenSide = async (place) => {
  const path = join(place.directory, "raw.log")
  const log = openLog(path)
  const values = new Map<string, string>()
  const put = async (key: string, value: Order) => {
    const text = JSON.stringify(value)
    await log.append({ stream: key, texts: [text] })
    values.set(key, text)
  }
  return {
    ...readsOf(log),
    append: byPromise(({ orders, stream }) =>
      log.append({ stream, texts: orders.map((order) => JSON.stringify(order)) })
    ),
    contend: contending((stream) => () => {
      const expected = log.places.get(stream)?.length ?? 0
      return log.append({ stream, texts: [JSON.stringify(orderOf(expected))], expected })
    }),
    get: byPromise(async (key) => JSON.parse(values.get(key) ?? "null"), checkFound),
    put: byPromise(({ key, value }) => put(key, value)),
    bytes: async () => statSync(path).size,
    head: async () => log.head(),
    ...wholeSide({
      store: "file",
      name: byHand.file,
      place,
      open: openRawFile,
      opener: ["file", place],
      close: async () => log.close()
    })
  }
}

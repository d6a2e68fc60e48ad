/** A reader of stores written from `docs/format.md` alone: what it finds is what that page says. */
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { crc32 } from "node:zlib"

/** What a store's log tells. */
export interface Told {
  readonly events: ReadonlyArray<{ readonly position: number; readonly stream: string; readonly seq: number }>
  readonly data: ReadonlyArray<string | Uint8Array>
  /** The values of the keys that are there, by namespace and key. */
  readonly keys: ReadonlyMap<string, string | Uint8Array>
  readonly ids: ReadonlyArray<string>
  readonly head: number
}

const sha = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex")

const demand = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(what)
}

interface Item {
  readonly bytes: Buffer
  readonly kind: number
  readonly flags: number
  readonly short: number
  readonly position: number
}

const itemAt = (file: Buffer, at: number): Item => {
  const bytes = file.subarray(at, at + file.readUInt32LE(at))
  demand(crc32(bytes.subarray(8)) === bytes.readUInt32LE(4), `the checksum of the item at ${at}`)
  const position = Number(bytes.readBigUInt64LE(12))
  return { bytes, kind: bytes.readUInt8(8), flags: bytes.readUInt8(9), short: bytes.readUInt16LE(10), position }
}

type Listed = readonly [first: number, last: number, generation: number, bytes: number, chain: string]

interface Manifest {
  readonly identity: string
  readonly sealed: ReadonlyArray<Listed>
  readonly open: Listed | null
}

const manifestOf = (directory: string): Manifest => {
  const name = readdirSync(directory).filter((file) => file.startsWith("manifest-")).toSorted().at(-1) ?? ""
  const [json = "", sum] = readFileSync(join(directory, name), "utf8").split("\n")
  demand(sha(json) === sum, "the hash of the manifest")
  return JSON.parse(json)
}

const fileOf = ([first, , generation]: Listed): string => `${String(first).padStart(14, "0")}-${generation}.log`

class Reading {
  readonly events: Array<Told["events"][number]> = []
  readonly data = new Map<number, string | Uint8Array>()
  readonly keys = new Map<string, string | Uint8Array>()
  readonly firsts = new Map<string, number>()
  readonly ids: Array<string> = []

  record({ bytes, flags, kind, position, short }: Item): void {
    const text = (at: number, length: number) => bytes.toString("utf8", at, at + length)
    const payload = (at: number, length: number) =>
      (flags & 1) === 0 ? text(at, length) : new Uint8Array(bytes.subarray(at, at + length))
    if (kind === 1) {
      const [type, id, length] = [bytes.readUInt16LE(36), bytes.readUInt16LE(38), bytes.readUInt32LE(40)]
      this.events.push({ position, stream: text(44, short), seq: Number(bytes.readBigUInt64LE(20)) })
      this.data.set(position, payload(44 + short + type + id, length))
    } else if (kind === 2) {
      const [key, length] = [bytes.readUInt16LE(28), bytes.readUInt32LE(32)]
      this.keys.set(`${text(36, short)}/${text(36 + short, key)}`, payload(36 + short + key, length))
    } else if (kind === 3) this.keys.delete(`${text(30, short)}/${text(30 + short, bytes.readUInt16LE(28))}`)
    else if (kind === 4) this.firsts.set(text(36, short), Number(bytes.readBigUInt64LE(20)))
    else if (kind === 6) this.ids.push(text(22, short))
    else demand(kind === 5, `a record of kind ${kind}`)
  }

  /** Goes through the frames of a segment up to a byte; answers the last position and the hash of the last one. */
  frames(file: Buffer, until: number, before: string, head: number): readonly [head: number, chain: string] {
    let [at, chain, last] = [16 + file.readUInt32LE(16), before, head]
    while (at < until) {
      const begin = itemAt(file, at)
      demand(begin.kind === 16 && begin.position === last + 1, `the frame at ${at}`)
      demand(begin.bytes.toString("hex", 28) === chain, `what the frame at ${at} follows on`)
      const end = at + begin.bytes.readUInt32LE(20)
      last += begin.bytes.readUInt32LE(24)
      let next = at + begin.bytes.length
      let item = itemAt(file, next)
      for (; item.kind !== 17; item = itemAt(file, next)) {
        this.record(item)
        next += item.bytes.length
      }
      chain = sha(file.subarray(at, next))
      demand(item.bytes.toString("hex", 12) === chain && next + item.bytes.length === end, `the end of the frame ${at}`)
      at = end
    }
    return [last, chain]
  }
}

/** Reads a store that nobody writes. */
export const readStore = (directory: string): Told => {
  const { identity } = JSON.parse(readFileSync(join(directory, "store"), "utf8"))
  const manifest = manifestOf(directory)
  demand(manifest.identity === identity, "the identity")
  const reading = new Reading()
  let [head, chain] = [0, sha(identity)]
  for (const listed of [...manifest.sealed, ...manifest.open === null ? [] : [manifest.open]]) {
    const file = readFileSync(join(directory, "log", fileOf(listed)))
    demand(file.toString("latin1", 0, 16) === "persist segment\n", "the beginning of a segment")
    const header = itemAt(file, 16)
    demand(header.kind === 32 && header.short === 1 && header.position === listed[0], "the header of a segment")
    demand(header.bytes.toString("hex", 24) === chain, "what a segment follows on")
    const footer = listed === manifest.open ? undefined : itemAt(file, file.length - 64)
    const until = footer === undefined ? listed[3] : footer.bytes.readUInt32LE(28)
    const [last] = reading.frames(file, until, chain, head)
    demand(last === listed[1], "the last position of a segment")
    ;[head, chain] = [last, listed[4]]
    if (footer !== undefined) demand(footer.kind === 34 && footer.bytes.toString("hex", 32) === chain, "a footer")
  }
  const events = reading.events.filter(({ seq, stream }) => seq >= (reading.firsts.get(stream) ?? 1))
  const data = events.map(({ position }) => reading.data.get(position) ?? "")
  return { events, data, keys: reading.keys, ids: reading.ids, head }
}

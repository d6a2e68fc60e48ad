/** How the events of one type are written and read: by the versions of their schema, or raw. */
import * as Result from "effect/Result"
import type { StoredEvent } from "./backend.ts"
import { encodeRaw, jsonCodec } from "./codec.ts"
import { Corrupt } from "./error.ts"
import type { Invalid } from "./error.ts"
import type { Event, EventInput } from "./event.ts"
import type { Json } from "./json.ts"
import { decodeMeta, decodeRawMeta, encodeMeta, encodeRawMeta } from "./meta.ts"
import { quoted } from "./path.ts"
import type { Payload } from "./payload.ts"
import { versionedCodec } from "./upcast.ts"
import type { Versions } from "./upcast.ts"

/** An event ready for a commit: its data as a payload, its meta as JSON text. */
export interface EncodedEvent {
  readonly type: string
  readonly data: Payload
  readonly meta: string | undefined
}

/** One way to write and read events. */
export interface Kind {
  readonly encode: (field: string, input: EventInput) => Result.Result<EncodedEvent, Invalid>
  readonly decode: (event: StoredEvent) => Result.Result<Event | undefined, Corrupt>
}

/** Events of one type whose data has had these versions; new ones are written in the last. */
export const versionedKind = (versions: Versions): Kind => {
  const codec = versionedCodec(versions)
  return {
    encode: (field, { data, meta, type }) => {
      const written = codec.encode(`${field}.data`, data)
      if (Result.isFailure(written)) return Result.fail(written.failure)
      return withMeta(type, written.success, encodeMeta(field, meta, codec.version))
    },
    decode: (event) => {
      const stored = decodeMeta("meta", event.meta)
      if (Result.isFailure(stored)) return Result.fail(located(event, stored.failure))
      const { meta, version } = stored.success
      const data = codec.decode("data", version, event.data)
      if (Result.isFailure(data)) return Result.fail(located(event, data.failure))
      return Result.succeed(eventOf(event, data.success, meta))
    }
  }
}

/** Events without a schema: JSON or bytes as stored, and meta with our own keys, so that copies lose nothing. */
export const rawKind = {
  encode: (field: string, { data, meta, type }: EventInput): Result.Result<EncodedEvent, Invalid> => {
    const written = encodeRaw(`${field}.data`, data)
    if (Result.isFailure(written)) return Result.fail(written.failure)
    return withMeta(type, written.success, encodeRawMeta(field, meta))
  },
  decode: (event: StoredEvent): Result.Result<Event<string, Json | Uint8Array>, Corrupt> => {
    const data = jsonCodec.decode("data", event.data)
    if (Result.isFailure(data)) return Result.fail(located(event, data.failure))
    const meta = decodeRawMeta("meta", event.meta)
    if (Result.isFailure(meta)) return Result.fail(located(event, meta.failure))
    return Result.succeed(eventOf(event, data.success, meta.success))
  }
}

const withMeta = (
  type: string,
  data: Payload,
  meta: Result.Result<string | undefined, Invalid>
): Result.Result<EncodedEvent, Invalid> =>
  Result.isFailure(meta) ? Result.fail(meta.failure) : Result.succeed({ type, data, meta: meta.success })

// What begins as a copy is made young. Where a collection comes while the first pages are read, V8 takes events for
// long-lived, and makes later ones old at once if a literal alone makes them: then none is collected with the young,
// nor what it holds, which is a fifth of the time that reading takes (plan 0024).
const blank = { stream: "", seq: 0, position: 0, type: "", at: 0, data: undefined, meta: undefined, id: undefined }

const eventOf = <Data>(
  { at, id, position, seq, stream, type }: StoredEvent,
  data: Data,
  meta: Event["meta"]
): Event<string, Data> => ({ ...blank, stream, seq, position, type, at, data, meta, id })

/** The same fault, saying of which event it is. */
export const located = (event: StoredEvent, { cause, reason, remedy, where }: Corrupt): Corrupt =>
  new Corrupt({
    where: `event ${event.seq} of stream ${quoted(event.stream)}, type ${quoted(event.type)}: ${where}`,
    reason,
    remedy,
    ...(cause === undefined ? {} : { cause })
  })

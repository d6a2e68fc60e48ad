/** The text that stands for an event's data or a key's entry, holding all that the six functions have no place for. */
import type { Corrupt, NewEvent, Payload, Put, StoredEntry, StoredEvent } from "@persist/core"
import { Position, Seq } from "@persist/core"
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type SixEvent, wrongAnswer } from "./six-functions.ts"

const payloadFields = {
  text: Schema.optionalKey(Schema.String),
  bytes: Schema.optionalKey(Schema.String),
  meta: Schema.optionalKey(Schema.String)
}

const EventForm = Schema.fromJsonString(
  Schema.Struct({ position: Schema.Natural, ...payloadFields, id: Schema.optionalKey(Schema.String) })
)
/** Without text and bytes it's a key that was deleted. */
const EntryForm = Schema.fromJsonString(
  Schema.Struct({ revision: Schema.Natural, at: Schema.Int, ...payloadFields })
)
const StateForm = Schema.fromJsonString(
  Schema.Struct({ incarnation: Schema.NonEmptyString, reserved: Schema.Natural, opened: Schema.Natural })
)

/** What a store keeps of itself: who it is, up to where positions are given out, and how often it was opened. */
export type State = typeof StateForm.Type

const readEventForm = Schema.decodeUnknownResult(EventForm)
const readEntryForm = Schema.decodeUnknownResult(EntryForm)
const readStateForm = Schema.decodeUnknownResult(StateForm)

const formOfPayload = (payload: Payload): { readonly text: string } | { readonly bytes: string } =>
  typeof payload === "string" ? { text: payload } : { bytes: Base64.encode(payload) }

const payloadOf = (
  { bytes, text }: { readonly text?: string; readonly bytes?: string }
): Payload | undefined => bytes === undefined ? text : Result.getOrUndefined(Base64.decode(bytes))

/** Writes an event for `append`; `stream` is the name that the functions are given. */
export const eventForm = (
  stream: string,
  seq: Seq,
  position: Position,
  { at, data, id, meta, type }: NewEvent
): SixEvent => ({
  stream,
  seq,
  type,
  at,
  // Fields that are undefined are left out of the text.
  data: JSON.stringify({ position, ...formOfPayload(data), meta, id })
})

/** Reads what `read` answered of a stream; `Corrupt` unless it is a list of whole events with the seqs 1, 2, 3… */
export const readEvents = (
  stream: string,
  answer: unknown
): Result.Result<ReadonlyArray<SixEvent>, Corrupt> => {
  if (answer === undefined || answer === null) return Result.succeed([])
  const where = `read of stream ${JSON.stringify(stream)}`
  if (!Array.isArray(answer)) return Result.fail(wrongAnswer(where, "it answered no list"))
  const wrong = answer.findIndex((event: unknown, i) => !isSixEvent(event) || event.seq !== i + 1)
  if (wrong === -1) return Result.succeed(answer)
  return Result.fail(wrongAnswer(where, `in place ${wrong + 1} there is no whole event with the seq ${wrong + 1}`))
}

const isSixEvent = (event: unknown): event is SixEvent =>
  typeof event === "object" && event !== null && "seq" in event && "type" in event && typeof event.type === "string"
  && "at" in event && Number.isSafeInteger(event.at) && "data" in event && typeof event.data === "string"

/** The event as core meets it, under the name it was appended to. */
export const storedEvent = (stream: string, { at, data, seq, type }: SixEvent): Result.Result<StoredEvent, Corrupt> => {
  const form = readEventForm(data)
  const payload = Result.isSuccess(form) ? payloadOf(form.success) : undefined
  if (Result.isFailure(form) || payload === undefined) {
    return Result.fail(
      wrongAnswer(`event ${seq} of stream ${JSON.stringify(stream)}`, "its data isn't what was written")
    )
  }
  const { id, meta, position } = form.success
  return Result.succeed({
    stream,
    seq: Seq(seq),
    position: Position(position),
    type,
    at,
    data: payload,
    meta,
    id
  })
}

/** Writes an entry for `kvPut`. */
export const entryForm = ({ meta, value }: Pick<Put, "value" | "meta">, revision: Position, at: number): string =>
  JSON.stringify({ revision, at, ...formOfPayload(value), meta })

/** Writes what takes the place of an entry that is deleted. */
export const tombstoneForm = (revision: Position, at: number): string => JSON.stringify({ revision, at })

/** Reads what `kvGet` answered; `undefined` where there is no such key, or no longer. */
export const storedEntry = (
  namespace: string,
  key: string,
  answer: unknown
): Result.Result<StoredEntry | undefined, Corrupt> => {
  if (answer === undefined || answer === null) return Result.succeed(undefined)
  const form = readEntryForm(answer)
  if (Result.isFailure(form)) {
    return Result.fail(notWritten(`key ${JSON.stringify(key)} of ${JSON.stringify(namespace)}`))
  }
  const { at, bytes, meta, revision, text } = form.success
  if (text === undefined && bytes === undefined) return Result.succeed(undefined)
  const value = payloadOf(form.success)
  if (value === undefined) return Result.fail(notWritten(`key ${JSON.stringify(key)} of ${JSON.stringify(namespace)}`))
  return Result.succeed({ _tag: "Entry", namespace, key, value, meta, revision: Position(revision), at })
}

/** Writes what a store keeps of itself. */
export const stateForm = (state: State): string => JSON.stringify(state)

/** Reads what a store keeps of itself; `undefined` in a new one. */
export const readState = (answer: unknown): Result.Result<State | undefined, Corrupt> => {
  if (answer === undefined || answer === null) return Result.succeed(undefined)
  const form = readStateForm(answer)
  return Result.isSuccess(form) ? Result.succeed(form.success) : Result.fail(notWritten("the store's own key"))
}

const notWritten = (where: string): Corrupt => wrongAnswer(where, "its value isn't what was written")

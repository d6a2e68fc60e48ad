/** Operations on what is stored, as it is stored, which any store takes: for those who copy from one to another. */
import type { NewEvent } from "./commit.ts"
import { type Op, opOf } from "./draft.ts"
import { noEventFault } from "./fault.ts"
import type { ExpectedKey } from "./kv.ts"
import type { Expected } from "./log.ts"
import { isReserved, reservedFault } from "./name.ts"
import type { Payload } from "./payload.ts"

/** A key's value as it is stored: JSON text or bytes, and the metadata's JSON text. */
export interface RawEntry {
  readonly namespace: string
  readonly key: string
  readonly value: Payload
  readonly meta: string | undefined
}

/** An event as it is stored; without an `at` it takes the commit's. */
export type RawEvent = Omit<NewEvent, "at"> & { readonly at: number | undefined }

/** Puts a value as it was read from another store. That text is JSON is the caller's to make sure. */
export const putRaw = (entry: RawEntry, { expected }: { readonly expected: ExpectedKey }): Op =>
  opOf(
    undefined,
    (draft) => isReserved(entry.namespace) ? reservedFault("namespace", entry.namespace) : draft.put(entry, expected)
  )

/** Appends events as they were read from another store. That text is JSON is the caller's to make sure. */
export const appendRaw = (
  stream: string,
  events: ReadonlyArray<RawEvent>,
  { expected }: { readonly expected: Expected }
): Op =>
  opOf(undefined, (draft) => {
    let fault = draft.append(stream, expected, events.length)
    for (let i = 0; i < events.length && fault === undefined; i++) {
      const event = events[i]
      fault = event === undefined ? noEventFault(`events[${i}]`) : draft.event(event, event.at, event.id)
    }
    return fault
  })

/** Mutants that keep what is the caller's, or give away what is theirs. */
import type { NewEvent, Payload, StoredEntry, StoredEvent } from "@persist/core"
import { copyPayload } from "@persist/core"
import * as Effect from "effect/Effect"
import { committed, entries, events, got } from "../altered.ts"
import { placeMutant } from "../mutant.ts"

/** Broken in whose objects they are. */
export const aliasing = [
  placeMutant("the caller's bytes", "keeps the bytes of an event that the caller still has", () => {
    const given = new Map<string, Payload>()
    return (backend) => ({
      ...committed(backend, (outcome, { append }) => {
        append.forEach(({ events: all, stream }, n) =>
          all.forEach(({ data }, i) => given.set(`${(outcome.appended[n]?.first ?? 0) + i} ${stream}`, data))
        )
        return outcome
      }),
      ...events(backend, (event) => ({
        ...event,
        data: copyPayload(given.get(`${event.seq} ${event.stream}`) ?? event.data)
      }))
    })
  }, [
    "what a caller does to an event's bytes after the commit doesn't reach the store",
    "bytes of a class of the caller's are copied, and come back as plain ones"
  ]),

  placeMutant("the caller's value", "keeps the bytes of a value that the caller still has", () => {
    const given = new Map<string, Payload>()
    return (backend) => ({
      ...committed(backend, (outcome, { write }) => {
        write.forEach((op, n) => op._tag === "Put" && given.set(`${outcome.revisions[n]} ${op.namespace}`, op.value))
        return outcome
      }),
      ...got(
        backend,
        (entry) =>
          entry && { ...entry, value: copyPayload(given.get(`${entry.revision} ${entry.namespace}`) ?? entry.value) }
      )
    })
  }, [
    "what a caller does to a value's bytes after the commit doesn't reach the store",
    "bytes of a class of the caller's are copied, and come back as plain ones"
  ]),

  placeMutant("slices for copies", "copies bytes by their own slice, which may share them", () => {
    const given = new Map<string, Payload>()
    return (backend) => ({
      ...committed(backend, (outcome, { append }) => {
        append.forEach(({ events: [{ data }], stream }, n) =>
          given.set(`${outcome.appended[n]?.first ?? 0} ${stream}`, data.slice())
        )
        return outcome
      }),
      ...events(backend, (event) => ({
        ...event,
        data: copyPayload(given.get(`${event.seq} ${event.stream}`) ?? event.data)
      }))
    })
  }, [
    "bytes of a class of the caller's are copied, and come back as plain ones"
  ]),

  placeMutant("its own events", "gives the event that it keeps, not a copy", () => {
    const kept = new Map<number, StoredEvent>()
    return (backend) =>
      events(backend, (event) => {
        const own = kept.get(event.position) ?? event
        kept.set(event.position, own)
        return own
      })
  }, [
    "what a caller does to an event it read doesn't reach the store"
  ]),

  placeMutant("its own entries", "gives the entry that it keeps, not a copy", () => {
    const kept = new Map<number, StoredEntry>()
    return (backend) =>
      entries(backend, (entry) => {
        const own = kept.get(entry.revision) ?? entry
        kept.set(entry.revision, own)
        return own
      })
  }, [
    "what a caller does to an entry it read doesn't reach the store"
  ]),

  placeMutant("the caller's list", "keeps the list of events that the caller still has", () => {
    const given = new Map<string, ReadonlyArray<NewEvent>>()
    return (backend) => ({
      ...committed(backend, (outcome, { append }) => {
        append.forEach(({ events: all, stream }, n) => {
          if (all.length > 1) given.set(`${outcome.appended[n]?.first ?? 0} ${stream}`, all)
        })
        return outcome
      }),
      readStream: (range) =>
        Effect.map(backend.readStream(range), (found) => {
          const own = given.get(`${found[0]?.seq ?? 0} ${range.stream}`)
          return own === undefined ? found : found.map((event, n) => ({ ...event, type: own[n]?.type ?? "gone" }))
        })
    })
  }, [
    "what a caller does to its list of events after the commit doesn't reach the store"
  ])
]

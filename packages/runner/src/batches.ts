/** The events of one partition as they are handled together: by the page at the end of the log, more of them before. */
import type { Event, Position, StoreError, StoreShape } from "@persist/core"
import { type EventSource, pagesFrom } from "@persist/core/event-pages"
import { pageSize } from "@persist/core/pages"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type Keyed, keyed, type KeysOf } from "./parked.ts"
import { undecodableAfter } from "./undecodable.ts"

/** Some events of a partition, in order. */
export interface Batch {
  readonly own: ReadonlyArray<Keyed>
  /** None of the partition's is left at or below. */
  readonly through: Position
}

// After a page with so many events there is probably more.
const busyPage = pageSize / 2

// Of so many pages at most events are gathered: until they're saved nobody sees that anything goes on, and a crash
// costs all of it.
const mostGathered = 32

/**
 * Emits the events of a partition after a position, then those that come; it ends only with the store. One of many
 * partitions finds few of its own in a page: where more is known to be there, they are gathered, so that they take one
 * commit. An event that can't be decoded comes alone, with its fault, and what follows it goes on. Fails as every read,
 * after what was gathered until then.
 */
export const batches = (
  store: StoreShape,
  source: EventSource<Event>,
  from: Position,
  keysOf: KeysOf
): Stream.Stream<Batch, StoreError> =>
  Stream.unwrap(Effect.map(store.head, (head) => {
    let known = head
    let gathered: Array<Keyed> = []
    let reached = from
    let pages = 0
    const taken = (): Batch => {
      const own = gathered
      gathered = []
      pages = 0
      return { own, through: reached }
    }
    return pagesFrom(store, source, from).pipe(
      Stream.mapEffect(({ items, through }) => {
        for (const event of items) gathered.push(...keyed(event, keysOf))
        reached = through
        pages++
        const isMore = gathered.length < pageSize && pages < mostGathered && through < known
        const batch = isMore ? undefined : taken()
        return batch === undefined || items.length < busyPage
          ? Effect.succeed(batch)
          : Effect.map(store.head, (now) => {
            known = now
            return batch
          })
      }),
      Stream.filter((batch) => batch !== undefined),
      Stream.catch((error) => {
        const rest = Stream.suspend(() => beyond(store, source, reached, keysOf, error))
        return gathered.length === 0 ? rest : Stream.concat(Stream.sync(taken), rest)
      })
    )
  }))

// What follows a failure to read, where it was that of one event.
const beyond = (
  store: StoreShape,
  source: EventSource<Event>,
  after: Position,
  keysOf: KeysOf,
  error: StoreError
): Stream.Stream<Batch, StoreError> =>
  error._tag !== "Corrupt"
    ? Stream.fail(error)
    : Stream.unwrap(Effect.map(undecodableAfter(store, source, after), (found) => {
      if (found === undefined) return Stream.fail(error)
      const { event, fault } = found
      const own = keyed(event, keysOf).map((each) => ({ ...each, fault, isFinal: true }))
      return Stream.concat(
        Stream.succeed({ own, through: event.position }),
        batches(store, source, event.position, keysOf)
      )
    }))

/** One pass of the log for all who are at the same place: what one of them reads, the others are given. */
import type {
  AllRange,
  BackendError,
  Event,
  Page,
  Position,
  ReaderFilter,
  StoredEvent,
  StoreShape
} from "@persist/core"
import type { EventSource } from "@persist/core/event-pages"
import { pageSize } from "@persist/core/pages"
import * as Effect from "effect/Effect"
import { mostPages, RecentPages } from "./recent-pages.ts"

/** Where somebody last read, and what. */
interface Place {
  readonly after: Position
  readonly filter: ReaderFilter
}

// Others who are not further behind than this will want what is read now before it is forgotten.
const nearby = mostPages * pageSize

// How often whoever is ahead lets the others have their turn before it reads on.
const mostTurns = 32

// What several pages of larger payloads would keep from other use.
const mostBytes = 1024 * 1024

/** What the partitions of one process read, together where they can. */
export class Feed {
  private readonly store: StoreShape
  private readonly places = new Map<string, Place>()
  private bytes = 0
  private readonly isSmall = () => this.bytes <= mostBytes
  private readonly stored = new RecentPages<StoredEvent>(this.isSmall)
  private readonly decodedPages: Array<RecentPages<Event>> = []

  constructor(store: StoreShape) {
    this.store = store
  }

  /** Pages of a processor's events, to be decoded once for all of its partitions. */
  decoded(): RecentPages<Event> {
    const pages = new RecentPages<Event>(this.isSmall)
    this.decodedPages.push(pages)
    return pages
  }

  /** Lets go of what was read too long ago to be given to anybody. */
  readonly expire: Effect.Effect<void> = Effect.suspend(() =>
    Effect.forEach([this.stored, ...this.decodedPages], (pages) => pages.expire, { discard: true })
  )

  /** The store as a reader sees it that goes through the log: its pages come from those that were read of late. */
  storeFor(reader: string): StoreShape {
    const { engine } = this.store
    const { backend } = engine
    const readAll: typeof backend.readAll = (range) =>
      // A look at single events, or backwards, is none of a pass.
      range.reverse || range.limit < pageSize ? backend.readAll(range) : this.read(reader, range)
    return { ...this.store, engine: { ...engine, backend: { ...backend, readAll } } }
  }

  /** The source of one of a processor's partitions, whose pages are decoded once for all of them. */
  sourceFor(reader: string, pages: RecentPages<Event>, source: EventSource<Event>): EventSource<Event> {
    const { filter } = source
    return {
      ...source,
      read: (after, to) =>
        Effect.andThen(
          this.comes(reader, { after, filter }),
          Effect.map(pages.read({ after, filter }, source.read(after, to)), (page) => ({
            items: page.items.filter(({ position }) => position <= to),
            through: page.through < to ? page.through : to
          }))
        )
    }
  }

  /** It reads no more. */
  leave(reader: string): void {
    this.places.delete(reader)
  }

  /**
   * Tells where a reader is, and lets those that are close behind come up, for a few turns, so that what is read next
   * is still there for them.
   */
  comes(reader: string, place: Place): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.places.set(reader, place)
      const isAhead = () => this.near(reader, place.after).some((other) => other.after < place.after - pageSize)
      let turns = 0
      const wait: Effect.Effect<void> = Effect.suspend(() =>
        turns++ < mostTurns && isAhead() ? Effect.andThen(Effect.yieldNow, wait) : Effect.void
      )
      return wait
    })
  }

  private readonly read = (reader: string, range: AllRange): Effect.Effect<Page<StoredEvent>, BackendError> => {
    const { after, prefix, to, types } = range
    const own = { prefix, types }
    return Effect.flatMap(this.comes(reader, { after, filter: own }), () => {
      const others = this.near(reader, after)
      if (others.length === 0) return this.fromBackend(range)
      const filter = others.reduce<ReaderFilter>((all, each) => union(all, each.filter), own)
      const shared = this.stored.read({ after, filter }, this.fromBackend({ ...range, ...filter, limit: pageSize }))
      return Effect.map(shared, (page) => selected(page, own, to))
    })
  }

  private fromBackend(range: AllRange): Effect.Effect<Page<StoredEvent>, BackendError> {
    const read = Effect.suspend(() => this.store.engine.backend.readAll(range))
    return Effect.tap(read, ({ items }) =>
      Effect.sync(() => {
        this.bytes = items.reduce((sum, { data }) => sum + data.length, 0)
      }))
  }

  private near(reader: string, after: Position): ReadonlyArray<Place> {
    return Array.from(this.places).flatMap(([other, place]) =>
      other !== reader && place.after <= after && place.after >= after - nearby ? [place] : []
    )
  }
}

const union = (a: ReaderFilter, b: ReaderFilter): ReaderFilter => ({
  prefix: commonPrefix(a.prefix, b.prefix),
  types: a.types === undefined || b.types === undefined ? undefined : Array.from(new Set([...a.types, ...b.types]))
})

const commonPrefix = (a: string, b: string): string => {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  const common = a.slice(0, length)
  // Half of a surrogate pair would be no text any more, and a backend that keeps UTF-8 would find nothing by it.
  return common.isWellFormed() ? common : common.slice(0, -1)
}

const selected = (
  { items, through }: Page<StoredEvent>,
  { prefix, types }: ReaderFilter,
  to: Position
): Page<StoredEvent> => {
  const own = items.filter(({ position, stream, type }) =>
    position <= to && stream.startsWith(prefix) && (types === undefined || types.includes(type))
  )
  return { items: own, through: through < to ? through : to }
}

/** Pages that were read of late, so that several who go through the same events read each page once. */
import type { Page, Position, ReaderFilter } from "@persist/core"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

/** Whoever is this many pages behind reads for itself. */
export const mostPages = 16

// What was deleted meanwhile mustn't be told for longer than a read could take anyway.
const keptFor = 1_000_000_000n

/** Some of the events after a position, in order. */
interface Recent<E> extends Page<E> {
  readonly after: Position
  readonly filter: ReaderFilter
  /** By the monotonic clock, in nanoseconds. */
  readonly since: bigint
}

/** What is asked for: everything after a position that a filter lets through. */
export interface Asked {
  readonly after: Position
  readonly filter: ReaderFilter
}

/** The last pages that were read. */
export class RecentPages<E extends { readonly position: Position }> {
  private pages: ReadonlyArray<Recent<E>> = []
  private readonly isKept: () => boolean
  private readonly reading = new Map<Position, Deferred.Deferred<Recent<E> | undefined>>()

  /** `isKept` is asked about each page that was just read. */
  constructor(isKept: () => boolean) {
    this.isKept = isKept
  }

  /**
   * The page after a position, of those that were read of late where one holds it, otherwise by `read`, once for all
   * who ask for the same meanwhile. It may hold more than its asker's filter lets through.
   */
  readonly read = <X>(asked: Asked, read: Effect.Effect<Page<E>, X>): Effect.Effect<Page<E>, X> =>
    // Who ends between saying that it reads and reading would let the others wait for ever.
    Effect.uninterruptibleMask((restore) =>
      Clock.clockWith((clock) => {
        const now = clock.monotonicTimeNanosUnsafe()
        const found = this.pages.find((page) => holds(page, asked) && now - page.since < keptFor)
        if (found !== undefined) return Effect.succeed(behind(found, asked.after))
        const other = this.reading.get(asked.after)
        if (other === undefined) return this.readOnce(asked, restore(read), now)
        // What the other one has found at the end may be older than the wake-up that this one has had.
        return restore(Effect.flatMap(
          Deferred.await(other),
          (page) => page !== undefined && holds(page, asked) ? Effect.succeed(behind(page, asked.after)) : read
        ))
      })
    )

  /** Lets go of pages that nobody is given any more, also where nobody reads: they may hold much. */
  readonly expire: Effect.Effect<void> = Clock.clockWith((clock) =>
    Effect.sync(() => {
      const now = clock.monotonicTimeNanosUnsafe()
      if (this.pages.length > 0) this.pages = this.pages.filter(({ since }) => now - since < keptFor)
    })
  )

  /** How many pages are held. */
  get count(): number {
    return this.pages.length
  }

  private readOnce<X>(
    { after, filter }: Asked,
    read: Effect.Effect<Page<E>, X>,
    since: bigint
  ): Effect.Effect<Page<E>, X> {
    const others = Deferred.makeUnsafe<Recent<E> | undefined>()
    this.reading.set(after, others)
    return Effect.onExit(read, (exit) =>
      Effect.suspend(() => {
        this.reading.delete(after)
        const page = exit._tag === "Success" ? { ...exit.value, after, filter, since } : undefined
        if (page !== undefined && page.through > after && this.isKept()) {
          this.pages = [page, ...this.pages].slice(0, mostPages)
        }
        return Deferred.succeed(others, page)
      }))
  }
}

const holds = (page: Recent<unknown>, { after, filter }: Asked): boolean =>
  page.after <= after && after < page.through && covers(page.filter, filter)

const covers = (wide: ReaderFilter, narrow: ReaderFilter): boolean =>
  narrow.prefix.startsWith(wide.prefix) &&
  (wide.types === undefined || (narrow.types?.every((type) => wide.types?.includes(type)) ?? false))

const behind = <E extends { readonly position: Position }>({ items, through }: Page<E>, after: Position): Page<E> => ({
  items: items.filter(({ position }) => position > after),
  through
})

/** A projection into the application's own tables: what a page of events does to them, and how far that is, at once. */
import type { Catalogue, Checkpoint, EventFilter, EventOf, Fenced, Page, StartFrom, StoreShape } from "@persist/core"
import {
  Invalid,
  isStoreError,
  moveCheckpoint,
  readCheckpoint,
  registerReader,
  type StoreError,
  subscribePages
} from "@persist/core"
import { requiredFault } from "@persist/core/fault"
import { idleStretch, wakeUpsEnded } from "@persist/core/progress"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { ClientBase } from "pg"
import { stateOf } from "./error.ts"
import { type Clients, inTransaction } from "./transaction.ts"

/** Which events go into the tables, and where the tables are. */
export interface TablesOptions<C extends Catalogue> extends EventFilter<C> {
  /** What it's known by: its checkpoint's name, so one of its own. Names starting with `$` are the store's. */
  readonly name: string
  /** The events it's made of; `anyEvents` for all, undecoded. */
  readonly events: C
  /** Where it begins the very first time, `"start"` by default; afterwards it goes on from its checkpoint. */
  readonly from?: StartFrom | undefined
  /** Clients of the database that holds both the store and the tables: a `Pool` of the driver's. */
  readonly pool: Clients
  /** The schema that holds the store. Default `persist`. */
  readonly schema?: string | undefined
}

/** What a projection into tables does with a page of events, which has at least one. */
export interface TablesHandler<C extends Catalogue, E, R> {
  /** Writes by the client, whose transaction is open, and leaves its end to whoever called. */
  readonly handle: (client: ClientBase, events: ReadonlyArray<EventOf<C>>) => Effect.Effect<unknown, E, R>
}

/**
 * Keeps tables of the application's own: hands over page after page of events, first what's there, then what comes,
 * each in a transaction that ends with the checkpoint's move. So each event takes effect exactly once, whatever ends
 * the run and however many run under this name: it goes on from its checkpoint, and of two that do so together one is
 * `Fenced`, and stops. A page whose transaction lost its connection or its locks is handed over again.
 *
 * An interruption waits for the page in hand. Fails with the handler's errors, the page having left nothing behind;
 * `Invalid` for wrong options, and for clients of another database; `Corrupt` where the checkpoint belongs to another
 * history of the store (reset the reader, and empty the tables) or an event can't be decoded; and as every read and
 * commit.
 */
export const runTables = <C extends Catalogue, E, R>(
  store: StoreShape,
  options: TablesOptions<C> & TablesHandler<C, E, R>
): Effect.Effect<Fenced, StoreError | E, R> =>
  Effect.suspend(() => {
    const fault = optionsFault(options)
    if (fault !== undefined) return Effect.fail(fault)
    const { batch, events, from, name, prefix } = options
    // Types that the catalogue skips are none of its business, whatever becomes of them.
    const types = options.types ?? (events.unknown === "skip" ? events.types : undefined)
    return Effect.flatMap(registerReader(store, name, { from, prefix, types }), (checkpoint) => {
      const keeper = new Keeper(store, options, checkpoint)
      const pages = subscribePages(store, {
        events,
        prefix,
        types: options.types,
        batch,
        from: { position: checkpoint.position }
      })
      return pages.pipe(
        Stream.mapEffect((page) => keeper.take(page)),
        Stream.filter((fenced) => fenced !== undefined),
        Stream.runHead,
        Effect.flatMap(Option.match({ onNone: () => wakeUpsEnded(store), onSome: Effect.succeed }))
      )
    })
  })

const known = ["name", "events", "from", "prefix", "types", "batch", "pool", "schema", "handle"]

const optionsFault = (options: TablesOptions<Catalogue> & { readonly handle: unknown }): StoreError | undefined => {
  const fault = requiredFault(options, known, "name")
  if (fault !== undefined) return fault
  if (typeof options.handle !== "function") {
    return new Invalid({ field: "handle", reason: "is no function", remedy: "pass what to do with a page of events" })
  }
  return typeof options.pool?.connect === "function" ? undefined : new Invalid({
    field: "pool",
    reason: "gives no clients",
    remedy: "pass a Pool of pg that leads to the store's database"
  })
}

// How often a page is handed over again before its failure is told.
const attempts = 5

class Keeper<C extends Catalogue, E, R> {
  private readonly store: StoreShape
  private readonly options: TablesOptions<C> & TablesHandler<C, E, R>
  private checkpoint: Checkpoint

  constructor(store: StoreShape, options: TablesOptions<C> & TablesHandler<C, E, R>, checkpoint: Checkpoint) {
    this.store = store
    this.options = options
    this.checkpoint = checkpoint
  }

  /** Lets a page take effect; answers `Fenced` where somebody else has gone on from the same checkpoint. */
  take({ items, through }: Page<EventOf<C>>): Effect.Effect<Fenced | undefined, StoreError | E, R> {
    if (items.length > 0) return Effect.uninterruptible(this.try({ items, through }, 0, false))
    return through - this.checkpoint.position < idleStretch
      ? Effect.undefined
      : Effect.map(moveCheckpoint(this.store, this.checkpoint, through), (moved) => this.settle(moved))
  }

  // `doubtful`: a transaction for this page may have happened, or may yet.
  private try(
    page: Page<EventOf<C>>,
    attempt: number,
    doubtful: boolean
  ): Effect.Effect<Fenced | undefined, StoreError | E, R> {
    const { handle, pool, schema } = this.options
    const done = inTransaction(this.store, { pool, schema }, {
      work: (client) => handle(client, page.items),
      move: (inner) => moveCheckpoint(inner, this.checkpoint, page.through)
    })
    return done.pipe(
      Effect.flatMap((moved) =>
        "_tag" in moved && doubtful ? this.look(page, attempt) : Effect.succeed(this.settle(moved))
      ),
      Effect.catchIf(
        (error): error is StoreError | E => attempt + 1 < attempts && mayPass(error),
        (error) => {
          const unknown = isStoreError(error) && error._tag === "OutcomeUnknown"
          const next = unknown ? this.look(page, attempt) : this.try(page, attempt + 1, doubtful)
          return Effect.andThen(Effect.sleep(20 * 2 ** attempt), next)
        }
      )
    )
  }

  // Whether the page has taken effect is told by the checkpoint, and to that alone it's due.
  private look(page: Page<EventOf<C>>, attempt: number): Effect.Effect<Fenced | undefined, StoreError | E, R> {
    const { name, position } = this.checkpoint
    return Effect.flatMap(readCheckpoint(this.store, name), (found) => {
      if (Option.isNone(found)) return Effect.succeed<Fenced>({ _tag: "Fenced", name, position })
      this.checkpoint = found.value
      return found.value.position >= page.through ? Effect.undefined : this.try(page, attempt + 1, true)
    })
  }

  private settle(moved: Checkpoint | Fenced): Fenced | undefined {
    if ("_tag" in moved) return moved
    this.checkpoint = moved
    return undefined
  }
}

/** Whether handing a page over again may help: lost connections, locks in each other's way, and what isn't known. */
const mayPass = (error: unknown): boolean => {
  if (isStoreError(error)) return error._tag === "Unavailable" || error._tag === "OutcomeUnknown"
  if (/^(08|40001|40P01|55P03|57P)/.test(stateOf(error) ?? "")) return true
  return error instanceof Object && "cause" in error && mayPass(error.cause)
}

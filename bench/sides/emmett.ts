/** Emmett's event stores, used as its documentation does: `appendToStream`, `aggregateStream`, consumers. */
import { join } from "node:path"
import { checkCount, fold, type Folded, nothing, type Order, orderOf, placed } from "../payload.ts"
import { loadPeer } from "../peers/load.ts"
import { contending, nextTurn } from "./contend.ts"
import { databaseBytes } from "./raw-postgres.ts"
import { byPromise, type FeedSide, fileBytes, type LogSide, type OpenSide } from "./side.ts"

interface Event {
  readonly type: string
  readonly data: Order
}

interface Consumer {
  readonly start: () => Promise<void>
  /** Ends it; `close` would end the connections of its store, too. */
  readonly stop: () => Promise<void>
  /** What SQLite's consumer calls it. */
  readonly processor?: (options: object) => unknown
  /** What PostgreSQL's consumer calls it. */
  readonly reactor?: (options: object) => unknown
}

interface EventStore {
  readonly appendToStream: (
    stream: string,
    events: ReadonlyArray<Event>,
    options?: { readonly expectedStreamVersion: bigint | string }
  ) => Promise<unknown>
  readonly readStream: (
    stream: string,
    options: { readonly from: bigint }
  ) => Promise<{ readonly currentStreamVersion: bigint }>
  readonly aggregateStream: (stream: string, options: {
    readonly evolve: (state: Folded, event: Event) => Folded
    readonly initialState: () => Folded
  }) => Promise<{ readonly state: Folded }>
  readonly consumer?: (options?: object) => Consumer
  readonly close?: () => Promise<void>
  readonly schema?: { readonly migrate: () => Promise<unknown> }
}

interface Core {
  readonly getInMemoryEventStore: () => EventStore
  readonly isExpectedVersionConflictError: (error: unknown) => boolean
}

/** On one connection a transaction ends beneath those that take part in it by accident. */
const isOfTransaction = (error: unknown): boolean => error instanceof Error && /transaction/.test(error.message)

const evolve = (state: Folded, { data }: Event): Folded => fold(state, data)

const eventOf = (order: Order): Event => ({ type: placed, data: order })

/** `sharing` is whether calls share one connection. */
const logSide = (store: EventStore, core: Core, sharing: boolean): LogSide => ({
  append: byPromise(async ({ orders, stream }) => {
    const events = orders.map(eventOf)
    for (;;) {
      try {
        return await store.appendToStream(stream, events)
      } catch (error) {
        if (!(sharing && isOfTransaction(error)) && !core.isExpectedVersionConflictError(error)) throw error
        await nextTurn()
      }
    }
  }),
  contend: contending((stream) => {
    let version = 0n
    return async () => {
      // Neither an append nor a conflict of its databases says how far others have come: what is new is read.
      version = (await store.readStream(stream, { from: version })).currentStreamVersion
      try {
        await store.appendToStream(stream, [eventOf(orderOf(Number(version)))], { expectedStreamVersion: version })
        return true
      } catch (error) {
        if (!core.isExpectedVersionConflictError(error) && !(sharing && isOfTransaction(error))) throw error
        return false
      }
    }
  }),
  fold: byPromise(async ({ events, stream }) => {
    const { state } = await store.aggregateStream(stream, { evolve, initialState: nothing })
    checkCount(state.events, events)
  })
})

interface Connection {
  readonly command: (sql: string) => Promise<unknown>
}

interface Batch {
  readonly messages: ReadonlyArray<Event>
  readonly currentGlobalPosition: bigint
}

/** All messages by its function for pages of them. */
const readAllBy =
  (read: (page: { readonly after: bigint; readonly batchSize: number }) => Promise<Batch>) =>
  async (events: number): Promise<void> => {
    const state = nothing()
    for (let after = 0n;;) {
      const { currentGlobalPosition, messages } = await read({ after, batchSize: 1000 })
      if (messages.length === 0) return checkCount(state.events, events)
      messages.forEach(({ data }) => fold(state, data))
      after = currentGlobalPosition
    }
  }

/** Consumers with the settings they have by default, each under a new name, so that it begins where it's told to. */
const feedSide = (consumer: NonNullable<EventStore["consumer"]>): FeedSide => {
  let made = 0
  const consume = (startFrom: string, eachMessage: (event: Event) => void) => {
    const options = { processorId: `bench-${made++}`, startFrom, eachMessage }
    const started = consumer()
    started.reactor?.(options)
    if (started.reactor === undefined) started.processor?.(options)
    // It ends with what went wrong, or when it's closed.
    const ended = started.start()
    return { ended, stop: () => started.stop() }
  }
  return {
    catchUp: async (events) => {
      let left = events
      const all = Promise.withResolvers<void>()
      const { ended, stop } = consume("BEGINNING", () => {
        if (--left === 0) all.resolve()
      })
      await Promise.race([all.promise, ended])
      // What ended before it had them all tells here what it had.
      checkCount(events - left, events)
      await stop()
    },
    follow: async (handle) => {
      const { ended, stop } = consume("END", ({ data }) => handle(data))
      // One that failed hands out nothing more, which whoever waits for events is told.
      ended.catch(() => undefined)
      return stop
    }
  }
}

const loadCore = () => loadPeer<Core>("@event-driven-io/emmett")

/** Emmett in memory. */
export const openEmmettMemory: OpenSide = async () => {
  const core = await loadCore()
  return {
    ...logSide(core.getInMemoryEventStore(), core, false),
    note: "keeps objects, not copies: nothing is parsed when they are read",
    close: async () => undefined
  }
}

const sharing = "one shared connection, with a write-ahead log before anything else is asked, which Emmett itself " +
  "doesn't wait for; concurrent calls are answered before their common transaction is durable, and made again where " +
  "it's gone"

/** Emmett on SQLite: its default pool stalls under concurrent appends, so one shared connection. */
export const openEmmettSqlite: OpenSide = async ({ directory }) => {
  const { getSQLiteEventStore, readMessagesBatch, sqliteConnection } = await loadPeer<{
    readonly readMessagesBatch: (connection: object, page: object) => Promise<Batch>
    readonly sqliteConnection: (options: { readonly fileName: string }) => Connection
    readonly getSQLiteEventStore: (options: object) => EventStore & Pick<Required<EventStore>, "consumer">
  }>("@event-driven-io/emmett-sqlite")
  const core = await loadCore()
  const fileName = join(directory, "emmett.db")
  const connection = sqliteConnection({ fileName })
  await connection.command("PRAGMA journal_mode = WAL")
  const store = getSQLiteEventStore({
    fileName,
    schema: { autoMigration: "CreateOrUpdate" },
    connectionOptions: { singleton: true, connection }
  })
  await store.schema?.migrate()
  return {
    ...logSide(store, core, true),
    ...feedSide(store.consumer),
    readAll: readAllBy((page) => readMessagesBatch(connection, page)),
    note: sharing,
    durable: "alone",
    bytes: () => fileBytes(directory),
    close: async () => store.close?.()
  }
}

/** Emmett on PostgreSQL, with its pool as it comes. */
export const openEmmettPostgres: OpenSide = async ({ url }) => {
  const { getPostgreSQLEventStore, readMessagesBatch } = await loadPeer<{
    readonly readMessagesBatch: (execute: object, page: object) => Promise<Batch>
    readonly getPostgreSQLEventStore: (url: string) => EventStore & Pick<Required<EventStore>, "consumer">
  }>("@event-driven-io/emmett-postgresql")
  const core = await loadCore()
  const { dumbo } = await loadPeer<{
    readonly dumbo: (options: object) => { readonly execute: object; readonly close: () => Promise<void> }
  }>("@event-driven-io/dumbo")
  const pool = dumbo({ connectionString: url })
  const store = getPostgreSQLEventStore(url)
  await store.schema?.migrate()
  return {
    ...logSide(store, core, false),
    ...feedSide(store.consumer),
    readAll: readAllBy((page) => readMessagesBatch(pool.execute, page)),
    bytes: () => databaseBytes(url),
    close: async () => {
      await store.close?.()
      await pool.close()
    }
  }
}

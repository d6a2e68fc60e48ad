/** A transaction that does the application's work and moves a checkpoint, on a client that is lent for it. */
import type { Checkpoint, Fenced, StoreShape } from "@persist/core"
import { Invalid, isStoreError, makeStore, type StoreError, Unavailable } from "@persist/core"
import * as Effect from "effect/Effect"
import type { ClientBase, PoolClient } from "pg"
import { classify, classifyCommit, Lost, stateOf } from "./error.ts"
import { hasEnded } from "./link.ts"
import { demandStatus, within } from "./within.ts"

/** Whoever lends clients, as the driver's `Pool` does. */
export interface Clients {
  readonly connect: () => Promise<PoolClient>
}

/** Where the transaction takes place. */
export interface Scene {
  readonly pool: Clients
  readonly schema: string | undefined
}

/** What is done in it, in this order. */
export interface Work<E, R> {
  readonly work: (client: ClientBase) => Effect.Effect<unknown, E, R>
  /** Moves the checkpoint in the store as the transaction sees it. */
  readonly move: (inner: StoreShape) => Effect.Effect<Checkpoint | Fenced, StoreError>
}

/**
 * Does both, or neither where the checkpoint was moved by somebody else (`Fenced`) or anything fails. `OutcomeUnknown`
 * where the end of the transaction was lost.
 */
export const inTransaction = <E, R>(
  store: StoreShape,
  { pool, schema }: Scene,
  { move, work }: Work<E, R>
): Effect.Effect<Checkpoint | Fenced, StoreError | E, R> =>
  Effect.acquireUseRelease(
    borrow(pool),
    ({ client, isLost }) =>
      Effect.gen(function*() {
        yield* statement(client, "BEGIN ISOLATION LEVEL READ COMMITTED")
        // A connection that ends meanwhile fails the work by the driver's error, which says nothing of that.
        yield* Effect.mapError(work(client), (error) => isLost() ? lost(error) : error)
        const inner = yield* within(client, schema === undefined ? {} : { schema })
        if (inner.about.incarnation !== store.about.incarnation) return yield* Effect.fail(elsewhere())
        const moved = yield* Effect.scoped(Effect.flatMap(makeStore(inner, { retries: 0 }), move))
        if ("_tag" in moved) return moved
        yield* commit(client)
        return moved
      }),
    ({ client, leave }) =>
      Effect.promise(async () => {
        const broken = client.getTransactionStatus() !== "I" && await rollBack(client)
        // A broken one may still emit errors, and nobody else listens to it any more.
        if (!broken) leave()
        client.release(broken)
      })
  )

interface Borrowed {
  readonly client: PoolClient
  readonly isLost: () => boolean
  readonly leave: () => void
}

const borrow = (pool: Clients): Effect.Effect<Borrowed, StoreError> =>
  Effect.tryPromise({
    try: async () => {
      const client = await lend(pool)
      let gone = false
      const end = () => {
        gone = true
      }
      client.on("error", end).on("end", end)
      return { client, isLost: () => gone, leave: () => client.off("error", end).off("end", end) }
    },
    catch: (cause) => isStoreError(cause) ? cause : classify("connect", named(cause, false))
  })

const lend = async (pool: Clients): Promise<PoolClient> => {
  const client = await pool.connect()
  try {
    demandStatus("pool", client)
    return client
  } catch (cause) {
    client.release()
    throw cause
  }
}

const statement = (client: ClientBase, text: string): Effect.Effect<unknown, StoreError> =>
  Effect.tryPromise({ try: () => client.query(text), catch: (cause) => classify("transaction", named(cause, true)) })

const commit = (client: ClientBase): Effect.Effect<void, StoreError> =>
  Effect.tryPromise({
    try: async () => {
      const { command } = await client.query("COMMIT").catch(async (cause: unknown) => {
        throw stateOf(cause) !== undefined && await hasEnded(client) ? new Lost(connectionLost, true, cause) : cause
      })
      // What has failed before ends like this, without an error.
      if (command !== "COMMIT") throw new Unavailable({ operation: "commit", reason: "it was rolled back", remedy })
    },
    catch: (cause) => classifyCommit(undefined, named(cause, true))
  })

const remedy = "run it again"
const connectionLost = "the connection was lost"

// True where the client is of no more use.
const rollBack = (client: ClientBase): Promise<boolean> => client.query("ROLLBACK").then(() => false, () => true)

// What the driver throws without a state is about the connection.
const named = (cause: unknown, sent: boolean): unknown =>
  stateOf(cause) === undefined && !isStoreError(cause) ? new Lost(connectionLost, sent, cause) : cause

const lost = (cause: unknown): StoreError =>
  new Unavailable({ operation: "transaction", reason: connectionLost, remedy, cause })

const elsewhere = (): Invalid =>
  new Invalid({ field: "pool", reason: "leads to another store", remedy: "pass clients of the store's own database" })

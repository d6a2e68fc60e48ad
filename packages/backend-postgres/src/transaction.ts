/** Transactions that write tables of the application's own and commit to the store, on clients lent for them. */
import type { Committed, Conflict, StoreShape, Transact } from "@persist/core"
import { Invalid, isStoreError, makeStore, type StoreError, Unavailable } from "@persist/core"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { ClientBase, PoolClient } from "pg"
import { settleSchema } from "./config.ts"
import { classify, classifyCommit, Lost, stateOf } from "./error.ts"
import { demandStatus, within, type WithinConfig } from "./within.ts"

/** Whoever lends clients, as the driver's `Pool` does. */
export interface Clients {
  readonly connect: () => Promise<PoolClient>
}

/** Where the tables are. */
export interface TransactionsConfig extends WithinConfig {
  /** Clients of the database that holds both the store and the tables: a `Pool` of the driver's. */
  readonly pool: Clients
}

/**
 * Transactions on clients of the database that holds the store: what's done by the client and what's committed to the
 * store happen together or not at all. Each is `READ COMMITTED`; it holds the store's lock only once its work is done,
 * until its end; and the server ends it where it lies idle for 5 s, so that a process which froze in it holds nobody
 * back. Wrong options throw `Invalid`.
 */
export const transactions = ({ pool, schema, ...rest }: TransactionsConfig): Transact<ClientBase> => {
  const [stray] = Object.keys(rest)
  if (stray !== undefined) {
    throw new Invalid({ field: stray, reason: "there is no such option", remedy: "use pool and schema" })
  }
  if (typeof pool?.connect !== "function") {
    throw new Invalid({
      field: "pool",
      reason: "gives no clients",
      remedy: "pass a Pool of pg that leads to the store's database"
    })
  }
  const config = { schema: settleSchema(schema).schema }
  return (store, work, ops) =>
    Effect.acquireUseRelease(
      borrow(pool),
      ({ client, isLost }) =>
        Effect.gen(function*() {
          // Interrupted on its way it may still begin, on a client that somebody else has by then.
          yield* Effect.uninterruptible(statement(client, begin))
          yield* unhindered(Effect.andThen(work(client), completed(client)), isLost)
          const committed = yield* commitWithin(client, config, store, (inner) => inner.commit(ops))
          if (committed._tag === "Committed") yield* commit(client)
          return committed
        }),
      ({ client, leave }) =>
        Effect.promise(async () => {
          const broken = client.getTransactionStatus() !== "I" && await rollBack(client)
          // A broken one may still emit errors, and nobody else listens to it any more.
          if (!broken) leave()
          client.release(broken)
        })
    )
}

// Half of how long a writer waits by default for the store's lock; whoever asked for less gets that.
const longestIdle = "5s"
const begin = `BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT set_config('idle_in_transaction_session_timeout', '${longestIdle}', true)
WHERE current_setting('idle_in_transaction_session_timeout')::interval NOT BETWEEN '1ms' AND '${longestIdle}'`

const commitWithin = Effect.fnUntraced(function*(
  client: ClientBase,
  config: WithinConfig,
  { about }: StoreShape,
  make: (inner: StoreShape) => Effect.Effect<Committed | Conflict, StoreError>
) {
  const inner = yield* within(client, config)
  if (inner.about.incarnation !== about.incarnation) return yield* Effect.fail(elsewhere())
  return yield* make(yield* makeStore(inner, { retries: 0 }))
}, Effect.scoped)

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
      if (command !== "COMMIT") {
        throw new Unavailable({ operation: "commit", reason: "it was rolled back", remedy: runAgain })
      }
    },
    catch: (cause) => classifyCommit(undefined, named(cause, true))
  })

// By an error with a code the server mostly says that the transaction is undone; where it ended the session, as when
// its log can't be flushed, it says nothing of that.
const hasEnded = (client: ClientBase): Promise<boolean> => client.query("").then(() => false, () => true)

const runAgain = "run it again"
const connectionLost = "the connection was lost"

// True where the client is of no more use.
const rollBack = (client: ClientBase): Promise<boolean> => client.query("ROLLBACK").then(() => false, () => true)

// What the driver throws without a state is about the connection.
const named = (cause: unknown, sent: boolean): unknown =>
  stateOf(cause) === undefined && !isStoreError(cause) ? new Lost(connectionLost, sent, cause) : cause

/**
 * Dies of what the work leaves behind that can't become lasting: an end of its own, a failure that it overlooked, rows
 * that deferred constraints forbid. All of it is known before the store's lock is taken.
 */
const completed = (client: ClientBase): Effect.Effect<unknown> =>
  Effect.promise(() => {
    if (client.getTransactionStatus() === "I") throw misled("ended the transaction", "leave its end to whoever called")
    return client.query("SET CONSTRAINTS ALL IMMEDIATE").catch((cause: unknown) => {
      throw stateOf(cause) === "25P02" ? misled("overlooked that a statement failed", "use a savepoint") : cause
    })
  })

const misled = (reason: string, remedy: string): Invalid => new Invalid({ field: "handle", reason, remedy })

/** The work, of which what's no fault of its own is told as the store's. */
const unhindered = <E, R>(
  work: Effect.Effect<unknown, E, R>,
  isLost: () => boolean
): Effect.Effect<unknown, E | StoreError, R> =>
  Effect.catchCause(work, (cause): Effect.Effect<never, E | StoreError> => {
    const error = Cause.squash(cause)
    return isLost() || mayPass(error) ? Effect.fail(inTheWay(error)) : Effect.failCause(cause)
  })

/** Whether the work may go through another time: connections and locks in its way. */
const mayPass = (error: unknown): boolean =>
  /^(08|25P03|40001|40P01|55P03|57P)/.test(stateOf(error) ?? "") ||
  (error instanceof Object && "cause" in error && mayPass(error.cause))

// The driver says nothing of a connection that ended meanwhile.
const inTheWay = (cause: unknown): StoreError =>
  new Unavailable({
    operation: "transaction",
    reason: "a connection or a lock was lost in the work",
    remedy: runAgain,
    cause
  })

const elsewhere = (): Invalid =>
  new Invalid({ field: "pool", reason: "leads to another store", remedy: "pass clients of the store's own database" })

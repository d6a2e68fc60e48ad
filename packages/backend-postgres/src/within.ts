/** A store within a transaction that the application has open on its own client: what it commits happens with that. */
import type { BackendShape, StoreError } from "@persist/core"
import { Invalid, isStoreError, makeSignal, Position, Unavailable } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ClientBase } from "pg"
import type { Row, Value } from "./asking.ts"
import { channelOf } from "./changes.ts"
import { settleSchema } from "./config.ts"
import { classify, Lost, stateOf } from "./error.ts"
import { askFacts } from "./facts.ts"
import type { Session } from "./link.ts"
import { describe, enterStore } from "./open.ts"
import { queriesOf } from "./queries.ts"
import { makeKvReads } from "./read-kv.ts"
import { makeLogReads, type Reading } from "./read.ts"
import { readRecorded } from "./recorded.ts"
import { effectsOf, verb } from "./verbs.ts"
import { Writer } from "./write.ts"

/** Which store of the client's database. */
export interface WithinConfig {
  /** The schema that holds it. Default `persist`. */
  readonly schema?: string | undefined
}

/**
 * The store as the transaction that is open on a client sees it; make a store of it, and use it until the transaction
 * ends. What is committed to the store within happens when the application commits its transaction, with everything
 * else in it, or not at all; a conflict is a value as always, and leaves the transaction usable. From the first commit
 * on until its end the transaction holds the store's lock: every other writer waits for it.
 *
 * Positions that it gives are of no use to others before its end. `resolve` answers only what is recorded. Fails with
 * `Invalid` where no transaction is open or no store is there, `Unsupported` where the transaction isn't READ
 * COMMITTED, `Unavailable` where it has failed before, otherwise as opening does; a failure of the server's within a
 * verb leaves the transaction failed, as any statement's does.
 */
export const within = (client: ClientBase, config: WithinConfig = {}): Effect.Effect<BackendShape, StoreError> =>
  Effect.tryPromise({
    try: () => enter(client, config),
    catch: (cause) => isStoreError(cause) ? cause : classify("within", cause)
  })

const enter = async (client: ClientBase, config: WithinConfig): Promise<BackendShape> => {
  const stray = Object.keys(config).find((field) => field !== "schema")
  if (stray !== undefined) {
    throw new Invalid({ field: stray, reason: "there is no such option", remedy: "use schema" })
  }
  const name = settleSchema(config.schema)
  demandStatus("client", client)
  if (client.getTransactionStatus() === "I") {
    throw new Invalid({ field: "client", reason: "no transaction is open on it", remedy: "begin one first" })
  }
  const session = new Transaction(client)
  const facts = await askFacts((text) => session.run({ text }, []), undefined, false)
  const [row] = await session.run({ text: "SELECT current_setting('transaction_isolation')" }, [])
  const found = await enterStore(session, { ...facts, isolation: row?.[0] ?? "" }, name)
  const queries = queriesOf(name.quotedSchema)
  const reading: Reading = { queries, identity: passing, ask: (_, job) => job(session) }
  const signal = makeSignal()
  const writer = new Writer(name.quotedSchema, queries)
  const commit: BackendShape["commit"] = (batch) =>
    Effect.tryPromise({
      try: async () => {
        // What it remembers may be rolled back, and others may then give the same ids and positions to something else.
        writer.forget()
        const written = await writer.write(session, batch, {
          incarnation: found.incarnation,
          floor: 0,
          patience: undefined
        })
        if (written.changed) signal.notify()
        // Those who listen are told of it when the transaction is committed.
        if (written.changed && written.listened) {
          await session.run({ text: "SELECT pg_notify($1, '')" }, [channelOf(found.incarnation)])
        }
        return written.outcomes
      },
      catch: (cause) => classify("commit", cause)
    })
  return {
    // Whether it happened is told by the application's own COMMIT.
    about: { ...describe(facts, found.incarnation), ambiguous: false },
    commit,
    resolve: verb("resolve", async (id: string) => {
      const recorded = (await readRecorded(session, queries, [id])).get(id)
      if (recorded !== undefined) return Option.some(recorded.committed)
      throw new Unavailable({
        operation: "resolve",
        reason: "nothing is recorded under this id, and a transaction can't make sure that it stays so after its end",
        remedy: "ask a store that is not within one"
      })
    }),
    ...effectsOf(makeLogReads(reading), makeKvReads(reading)),
    changes: signal.changes
  }
}

/** Throws `Invalid`, naming the field, for a client of a driver that doesn't know its transaction's status. */
export const demandStatus = (field: string, client: ClientBase): void => {
  // The application brings the driver, and what it's typed as may be another version.
  if (typeof client.getTransactionStatus === "function") return
  throw new Invalid({
    field,
    reason: "a client can't tell whether a transaction is open on it",
    remedy: "update the application's pg to 8.23 or later"
  })
}

// A head may go back: to a savepoint.
const passing = { floor: 0, see: (head: number) => Position(head) }

/** Whatever its type, a value is taken as PostgreSQL writes it. */
export const asText = { getTypeParser: () => (text: string) => text }

/** The caller's transaction, one statement at a time. */
class Transaction implements Session {
  /** What a transaction has seen may be rolled back. */
  readonly names = undefined
  private readonly client: ClientBase
  private last: Promise<unknown> = Promise.resolve()

  constructor(client: ClientBase) {
    this.client = client
  }

  run(statement: Parameters<Session["run"]>[0], values: ReadonlyArray<Value>): Promise<ReadonlyArray<Row>> {
    const mine = this.last.then(() => this.ask(statement.text, values))
    this.last = mine.catch(() => undefined)
    return mine
  }

  private async ask(text: string, values: ReadonlyArray<Value>): Promise<ReadonlyArray<Row>> {
    const status = this.client.getTransactionStatus()
    if (status !== "T") throw over(status === "E" ? "has failed before" : "has ended")
    try {
      const asked = { text, values: [...values], rowMode: "array" as const, types: asText }
      return (await this.client.query<Array<string | null>>(asked)).rows
    } catch (cause) {
      // The driver learns of a failure before it learns what that made of the transaction.
      if (stateOf(cause) === "25P02") throw over("has failed before")
      throw stateOf(cause) === undefined ? new Lost("the connection was lost", true, cause) : cause
    }
  }
}

const over = (how: string): Unavailable =>
  new Unavailable({
    operation: "within",
    reason: `the transaction ${how}`,
    remedy: "begin another, and use a new store"
  })

/** What PostgreSQL has beyond other stores: the application's own transactions and tables, views, a moved database. */
import {
  type Clients,
  type Config,
  createViews as createViewsEffect,
  keepIncarnation as keepEffect,
  renewIncarnation as renewEffect,
  type TransactionClient,
  transactions,
  type TransactionsConfig,
  type View,
  type ViewsOptions,
  within as withinEffect,
  type WithinConfig
} from "@persist/backend-postgres"
import type { Catalogue, EventOf } from "@persist/core"
import { type ProcessorDefinition, run as runProcessors } from "@persist/runner"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { open } from "./open.ts"
import { tables } from "./processor.ts"
import { type Abortable, run, split } from "./run.ts"
import { type Running, start } from "./running.ts"
import type { Store } from "./store.ts"
import { surrounding } from "./surroundings.ts"

export { transactions }
export type { Clients, Config, TransactionClient, TransactionsConfig, View, ViewsOptions, WithinConfig }

/**
 * The store as the transaction that is open on a client of `pg` sees it; use it until the transaction ends. What is
 * committed to it happens when the application commits its transaction, with everything else in it, or not at all; a
 * conflict is a value as always, and leaves the transaction usable. From the first commit on until its end the
 * transaction holds the store's lock: every other writer waits for it.
 *
 * Rejects with `Invalid` where no transaction is open or no store is there, `Unsupported` where the transaction isn't
 * READ COMMITTED, `Unavailable` where it has failed before, otherwise as `open` does. Its verbs reject as the server
 * says, which leaves the transaction failed, as any statement's failure does.
 */
export const within = (client: TransactionClient, config?: WithinConfig): Promise<Store> =>
  open(withinEffect(client, config))

/** A projection into tables, and how it's run. */
export interface RunTablesOptions<C extends Catalogue> extends ProcessorDefinition<C>, TransactionsConfig, Abortable {
  /** Writes what becomes of some events by the client, whose transaction is open, and leaves its end to the caller. */
  readonly handle: (client: TransactionClient, events: ReadonlyArray<EventOf<C>>) => unknown
}

/**
 * Keeps tables of the application's own until it's stopped: hands over page after page of events, first what's there,
 * then what comes, each in a transaction that ends with the checkpoint's move. So each event takes effect exactly once,
 * whatever ends the run. Of those that run under this name, here or in other processes, each partition is in the hands
 * of one, and the others stand by. What `handle` throws or rejects with leaves nothing behind and is met as `failure`
 * says; where that stops a partition, `ended` rejects with it.
 */
export const runTables = <C extends Catalogue>(store: Store, options: RunTablesOptions<C>): Running => {
  const [{ pool, schema, ...definition }, signal] = split(options)
  const around = Result.getOrThrow(surrounding(store))
  const running = Effect.suspend(() => {
    const processor = tables({ ...definition, transact: transactions({ pool, schema }) })
    return runProcessors(store.effect, [processor], { whenStopped: "die" })
  })
  return start(running, signal, around)
}

/**
 * Makes a view for each event type, or makes it again: `stream`, `seq`, `position`, `at` (a timestamp), `data` and
 * `meta` (json, exactly as they were given), `bytes` and `id`. Rejects as `open` does, with `Invalid` where there is no
 * store, and with `Denied` where the role may not make views.
 */
export const createViews = (config: Config, options?: ViewsOptions): Promise<ReadonlyArray<View>> =>
  run(() => createViewsEffect(config, options), undefined)

/**
 * Gives a restored store another incarnation, which it answers: every checkpoint saved before is told to be of another
 * history. Whoever has it open is refused the next commit. Rejects as `open` does, and then it may be called again.
 */
export const renewIncarnation = (config: Config): Promise<string> => run(renewEffect, config)

/** Makes a store that was moved as it is at home where it now lies; it keeps its incarnation, which is answered. */
export const keepIncarnation = (config: Config): Promise<string> => run(keepEffect, config)

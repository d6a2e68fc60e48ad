/** The PostgreSQL backend: a schema in a database, written to by any number of processes. */
export type { ClientBase as TransactionClient } from "pg"
export type { Config } from "./config.ts"
export { keepIncarnation, renewIncarnation } from "./incarnation.ts"
export * from "./layer.ts"
export { type Clients, transactions, type TransactionsConfig } from "./transaction.ts"
export { createViews, type View, type ViewsOptions } from "./views.ts"
export { within, type WithinConfig } from "./within.ts"

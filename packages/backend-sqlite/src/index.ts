/** The SQLite backend: a store in one file, shared by several processes. */
export type { Config } from "./config.ts"
export * from "./layer.ts"
export { renewIncarnation } from "./renew.ts"
export { transactions, type TransactionsConfig } from "./transaction.ts"

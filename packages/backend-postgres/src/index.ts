/** The PostgreSQL backend: a schema in a database, written to by any number of processes. */
export type { Config } from "./config.ts"
export { keepIncarnation, renewIncarnation } from "./incarnation.ts"
export * from "./layer.ts"
export { within, type WithinConfig } from "./within.ts"

/** The file backend: a store in a directory, whose log is its own source of truth. */
export type { Config } from "./config.ts"
export { layer, make } from "./layer.ts"

/** persist with Promises: open a store, and write and read it in ordinary TypeScript. */
export * from "./kv.ts"
export * from "./log.ts"
export * from "./open.ts"
export * from "./reading.ts"
export { registerScheme, type Scheme, type Schemes } from "./scheme.ts"
export * from "./store.ts"

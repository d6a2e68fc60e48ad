/** persist for Effect: everything core offers, and stores by URL as Layers. */
export * from "@persist/core"
export * as Result from "effect/Result"
export * as Schema from "effect/Schema"
export * from "./layer.ts"
export * from "./location.ts"
export * from "./scheme.ts"
export { flag, oneOf, type Param, type Params, readParams, StoreUrl, whole } from "./store-url.ts"
export * from "./time.ts"

/** What users test with: given and expected, checks on random histories, a store with faults, a fake clock. */
export { checkDecider, type CheckOptions, checkProjection, checkReadModel } from "@persist/conformance/properties"
export type { ThenDecision } from "./decision.ts"
export { type Check, ExpectationFailed } from "./expectation.ts"
export * from "./fake-clock.ts"
export * from "./faults.ts"
export * from "./given.ts"
export { defaultStream, defaultTime } from "./history.ts"
export type { StatesByKey } from "./read-model-folding.ts"

/** Projections in production: partitions, leases, failures that are retried or parked, health. */
export type { Attempt, FailurePolicy } from "./failure.ts"
export {
  type Delivery,
  type Guarantee,
  type Processor,
  subscription,
  type SubscriptionDefinition
} from "./processor.ts"
export { run, type RunnerOptions } from "./runner.ts"

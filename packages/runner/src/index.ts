/** Projections in production: partitions, leases, failures that are retried or parked, health. */
export type { Attempt, FailurePolicy } from "./failure.ts"
export type { Guarantee, Processor, ProcessorDefinition } from "./processor.ts"
export { reaction, type ReactionDefinition } from "./reaction.ts"
export { run, type RunnerOptions } from "./runner.ts"
export { type Delivery, subscription, type SubscriptionDefinition } from "./subscription.ts"

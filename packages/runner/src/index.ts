/** Projections in production: partitions, leases, failures that are retried or parked, health. */
export { adopt, type Adopted, type AdoptedPartition, type AdoptOptions } from "./adopt.ts"
export { compareVersions, type Comparison, type Difference } from "./compare.ts"
export type { Attempt, FailurePolicy } from "./failure.ts"
export { forget } from "./forget.ts"
export {
  type Health,
  health,
  type PartitionHealth,
  type ProcessorHealth,
  type RunnerHealth,
  type Standing,
  watchHealth
} from "./health.ts"
export { Runner, type RunnerShape } from "./layer.ts"
export { switchLive, type SwitchOptions } from "./live.ts"
export { observeHealth, type ObserveHealthOptions } from "./observe-health.ts"
export {
  dropParked,
  type InspectedEvent,
  inspectParked,
  listParked,
  type ParkedEvent,
  pause,
  type PauseOptions,
  resume,
  retryParked
} from "./operate.ts"
export type { Guarantee, Processor, ProcessorDefinition, ProcessorKind } from "./processor.ts"
export { reaction, type ReactionDefinition } from "./reaction.ts"
export { readModel, type ReadModelOptions, type ReadModelProcessor } from "./read-model.ts"
export { reset, type ResetOptions } from "./reset.ts"
export { run } from "./run.ts"
export type { RunnerOptions } from "./runner-options.ts"
export { listStale, type Need, type ReaderKind, type Stale } from "./stale.ts"
export { type Delivery, subscription, type SubscriptionDefinition } from "./subscription.ts"
export { tables, type TablesDefinition } from "./tables.ts"
export { whenProcessed, type WhenProcessedOptions } from "./when-processed.ts"
export {
  type Command,
  type Step,
  type TimerFired,
  type Workflow,
  workflow,
  type WorkflowDefinition
} from "./workflow.ts"

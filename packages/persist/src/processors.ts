/** Processors with Promises: made of ordinary functions, run by any number of processes, looked after. */
export type {
  Attempt,
  Command,
  Delivery,
  Difference,
  FailurePolicy,
  Guarantee,
  Health,
  InspectedEvent,
  ParkedEvent,
  PartitionHealth,
  Processor,
  ProcessorDefinition,
  ProcessorHealth,
  ProcessorKind,
  ReadModelOptions,
  ReadModelProcessor,
  ResetOptions,
  RunnerHealth,
  RunnerOptions,
  Standing,
  Step,
  SwitchOptions,
  TimerFired,
  WhenProcessedOptions,
  WorkflowDefinition
} from "@persist/runner"
export * from "./operate.ts"
export * from "./processor.ts"
export * from "./run-processors.ts"

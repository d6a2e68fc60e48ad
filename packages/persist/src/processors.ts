/** Processors with Promises: made of ordinary functions, run by any number of processes, looked after. */
export type {
  Adopted,
  AdoptedPartition,
  AdoptOptions,
  Attempt,
  Command,
  Delivery,
  Difference,
  FailurePolicy,
  Guarantee,
  Health,
  InspectedEvent,
  Need,
  ParkedEvent,
  PartitionHealth,
  PauseOptions,
  Processor,
  ProcessorDefinition,
  ProcessorHealth,
  ProcessorKind,
  ReaderKind,
  ReadModelOptions,
  ReadModelProcessor,
  ResetOptions,
  RunnerHealth,
  RunnerOptions,
  Stale,
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

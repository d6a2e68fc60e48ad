/** persist with Promises: open a store, and write and read it in ordinary TypeScript. */
export {
  anyEvents,
  Catalogue,
  causedBy,
  Corrupt,
  Decider,
  Denied,
  fold,
  guardPurity,
  Invalid,
  isStoreError,
  LimitExceeded,
  OutcomeUnknown,
  Projection,
  ReadModel,
  SnapshotPolicy,
  Unavailable,
  Unsupported
} from "@persist/core"
export type {
  About,
  AnyValue,
  AppendOptions,
  Before,
  CaughtUp,
  Causation,
  Change,
  Checkpoint,
  CommitId,
  Committed,
  Compacted,
  Conflict,
  Decided,
  Diff,
  DiffOptions,
  Durability,
  Entry,
  Event,
  EventInput,
  EventOf,
  EventsAppended,
  Fenced,
  InputOf,
  Json,
  KeyWritten,
  Limits,
  Loaded,
  Meta,
  NamespaceInfo,
  Op,
  Page,
  PatchOperation,
  Position,
  Projected,
  Query,
  QueryPage,
  Reader,
  Retained,
  RetentionBound,
  RetentionCut,
  RetentionRule,
  Scope,
  Seq,
  SnapshotInfo,
  StoreError,
  StreamInfo,
  StrongOptions,
  StrongQuery,
  StrongStates,
  UnknownEvent,
  Version
} from "@persist/core"
export * as Result from "effect/Result"
export * as Schema from "effect/Schema"
export * from "./kv.ts"
export * from "./log.ts"
export * from "./open.ts"
export * from "./projections.ts"
export * from "./readers.ts"
export * from "./reading.ts"
export * from "./retention.ts"
export type { Abortable } from "./run.ts"
export type { Running } from "./running.ts"
export { registerScheme, type Scheme, type Schemes } from "./scheme.ts"
export * from "./store.ts"
export * from "./strong.ts"

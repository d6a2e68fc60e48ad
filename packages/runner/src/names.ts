/** The namespaces a runner keeps its own things in. */
import type { Kv, StoreShape } from "@persist/core"
import { notedNamespace, parkedNamespace } from "@persist/core/awaited"
import * as Schema from "effect/Schema"

const AttemptSchema = Schema.Struct({ at: Schema.Number, error: Schema.String })

/** How a partition fares. */
export const PartitionReport = Schema.Struct({
  reader: Schema.String,
  state: Schema.Literals(["running", "retrying", "stopped"]),
  /** How far it has looked; its checkpoint isn't moved for every stretch without events of its own. */
  position: Schema.Natural,
  /** Events handled since the runner took it. */
  handled: Schema.Natural,
  /** Events a second, of late. */
  rate: Schema.Number,
  error: Schema.optionalKey(AttemptSchema),
  /** Milliseconds for which it has had the same in hand; none where it goes on. */
  busyFor: Schema.optionalKey(Schema.Number),
  /** That this is longer than its policy says is right. */
  hangs: Schema.optionalKey(Schema.Boolean)
})
/** A report, as its schema says. */
export type PartitionReport = typeof PartitionReport.Type

const RunnerRecord = Schema.Struct({
  /** What people know it by. */
  label: Schema.String,
  startedAt: Schema.Number,
  /** Milliseconds without a sign of life after which it counts as dead. */
  patience: Schema.Natural,
  /** What it has a program for. */
  processors: Schema.Array(Schema.String),
  partitions: Schema.Array(PartitionReport)
})
/** A runner, as it last showed itself. */
export type RunnerRecord = typeof RunnerRecord.Type

/** Living runners, by id. */
export const runners = (store: StoreShape): Kv<RunnerRecord> => store.system("$runner", RunnerRecord)

const Lease = Schema.Struct({ runner: Schema.String, since: Schema.Number })
/** Who runs a partition. */
export type Lease = typeof Lease.Type

/** Leases, by the reader's name. */
export const leases = (store: StoreShape): Kv<Lease> => store.system("$lease", Lease)

const Parked = Schema.Struct({
  processor: Schema.String,
  reader: Schema.String,
  /** What order is kept by; the stream where it couldn't be told. */
  keys: Schema.Array(Schema.String),
  /** That its key couldn't be told: partitions that were to pass it have noted it, or meet it yet. */
  isUntold: Schema.optionalKey(Schema.Boolean),
  stream: Schema.String,
  seq: Schema.Natural,
  position: Schema.Natural,
  type: Schema.String,
  /** `retry`: to be tried again; `dropped`: never to be tried again, not even by a rebuild. */
  state: Schema.Literals(["parked", "behind", "retry", "dropped"]),
  attempts: Schema.Array(AttemptSchema)
})
/** An event that was put aside: `behind` where it only follows one of the same key. */
export type Parked = typeof Parked.Type

/** What was put aside, by processor and position. */
export const parked = (store: StoreShape): Kv<Parked> => store.system(parkedNamespace, Parked)

/** The key of a parked event: those of a processor are beside each other, in the order of their positions. */
export const parkedKey = (processor: string, position: number): string =>
  `${processor}/${String(position).padStart(16, "0")}`

const Note = Schema.Struct({
  processor: Schema.String,
  stream: Schema.String,
  seq: Schema.Natural,
  position: Schema.Natural
})
/** An event that a partition has passed without handling it, though it may be its own: another one has it in hand. */
export type Note = typeof Note.Type

/** What partitions have noted, by reader and position. */
export const notes = (store: StoreShape): Kv<Note> => store.system(notedNamespace, Note)

/** The key of what a partition has noted: under its own name, as a parked event is under its processor's. */
export const noteKey = (reader: string, position: number): string => parkedKey(reader, position)

const Known = Schema.Struct({
  partitions: Schema.Natural,
  kind: Schema.Literals(["subscription", "reaction", "read model", "tables", "workflow"]),
  guarantee: Schema.Literals(["exactly once", "at least once"])
})

/** What was ever run, by name, until it's forgotten: what nobody runs any more is missed. */
export const knownProcessors = (store: StoreShape): Kv<typeof Known.Type> => store.system("$processor", Known)

const Control = Schema.Struct({ paused: Schema.Boolean })

/** What operators have said of processors, by name. */
export const controls = (store: StoreShape): Kv<typeof Control.Type> => store.system("$control", Control)

/** Why partitions couldn't go on at last, by reader, until they are run again: whoever has said so may be gone. */
export const lastFailures = (store: StoreShape): Kv<typeof AttemptSchema.Type> =>
  store.system("$failure", AttemptSchema)

/** The namespace of a workflow's instances. */
export const instancesOf = (workflow: string): string => `$workflow/${workflow}`

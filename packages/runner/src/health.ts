/** How processors fare, from what is kept in the store anyway: nobody has to be asked, and the dead can't claim. */
import { type Checkpoint, type Entry, origin, Position, type StoreError, type StoreShape } from "@persist/core"
import { checkpointOf, checkpoints, staleCheckpoint } from "@persist/core/checkpoint"
import { liveVersions } from "@persist/core/live"
import { firstOfAll } from "@persist/core/log-pages"
import { versionOf } from "@persist/core/read-model"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Attempt } from "./failure.ts"
import { ownerOf } from "./known.ts"
import {
  controls,
  knownProcessors,
  lastFailures,
  type Lease,
  leases,
  type PartitionReport,
  type RunnerRecord,
  runners
} from "./names.ts"
import { listParked } from "./operate.ts"
import type { Guarantee, ProcessorKind } from "./processor.ts"
import { monotonicMillis, Sightings } from "./sightings.ts"
import { type Need, needOf } from "./stale.ts"

/** A runner, as far as the store knows. */
export interface RunnerHealth {
  readonly id: string
  readonly label: string
  readonly startedAt: number
  /** Milliseconds since it last showed itself. */
  readonly silentFor: number
  /** Whether that's less than its patience. */
  readonly alive: boolean
  /**
   * Whether that was watched, on this machine alone; otherwise it's by the clocks of its machine and this one, and as
   * wrong as they differ.
   */
  readonly watched: boolean
}

/** A partition of a processor. */
export interface PartitionHealth {
  /** Its name among the readers. */
  readonly reader: string
  /** How far it has come: nothing of its own at or below is left. */
  readonly position: Position
  /**
   * 0 where no event that any of the processor's partitions wants is left, otherwise how many positions it is behind
   * the head; `undefined` where its position means nothing here.
   */
  readonly lag: number | undefined
  /** What it needs where its position means nothing here, as after a restore; otherwise `undefined`. */
  readonly needs: Need | undefined
  /** How old the first event is that is left, in milliseconds, by its `at` and this machine's clock; 0 for none. */
  readonly lagTime: number
  /**
   * `idle`: nobody runs it; `lost`: whoever has it is silent for too long; `hanging`: it has had the same in hand for
   * longer than its policy's `hangsAfter`.
   */
  readonly state: PartitionReport["state"] | "hanging" | "paused" | "idle" | "lost"
  /** Milliseconds for which it has had the same in hand, an event or some together; 0 where it goes on. */
  readonly busyFor: number
  readonly runner: RunnerHealth | undefined
  /** Events a second, of late. */
  readonly rate: number
  /** Why it's retrying or stopped; of one that nobody runs, why it was stopped at last. */
  readonly error: Attempt | undefined
}

/** What a version of a read model is to its readers. */
export type Standing =
  /** The one that is read. */
  | "live"
  /** Newer than that: built beside it. */
  | "building"
  /** Older than that: dropped after its grace period. */
  | "former"

/** A processor that some runner knows or knew. */
export interface ProcessorHealth {
  readonly name: string
  readonly kind: ProcessorKind
  readonly guarantee: Guarantee
  /** `undefined` for what has no versions: whatever is no read model. */
  readonly standing: Standing | undefined
  /** How many partitions it has. */
  readonly of: number
  /** Those that were ever begun, or refused. */
  readonly partitions: ReadonlyArray<PartitionHealth>
  /** How many events are parked, or wait behind one. */
  readonly parked: number
  /** Every partition is run by somebody alive who isn't stuck, or need not be any more, needs nothing, and nothing is
   * parked. */
  readonly healthy: boolean
}

/** The health of everything that runners run. */
export interface Health {
  readonly head: Position
  readonly runners: ReadonlyArray<RunnerHealth>
  readonly processors: ReadonlyArray<ProcessorHealth>
}

/**
 * Reads the health of all processors that were ever run here and not forgotten since, or of the one with this name. Who
 * is alive is told by comparing clocks, which must agree to within a runner's patience: whoever looks again and again
 * uses {@link watchHealth}. Fails as every read.
 */
export const health = (store: StoreShape, name?: string): Effect.Effect<Health, StoreError> =>
  look(store, new Sightings(), name)

/**
 * Makes a look at the health of all processors, to be taken again and again: who is alive is told by what it has
 * watched since, and by comparing clocks only before that. Each look fails as every read.
 */
export const watchHealth = (store: StoreShape): Effect.Effect<Effect.Effect<Health, StoreError>> =>
  Effect.sync(() => look(store, new Sightings()))

const look = (store: StoreShape, sightings: Sightings, only?: string): Effect.Effect<Health, StoreError> =>
  Effect.gen(function*() {
    const records = yield* Stream.runCollect(runners(store).scan())
    const held = yield* Stream.runCollect(leases(store).scan())
    const said = yield* Stream.runCollect(controls(store).scan())
    const all = yield* Stream.runCollect(knownProcessors(store).scan())
    const ever = all.filter(({ key }) => only === undefined || key === only)
    const aside = yield* Stream.runCollect(listParked(store, only))
    const readers = (yield* Stream.runCollect(checkpoints(store).scan())).map(checkpointOf)
    const live = new Map(
      (yield* Stream.runCollect(liveVersions(store).scan())).map(({ key, value }) => [key, value.version])
    )
    const failed = yield* Stream.runCollect(lastFailures(store).scan())
    const now = yield* Clock.currentTimeMillis
    const seen = yield* monotonicMillis
    sightings.look(records, seen)
    const known = new Known({
      runners: records.map((record) => runnerHealth(record, sightings.silence(record, seen), now)),
      records,
      leases: new Map(held.map(({ key, value }) => [key, value])),
      paused: new Set(said.flatMap(({ key, value }) => value.paused ? [key] : [])),
      failures: new Map(failed.map(({ key, value }) => [key, value])),
      now
    })
    const kinds = new Map(ever.map(({ key, value }) => [key, value.kind]))
    // Read after the checkpoints, so that none of them can rightly lie beyond it.
    const head = yield* store.head
    const own = readers.flatMap((reader) => {
      const kind = kinds.get(ownerOf(reader.name))
      return kind === undefined ? [] : [{ ...reader, kind }]
    })
    const begun = yield* Effect.forEach(own, (reader) => known.partition(store, head, reader), { concurrency: 16 })
    const parts = [...begun, ...(yield* known.unbegun(store, head, own))]
    const processors = ever.map(({ key: name, value: { guarantee, kind, partitions: whole } }): ProcessorHealth => {
      const partitions = parts.filter(({ reader }) => ownerOf(reader) === name)
      const parked = aside.filter(({ processor, state }) => processor === name && state !== "dropped").length
      const standing = standingOf(partitions[0]?.reader, live)
      const isKept = partitions.length === whole && partitions.every(isHealthy)
      return {
        name,
        kind,
        guarantee,
        standing,
        of: whole,
        partitions,
        parked,
        healthy: standing === "former" || (parked === 0 && isKept)
      }
    })
    return { head, runners: known.runners, processors }
  })

const standingOf = (reader: string | undefined, live: ReadonlyMap<string, number>): Standing | undefined => {
  const own = reader === undefined ? undefined : versionOf(reader)
  const current = own === undefined ? undefined : live.get(own.name)
  if (own === undefined || current === undefined || own.version === current) {
    return own === undefined
      ? undefined
      : "live"
  }
  return own.version > current ? "building" : "former"
}

const isHealthy = ({ needs, state }: PartitionHealth): boolean =>
  needs === undefined && (state === "running" || state === "paused")

const runnerHealth = (
  { at, key, value: { label, patience, startedAt } }: Entry<RunnerRecord>,
  watched: number | undefined,
  now: number
): RunnerHealth => {
  const silentFor = watched ?? Math.max(0, now - at)
  return { id: key, label, startedAt, silentFor, alive: silentFor < patience, watched: watched !== undefined }
}

/** What was read, of everybody. */
interface Found {
  readonly runners: ReadonlyArray<RunnerHealth>
  readonly records: ReadonlyArray<Entry<RunnerRecord>>
  readonly leases: ReadonlyMap<string, Lease>
  readonly paused: ReadonlySet<string>
  readonly failures: ReadonlyMap<string, Attempt>
  readonly now: number
}

const stateOf = (report: PartitionReport | undefined): PartitionHealth["state"] =>
  report?.hangs === true ? "hanging" : report?.state ?? "running"

/** What was read, to be asked by name. */
class Known {
  readonly runners: ReadonlyArray<RunnerHealth>
  private readonly found: Found
  private readonly reports: ReadonlyMap<string, PartitionReport>
  /** Who has said of a partition that it can't be run, whoever has its lease. */
  private readonly refusedBy: ReadonlyMap<string, string>

  constructor(found: Found) {
    this.found = found
    this.runners = found.runners
    this.reports = new Map(
      found.records.flatMap(({ key, value }) =>
        value.partitions.map((report) => [`${key} ${report.reader}`, report] as const)
      )
    )
    const living = new Set(this.runners.flatMap(({ alive, id }) => alive ? [id] : []))
    this.refusedBy = new Map(
      found.records.filter(({ key }) => living.has(key)).flatMap(({ key, value }) =>
        value.partitions.flatMap(({ reader, state }) => state === "stopped" ? [[reader, key] as const] : [])
      )
    )
  }

  partition(
    store: StoreShape,
    head: Position,
    reader: Checkpoint & { readonly kind: ProcessorKind }
  ): Effect.Effect<PartitionHealth, StoreError> {
    const { kind, name, prefix, types } = reader
    const runner = this.holderOf(name)
    const report = runner?.alive === true ? this.reports.get(`${runner.id} ${name}`) : undefined
    const position = Position(Math.max(reader.position, report?.position ?? 0))
    const isStale = staleCheckpoint(store.about, head, reader) !== undefined
    const next = isStale || position >= head || store.about.lacks.has("readAll")
      ? Effect.undefined
      : firstOfAll(store.engine, { after: position, to: head, prefix, types })
    return Effect.map(next, (first) => ({
      reader: name,
      position,
      lag: isStale ? undefined : first === undefined ? 0 : head - position,
      needs: isStale ? needOf(kind, reader.position, head) : undefined,
      lagTime: first === undefined ? 0 : Math.max(0, this.found.now - first.at),
      state: runner?.alive === true ? stateOf(report) : this.idleState(name),
      busyFor: runner === undefined || report?.busyFor === undefined ? 0 : report.busyFor + runner.silentFor,
      runner,
      rate: report?.rate ?? 0,
      error: report === undefined ? this.found.failures.get(name) : report.error
    }))
  }

  /** Whoever has a partition's lease, or else says that it can't be run: the living before the dead. */
  private holderOf(reader: string): RunnerHealth | undefined {
    const byId = (id: string | undefined) => this.runners.find((runner) => runner.id === id)
    const holder = byId(this.found.leases.get(reader)?.runner)
    return holder?.alive === true ? holder : byId(this.refusedBy.get(reader)) ?? holder
  }

  /** The partitions that couldn't even be registered: to them all that there is may be left. */
  unbegun(
    store: StoreShape,
    head: Position,
    registered: ReadonlyArray<Checkpoint>
  ): Effect.Effect<ReadonlyArray<PartitionHealth>, StoreError> {
    const names = new Set(registered.map(({ name }) => name))
    const left = Array.from(this.refusedBy).filter(([reader]) => !names.has(reader))
    const { about, engine } = store
    const first = left.length === 0 || about.lacks.has("readAll")
      ? Effect.undefined
      : firstOfAll(engine, { after: origin, to: head, prefix: "", types: undefined })
    return Effect.map(first, (oldest) =>
      left.map(([reader, id]) => ({
        reader,
        position: origin,
        lag: head,
        needs: undefined,
        lagTime: oldest === undefined ? 0 : Math.max(0, this.found.now - oldest.at),
        state: "stopped",
        busyFor: 0,
        runner: this.runners.find((runner) => runner.id === id),
        rate: 0,
        error: this.reports.get(`${id} ${reader}`)?.error
      })))
  }

  private idleState(reader: string): PartitionHealth["state"] {
    if (this.found.leases.has(reader)) return "lost"
    return this.found.paused.has(ownerOf(reader)) ? "paused" : "idle"
  }
}

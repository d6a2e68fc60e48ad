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
  type Lease,
  leases,
  type PartitionReport,
  type RunnerRecord,
  runners
} from "./names.ts"
import { listParked } from "./operate.ts"
import type { Guarantee, ProcessorKind } from "./processor.ts"

/** A runner, as far as the store knows. */
export interface RunnerHealth {
  readonly id: string
  readonly label: string
  readonly startedAt: number
  /** Milliseconds since it last showed itself, by the clocks of its machine and this one. */
  readonly silentFor: number
  /** Whether that's less than its patience. */
  readonly alive: boolean
}

/** A partition of a processor. */
export interface PartitionHealth {
  /** Its name among the readers. */
  readonly reader: string
  /** How far it has come: nothing of its own at or below is left. */
  readonly position: Position
  /**
   * 0 where no event that any of the processor's partitions wants is left, otherwise how many positions it is behind
   * the head; `undefined` where its position means nothing here: it needs a reset.
   */
  readonly lag: number | undefined
  /** How old the first event is that is left, in milliseconds; 0 where there is none. */
  readonly lagTime: number
  /** `idle`: nobody runs it; `lost`: whoever has it is silent for too long. */
  readonly state: PartitionReport["state"] | "paused" | "idle" | "lost"
  readonly runner: RunnerHealth | undefined
  /** Events a second, of late. */
  readonly rate: number
  /** Why it's retrying or stopped. */
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
  readonly partitions: ReadonlyArray<PartitionHealth>
  /** How many events are parked, or wait behind one. */
  readonly parked: number
  /** Every partition is run by somebody alive who isn't stuck, or need not be any more, and nothing is parked. */
  readonly healthy: boolean
}

/** The health of everything that runners run. */
export interface Health {
  readonly head: Position
  readonly runners: ReadonlyArray<RunnerHealth>
  readonly processors: ReadonlyArray<ProcessorHealth>
}

/** Reads the health of all processors that were ever run here and not forgotten since. Fails as every read. */
export const health = (store: StoreShape): Effect.Effect<Health, StoreError> =>
  Effect.gen(function*() {
    const records = yield* Stream.runCollect(runners(store).scan())
    const held = yield* Stream.runCollect(leases(store).scan())
    const said = yield* Stream.runCollect(controls(store).scan())
    const ever = yield* Stream.runCollect(knownProcessors(store).scan())
    const aside = yield* Stream.runCollect(listParked(store))
    const readers = (yield* Stream.runCollect(checkpoints(store).scan())).map(checkpointOf)
    const live = new Map(
      (yield* Stream.runCollect(liveVersions(store).scan())).map(({ key, value }) => [key, value.version])
    )
    const now = yield* Clock.currentTimeMillis
    const known = new Known(records, held, new Set(said.flatMap(({ key, value }) => value.paused ? [key] : [])), now)
    const names = new Set(ever.map(({ key }) => key))
    // Read after the checkpoints, so that none of them can rightly lie beyond it.
    const head = yield* store.head
    const own = readers.filter(({ name }) => names.has(ownerOf(name)))
    const begun = yield* Effect.forEach(own, (reader) => known.partition(store, head, reader), { concurrency: 16 })
    const all = [...begun, ...(yield* known.unbegun(store, head, own))]
    const processors = ever.map(({ key: name, value: { guarantee, kind, partitions: whole } }): ProcessorHealth => {
      const partitions = all.filter(({ reader }) => ownerOf(reader) === name)
      const parked = aside.filter(({ processor, state }) => processor === name && state !== "dropped").length
      const standing = standingOf(partitions[0]?.reader, live)
      const isKept = partitions.length === whole && partitions.every(isHealthy)
      return {
        name,
        kind,
        guarantee,
        standing,
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

const isHealthy = ({ state }: PartitionHealth): boolean => state === "running" || state === "paused"

/** What was read, to be asked by name. */
class Known {
  readonly runners: ReadonlyArray<RunnerHealth>
  private readonly reports: ReadonlyMap<string, PartitionReport>
  /** Who has said of a partition that it can't be run, whoever has its lease. */
  private readonly refusedBy: ReadonlyMap<string, string>
  private readonly leases: ReadonlyMap<string, Lease>
  private readonly paused: ReadonlySet<string>
  private readonly now: number

  constructor(
    records: ReadonlyArray<Entry<RunnerRecord>>,
    held: ReadonlyArray<Entry<Lease>>,
    paused: ReadonlySet<string>,
    now: number
  ) {
    this.runners = records.map(({ at, key, value: { label, patience, startedAt } }) => {
      const silentFor = Math.max(0, now - at)
      return { id: key, label, startedAt, silentFor, alive: silentFor < patience }
    })
    this.reports = new Map(
      records.flatMap(({ key, value }) =>
        value.partitions.map((report) => [`${key} ${report.reader}`, report] as const)
      )
    )
    const living = new Set(this.runners.flatMap(({ alive, id }) => alive ? [id] : []))
    this.refusedBy = new Map(
      records.filter(({ key }) => living.has(key)).flatMap(({ key, value }) =>
        value.partitions.flatMap(({ reader, state }) => state === "stopped" ? [[reader, key] as const] : [])
      )
    )
    this.leases = new Map(held.map(({ key, value }) => [key, value]))
    this.paused = paused
    this.now = now
  }

  partition(store: StoreShape, head: Position, reader: Checkpoint): Effect.Effect<PartitionHealth, StoreError> {
    const { name, prefix, types } = reader
    const owner = this.leases.get(name)?.runner ?? this.refusedBy.get(name)
    const runner = this.runners.find(({ id }) => id === owner)
    const report = runner?.alive === true ? this.reports.get(`${owner} ${name}`) : undefined
    const position = Position(Math.max(reader.position, report?.position ?? 0))
    const isStale = staleCheckpoint(store.about, head, reader) !== undefined
    const next = isStale || position >= head || store.about.lacks.has("readAll")
      ? Effect.undefined
      : firstOfAll(store.engine, { after: position, to: head, prefix, types })
    return Effect.map(next, (first) => ({
      reader: name,
      position,
      lag: isStale ? undefined : first === undefined ? 0 : head - position,
      lagTime: first === undefined ? 0 : Math.max(0, this.now - first.at),
      state: runner?.alive === true ? report?.state ?? "running" : this.idleState(ownerOf(name), owner),
      runner,
      rate: report?.rate ?? 0,
      error: report?.error
    }))
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
        lagTime: oldest === undefined ? 0 : Math.max(0, this.now - oldest.at),
        state: "stopped",
        runner: this.runners.find((runner) => runner.id === id),
        rate: 0,
        error: this.reports.get(`${id} ${reader}`)?.error
      })))
  }

  private idleState(processor: string, owner: string | undefined): PartitionHealth["state"] {
    if (owner !== undefined) return "lost"
    return this.paused.has(processor) ? "paused" : "idle"
  }
}

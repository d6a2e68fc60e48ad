/** What a runner sees of the others at one moment, and what follows from it: which partitions are its own. */
import type { Entry, Position, StoreError, StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { deal } from "./deal.ts"
import { controls, type Lease, leases, type RunnerRecord, runners } from "./names.ts"
import type { Processor } from "./processor.ts"
import type { Sightings } from "./sightings.ts"

/** Everything about the others. */
export interface View {
  readonly records: ReadonlyArray<Entry<RunnerRecord>>
  readonly alive: ReadonlyArray<Entry<RunnerRecord>>
  readonly leases: ReadonlyMap<string, Entry<Lease>>
  readonly controls: ReadonlyMap<string, { readonly paused: boolean; readonly revision: Position }>
}

/** Looks at everything about the others, `now` on this machine's monotonic clock. Fails as every read. */
export const lookAround = Effect.fnUntraced(function*(
  store: StoreShape,
  sightings: Sightings,
  now: number
): Effect.fn.Return<View, StoreError> {
  const records = yield* Stream.runCollect(runners(store).scan())
  const held = yield* Stream.runCollect(leases(store).scan())
  const said = yield* Stream.runCollect(controls(store).scan())
  return {
    records,
    alive: sightings.look(records, now),
    leases: new Map(held.map((lease) => [lease.key, lease])),
    controls: new Map(said.map(({ key, revision, value: { paused } }) => [key, { paused, revision }]))
  }
})

/** The readers of the partitions that a runner should run, dealt among those who know their processors. */
export const shareOf = (
  id: string,
  own: ReadonlyArray<{ readonly processor: Pick<Processor, "name">; readonly reader: string }>,
  { alive, controls: said }: View
): ReadonlySet<string> => {
  const groups = new Map<string, { readonly who: ReadonlyArray<string>; readonly readers: Array<string> }>()
  for (const { processor, reader } of own) {
    if (said.get(processor.name)?.paused === true) continue
    const who = alive.filter(({ value }) => value.processors.includes(processor.name)).map(({ key }) => key)
    const group = groups.get(who.join()) ?? { who, readers: [] }
    group.readers.push(reader)
    groups.set(who.join(), group)
  }
  return new Set(
    Array.from(groups.values()).flatMap(({ readers, who }) =>
      Array.from(deal(who, readers)).flatMap(([reader, runner]) => runner === id ? [reader] : [])
    )
  )
}

/** Laws of the options of whatever folds the log: every one that is documented makes a difference somewhere. */
import type {
  Append,
  BuildOptions,
  Catalogue,
  CompactOptions,
  DecideOptions,
  DeleteSnapshotsOptions,
  LoadOptions,
  Projection,
  ReplayOptions,
  WaitOptions
} from "@persist/core"
import { Decider, ReadModel, SnapshotPolicy } from "@persist/core"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { commit, event } from "../given.ts"
import type { Need } from "../law.ts"
import { book, doubled, history, latest, Ledger } from "../ledger.ts"
import { at, clockAt } from "../store-given.ts"
import { storeLawOf } from "../store-law.ts"
import { different, type Trial, trialOf, type Trials } from "../trial.ts"

const law = storeLawOf("store fold options")
const compacting: ReadonlyArray<Need> = ["atomic", "truncate", "streams", "scan", "delete"]

// Where a trial has compacted the stream, a projection that begins at its start is refused, and nothing else is.
const refused = () => Effect.void

// A clock on which an hour passes every time that it's looked at.
const passing = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    let now = 0
    const tick = () => now += 3_600_000
    return Effect.provideService(effect, Clock.Clock, clockAt(tick))
  })

const sums = (name: string) =>
  ReadModel.make({
    name,
    version: 1,
    events: Ledger,
    keys: ({ stream }) => stream,
    seed: 0,
    step: (sum, { data }) => sum + data,
    value: Schema.Finite
  })

const rivalIn = (stream: string): Append => ({ stream, events: [event("1", { type: "In" })] })

/** Laws of the options of folds. */
export const storeFoldOptions = [
  law("every option of a replay and of a load makes a difference", ["truncate", "streams", "scan"], function*(
    store,
    { core, over }
  ) {
    yield* book(store, ["cut", "whole"], 8)
    yield* store.log().truncate("cut", 3)
    const hasty = yield* over((backend) => backend, { atLeastWithin: 1 })
    const project = trialOf((options: ReplayOptions & { readonly stream: string }) =>
      Effect.map(core.project(hasty, history, options), ({ state }) => state.seen)
    )
    const replays: Trials<ReplayOptions> = {
      asOf: project({ stream: "whole", asOf: { seq: 2 } }, { stream: "whole" }),
      allowTruncated: project({ stream: "cut", allowTruncated: true }, { stream: "cut" }),
      atLeast: project({ stream: "whole", atLeast: 1_000_000_000 }, { stream: "whole" })
    }
    yield* at(0, different(replays))
    const load = trialOf((options: LoadOptions & { readonly stream: string }) =>
      Effect.andThen(
        core.load(store, latest, options),
        Effect.map(Stream.runCollect(core.listSnapshots(store, { projection: "latest" })), (infos) => infos.length)
      )
    )
    yield* different<Pick<LoadOptions, "snapshots">>({
      snapshots: load({ stream: "whole", snapshots: SnapshotPolicy.every(1) }, { stream: "whole" })
    })
  }),

  law("every option of keeping and deleting snapshots makes a difference", compacting, function*(
    _store,
    { core, elsewhere }
  ) {
    // What is there after three saves of one stream, and one of another version and of another projection.
    const saved = Effect.fnUntraced(function*(save: (n: number) => SnapshotPolicy, filter?: DeleteSnapshotsOptions) {
      const store = yield* core.makeStore(yield* elsewhere)
      for (const n of [1, 2, 3]) {
        yield* book(store, ["s"], 3)
        yield* core.load(store, history, { stream: "s", snapshots: save(n) })
      }
      if (filter !== undefined) {
        yield* Effect.catchTag(core.saveSnapshot(store, doubled, { stream: "s" }), "Invalid", refused)
        yield* Effect.catchTag(core.saveSnapshot(store, latest, { stream: "s", keep: 1 }), "Invalid", refused)
        yield* core.deleteSnapshots(store, filter)
      }
      const infos = yield* Stream.runCollect(core.listSnapshots(store))
      const left = yield* Stream.runCount(store.log().read("s"))
      return [left, infos.map(({ projection, seq, version }) => [projection, version, seq])]
    })
    const every = SnapshotPolicy.every
    yield* different<{ events: number; keep: number; keepEvents: number; size: number; millis: number }>({
      events: [saved(() => every(1)), saved(() => every(100))],
      keep: [saved(() => every(1)), saved(() => every(1, { keep: 1 }))],
      keepEvents: [saved(() => every(1)), saved(() => every(1, { keepEvents: 1 }))],
      size: [saved(() => SnapshotPolicy.byCost({ size: 1 })), saved(() => SnapshotPolicy.byCost({ size: 1_000_000 }))],
      millis: [
        saved(() => SnapshotPolicy.byCost({ size: 1_000_000, millis: 1_000_000 })),
        passing(saved(() => SnapshotPolicy.byCost({ size: 1_000_000, millis: 1 })))
      ]
    })
    const compacted = () => every(1, { keepEvents: 1 })
    const trials: Trials<DeleteSnapshotsOptions> = {
      projection: [saved(() => every(1), {}), saved(() => every(1), { projection: "latest" })],
      version: [
        saved(() => every(1), { projection: "history" }),
        saved(() => every(1), { projection: "history", version: 2 })
      ],
      force: [saved(compacted, {}), saved(compacted, { force: true })]
    }
    yield* different(trials)
  }),

  law("every option of a compaction makes a difference", compacting, function*(store, { core }) {
    let attempts = 0
    const compact = <S, C extends Catalogue>(projection: Projection<S, C>) =>
      Effect.fnUntraced(function*(options: Partial<CompactOptions<S, C>>) {
        const own = `stream ${++attempts}`
        const other = `other ${attempts}`
        yield* book(store, [own, other], 12)
        for (const _ of [1, 2, 3]) {
          yield* core.saveSnapshot(store, history, { stream: own, keep: 9 })
          yield* book(store, [own], 1)
        }
        const stream = options.stream === undefined ? own : other
        yield* core.compact(store, { projection, ...options, stream })
        const infos = yield* Stream.runCollect(core.listSnapshots(store))
        const saved = infos.filter(({ scope }) => "stream" in scope && scope.stream === stream)
        const left = yield* Effect.forEach([own, other], (each) => Stream.runCount(store.log().read(each)))
        return [left, saved.map((info) => [info.projection, Number(info.seq)])]
      })
    const trial = trialOf(compact(history))
    const trials: Trials<CompactOptions<unknown, Catalogue>> = {
      projection: [compact(history)({}), compact(latest)({})],
      stream: trial({ stream: "the other" }, {}),
      keep: trial({ keep: 3 }, {}),
      keepEvents: trial({ keepEvents: 3 }, {}),
      dryRun: trial({ dryRun: true }, {})
    }
    yield* different(trials)
  }),

  law("every option of a decision makes a difference", [...compacting, "resolve", "meta"], function*(
    _store,
    { core, over }
  ) {
    const add = Decider.make({
      name: "add",
      projection: history,
      decide: (_state, data: number) => [{ type: "In" as const, data }]
    })
    let attempts = 0
    // Two decisions on a stream whose beginning is cut or not, while somebody else appends to it four times.
    const decided = Effect.fnUntraced(function*(options: DecideOptions, cut: boolean) {
      const stream = `stream ${++attempts}`
      let races = 0
      const store = yield* over((backend) => ({
        ...backend,
        commit: (batch) =>
          Effect.suspend(() =>
            races > 0 && races-- > 0 && batch.some(({ append: appends }) => appends.length > 0)
              ? Effect.andThen(backend.commit([commit({ append: [rivalIn(stream)] })]), backend.commit(batch))
              : backend.commit(batch)
          )
      }))
      yield* book(store, [stream], 3)
      if (cut) yield* store.log().truncate(stream, 3)
      races = 4
      const outcomes = yield* Effect.forEach(
        [1, 2],
        () => Effect.map(core.decide(store, add, stream, 1, options), (outcome) => outcome._tag)
      )
      const [last] = yield* Stream.runCollect(store.log(Ledger).read(stream, { reverse: true, limit: 1 }))
      const infos = yield* Stream.runCollect(core.listSnapshots(store))
      const saved = infos.filter(({ scope }) => "stream" in scope && scope.stream === stream)
      return [outcomes, Number(last?.seq), last?.at === 7, last?.meta, saved.length]
    })
    const trial = (options: DecideOptions, cut = false): Trial => [decided({}, cut), decided(options, cut)]
    const trials: Trials<DecideOptions> = {
      retries: trial({ retries: 9 }),
      id: [decided({ retries: 9 }, false), decided({ retries: 9, id: "once" }, false)],
      at: trial({ at: 7 }),
      meta: trial({ meta: { by: "me" } }),
      snapshots: trial({ snapshots: SnapshotPolicy.every(1) }),
      allowTruncated: trial({ allowTruncated: true }, true)
    }
    yield* different(trials)
  }),

  law("every option of a read model makes a difference", ["readAll", "atomic", ...compacting], function*(
    store,
    { core }
  ) {
    yield* book(store, ["s"], 4)
    yield* store.log().truncate("s", 3)
    const build = trialOf((options: BuildOptions) =>
      Effect.andThen(core.catchUp(store, sums("build"), options), sums("build").kv(store).get("s"))
    )
    const builds: Trials<BuildOptions> = { allowTruncated: build({ allowTruncated: true }, {}) }
    yield* different(builds)
    const waited = trialOf((options: WaitOptions) =>
      Effect.suspend(() => {
        const asked: Array<number> = []
        const sleep = (time: Duration.Duration) => Effect.sync(() => asked.push(Duration.toMillis(time)))
        return Effect.flatMap(store.head, (head) =>
          core.waitFor(store, sums("nobody's"), head, options).pipe(
            Effect.exit,
            Effect.provideService(Clock.Clock, clockAt(0, sleep)),
            Effect.as(asked)
          ))
      })
    )
    const waits: Trials<WaitOptions> = { within: waited({ within: 7 }, {}) }
    yield* different(waits)
  })
]

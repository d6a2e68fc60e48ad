/** Laws of options: every one that is documented makes a difference somewhere. */
import type {
  AppendOptions,
  CommitOptions,
  PutOptions,
  ReadAllOptions,
  ReadStreamOptions,
  ScanOptions,
  SinceOptions,
  StoreOptions,
  StoreShape,
  StreamsOptions
} from "@persist/core"
import { Unavailable } from "@persist/core"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { failingFirst, gated } from "../gate.ts"
import { at, clockAt, count, dataOf, fill, fillKeys, input } from "../store-given.ts"
import { type Bench, storeLawOf } from "../store-law.ts"
import { different, reading, type Trials } from "../trial.ts"

const law = storeLawOf("store options")
const unheld = { expected: "any" } as const
const early = { startImmediately: true } as const

// What no store comes to in these laws, so that demanding it fails.
const farAway = 1_000_000_000

const impatient = ({ over }: Bench) => over((backend) => backend, { atLeastWithin: 1 })

const down = new Unavailable({ operation: "commit", reason: "the disk is away", remedy: "try again" })

// How many of six commits at once are taken, and in how many flushes.
const burst = Effect.fnUntraced(function*({ backend, over }: Bench, options: StoreOptions) {
  const gate = yield* gated(backend)
  const store = yield* over(() => gate.backend, options)
  const fibers = yield* Effect.forEach(
    count(6),
    (n) => Effect.forkChild(Effect.exit(fill(store, `s${n}`, ["x".repeat(50)])), early)
  )
  const sizes: Array<number> = []
  yield* Effect.forEach(count(6), () => gate.open)
  const exits = yield* Effect.forEach(fibers, (fiber) => Fiber.join(fiber))
  const taken = exits.filter(({ _tag }) => _tag === "Success").length
  for (let flushed = 0; flushed < taken; flushed += sizes.at(-1) ?? 1) sizes.push((yield* gate.arrived).length)
  return [taken, sizes]
})

// Whether a write was one that had happened before, the first time and the second.
const writtenTwice = (write: Effect.Effect<{ readonly _tag: string }, unknown>) =>
  Effect.forEach([1, 2], () => Effect.map(write, (told) => "repeated" in told && told.repeated))

const commits = (store: StoreShape, stream: string) => {
  const { append } = store.log()
  const twice = (options: CommitOptions) =>
    Effect.forEach(
      [1, 2],
      () => Effect.map(append(stream, input(1), { ...unheld, ...options }), (told) => told.repeated)
    )
  const time = (options: CommitOptions) =>
    Effect.andThen(
      append(stream, input(1), { ...unheld, ...options }),
      Effect.map(Stream.runCollect(store.log().read(stream, { reverse: true, limit: 1 })), ([event]) => event?.at)
    )
  return { id: [twice({}), twice({ id: `${stream} once` })], at: [time({}), time({ at: 5 })] } as const
}

/** Laws of the options of logs, kvs, commits and stores. */
export const storeOptions = [
  law("every option of reading a stream makes a difference", [], function*(store, bench) {
    yield* fill(store, "s", count(5))
    const hasty = yield* impatient(bench)
    const trial = reading((options: ReadStreamOptions) => hasty.log().read("s", options), ({ seq }) => seq)
    const trials: Trials<ReadStreamOptions> = {
      from: trial({ from: 2 }, {}),
      to: trial({ to: 2 }, {}),
      limit: trial({ limit: 2 }, {}),
      reverse: trial({ reverse: true }, {}),
      atLeast: trial({ atLeast: farAway }, {})
    }
    yield* at(0, different(trials))
  }),

  law("every option of reading all streams makes a difference", ["readAll"], function*(store, bench) {
    yield* fill(store, "a", count(3))
    yield* fill(store, "b", count(3), "U")
    const hasty = yield* impatient(bench)
    const [, second] = yield* Stream.runCollect(store.log().readAll())
    const position = second?.position ?? 0
    const trial = reading((options: ReadAllOptions) => hasty.log().readAll(options), (event) => event.position)
    const trials: Trials<ReadAllOptions> = {
      after: trial({ after: position }, {}),
      to: trial({ to: position }, {}),
      prefix: trial({ prefix: "b" }, {}),
      types: trial({ types: ["U"] }, {}),
      limit: trial({ limit: 2 }, {}),
      reverse: trial({ reverse: true }, {}),
      atLeast: trial({ atLeast: farAway }, {})
    }
    yield* at(0, different(trials))
  }),

  law("every option of listing streams makes a difference", ["streams"], function*(store) {
    for (const stream of ["a", "b", "bc"]) yield* fill(store, stream, [1])
    const trial = reading((options: StreamsOptions) => store.log().streams(options), ({ stream }) => stream)
    const trials: Trials<StreamsOptions> = {
      prefix: trial({ prefix: "b" }, {}),
      after: trial({ after: "a" }, {}),
      limit: trial({ limit: 1 }, {})
    }
    yield* different(trials)
  }),

  law("every option of scanning and counting keys makes a difference", ["scan"], function*(store, bench) {
    yield* fillKeys(store, "n", ["a", "b", "bc", "c"])
    const hasty = (yield* impatient(bench)).kv("n")
    const scan = reading((options: ScanOptions) => hasty.scan(options), ({ key }) => key)
    const counted = (options: ScanOptions) => [hasty.count(), hasty.count(options)] as const
    const bounds = { prefix: { prefix: "b" }, gte: { gte: "b" }, gt: { gt: "b" }, lt: { lt: "b" }, lte: { lte: "b" } }
    const trials: Trials<ScanOptions> = {
      prefix: scan(bounds.prefix, {}),
      gte: scan(bounds.gte, {}),
      gt: scan(bounds.gt, bounds.gte),
      lt: scan(bounds.lt, bounds.lte),
      lte: scan(bounds.lte, {}),
      limit: scan({ limit: 1 }, {}),
      reverse: scan({ reverse: true }, {}),
      atLeast: scan({ atLeast: farAway }, {})
    }
    yield* at(0, different(trials))
    const counts: Trials<Omit<ScanOptions, "reverse">> = {
      prefix: counted(bounds.prefix),
      gte: counted(bounds.gte),
      gt: counted(bounds.gt),
      lt: counted(bounds.lt),
      lte: counted(bounds.lte),
      limit: counted({ limit: 1 }),
      atLeast: counted({ atLeast: farAway })
    }
    yield* at(0, different(counts))
  }),

  law("every option of following the kv makes a difference", ["changed"], function*(store, bench) {
    const [, second] = yield* fillKeys(store, "n", ["a", "b", "c"])
    const hasty = (yield* impatient(bench)).kv("n")
    const after = second?.revision ?? 0
    const changed = reading((options: SinceOptions) => hasty.changedSince(options), ({ key }) => key)
    const watched = reading((options: SinceOptions) => Stream.take(hasty.watch(options), 1), ({ key }) => key)
    for (const trial of [changed, watched]) {
      const trials: Trials<SinceOptions> = {
        after: trial({ after }, { after: 0 }),
        atLeast: trial({ after: 0, atLeast: farAway }, { after: 0 })
      }
      yield* at(0, different(trials))
    }
  }),

  law("every option of an append makes a difference", ["resolve"], function*(store) {
    const { append } = store.log()
    const tag = (expected: number | "any") => Effect.map(append("s", input(1), { expected }), ({ _tag }) => _tag)
    const trials: Trials<AppendOptions> = { expected: [tag("any"), tag(7)], ...commits(store, "t") }
    yield* different(trials)
  }),

  law("every option of a put and of a delete makes a difference", ["resolve", "meta", "delete"], function*(store) {
    const kv = store.kv("n")
    const entry = Effect.map(kv.entry("k"), Option.map(({ at: time, meta }) => [time, meta]))
    const put = (options: PutOptions) => Effect.map(kv.put("k", 1, options), (told) => told._tag)
    const remove = (options: PutOptions) => Effect.map(kv.delete("k", options), (told) => told._tag)
    const trials: Trials<PutOptions> = {
      expected: [put({}), put({ expected: "absent" })],
      meta: [Effect.andThen(put({ at: 1 }), entry), Effect.andThen(put({ at: 1, meta: { by: "me" } }), entry)],
      id: [writtenTwice(kv.put("k", 1)), writtenTwice(kv.put("k", 1, { id: "put" }))],
      at: [Effect.andThen(put({}), entry), Effect.andThen(put({ at: 5 }), entry)]
    }
    yield* different(trials)
    const deletes: Trials<Omit<PutOptions, "meta" | "at">> = {
      expected: [remove({}), remove({ expected: "exists" })],
      id: [writtenTwice(kv.delete("k")), writtenTwice(kv.delete("k", { id: "delete" }))]
    }
    yield* different(deletes)
  }),

  law("every option of a commit makes a difference", ["resolve"], function*(store) {
    const commit = (options: CommitOptions) => store.commit([store.log().ops.append("s", input(1), unheld)], options)
    const twice = (options: CommitOptions) =>
      Effect.forEach([1, 2], () => Effect.map(commit(options), (told) => "repeated" in told && told.repeated))
    const last = Effect.map(Stream.runCollect(store.log().read("s", { reverse: true, limit: 1 })), ([one]) => one?.at)
    const trials: Trials<CommitOptions> = {
      id: [twice({}), twice({ id: "once" })],
      // One clock for both, so that nothing but the option can make the difference.
      at: [at(1, Effect.andThen(commit({}), last)), at(1, Effect.andThen(commit({ at: 5 }), last))]
    }
    yield* different(trials)
  }),

  law("every option of a store makes a difference", [], function*(store, bench) {
    yield* fill(store, "s", [1])
    // What a commit meets that is down three times, and what a read meets that demands too much.
    const retried = (options: StoreOptions) =>
      at(
        0,
        Effect.flatMap(
          bench.over((backend) => failingFirst(backend, "before", [down, down, down]), options),
          (failing) => Effect.map(fill(failing, "t", [1]), (told) => told.length)
        )
      )
    // How long a read is prepared to wait, as the clock is asked.
    const demanded = Effect.fnUntraced(function*(options: StoreOptions) {
      const asked: Array<number> = []
      const patient = yield* bench.over((backend) => backend, options)
      const clock = clockAt(0, (time) => Effect.sync(() => asked.push(Duration.toMillis(time))))
      yield* Effect.exit(Effect.provideService(dataOf(patient, "s", { atLeast: farAway }), Clock.Clock, clock))
      return asked
    })
    const trials: Trials<StoreOptions> = {
      waitingCommits: [burst(bench, {}), burst(bench, { waitingCommits: 2 })],
      waitingBytes: [burst(bench, {}), burst(bench, { waitingBytes: 120 })],
      batchCommits: [burst(bench, { batchCommits: 6 }), burst(bench, { batchCommits: 2 })],
      retries: [retried({}), retried({ retries: 3 })],
      atLeastWithin: [demanded({}), demanded({ atLeastWithin: 7 })]
    }
    yield* different(trials)
  })
]

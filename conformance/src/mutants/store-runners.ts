/** Mutants of durable subscriptions: they forget, repeat, skip, or let two go on. */
import { Position } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type Core, core } from "../core.ts"
import { beneathMutant, coreMutant } from "../store-mutant.ts"

// Saves a page before it is handled: a crash between the two loses it.
const savesFirst: Core["runSubscription"] = (store, options) =>
  Effect.gen(function*() {
    const { batch, events, from, handle, name, prefix, types } = options
    let held = yield* core.registerReader(store, name, { from, prefix, types })
    const pages = core.subscribePages(store, { events, from: { position: held.position }, prefix, types, batch })
    return yield* pages.pipe(
      Stream.runForEach(Effect.fnUntraced(function*({ items, through }) {
        const next = yield* core.moveCheckpoint(store, held, through)
        if ("_tag" in next) return yield* Effect.die(new Error("fenced"))
        held = next
        yield* Effect.forEach(items, (event) => handle(event), { discard: true })
      })),
      Effect.andThen(Effect.never)
    )
  })

// Saves after every event of its own, and never otherwise.
const savesEvents: Core["runSubscription"] = (store, options) =>
  Effect.gen(function*() {
    const { batch, events, from, handle, name, prefix, types } = options
    let held = yield* core.registerReader(store, name, { from, prefix, types })
    const found = core.subscribe(store, { events, from: { position: held.position }, prefix, types, batch })
    return yield* found.pipe(
      Stream.mapEffect((event) =>
        Effect.uninterruptible(Effect.andThen(handle(event), core.moveCheckpoint(store, held, event.position)))
      ),
      Stream.tap((next) =>
        Effect.sync(() => {
          if (!("_tag" in next)) held = next
        })
      ),
      Stream.filter((next) => "_tag" in next),
      Stream.runHead,
      Effect.flatMap((fenced) =>
        fenced._tag === "Some" && "_tag" in fenced.value ? Effect.succeed(fenced.value) : Effect.never
      )
    )
  })

/** Broken in durable subscriptions. */
export const storeRunners = [
  coreMutant("misses what was there", "begins a subscription that is new at the end", {
    runSubscription: (store, options) => core.runSubscription(store, { from: "end", ...options })
  }, [
    "a subscription that lags behind a compaction handles every event once",
    "what was appended before a subscription first ran is handled like what comes later",
    "a subscription that was stopped goes on where it stopped, and handles nothing twice",
    "a subscription that crashes at any save loses nothing, and repeats only what it had not saved",
    "a handler that fails ends its subscription, with all before that event saved",
    "whoever interrupts a subscription waits for the event in hand, which is then saved",
    "of two who run one subscription the slower is fenced, and the other goes on",
    "a subscription that is reset begins again, and whoever ran it is fenced",
    "a subscription that is removed is forgotten, and whoever ran it is fenced",
    "a subscription whose checkpoint is of another history of the store is told so, and mended by a reset",
    "a subscription whose checkpoint lies beyond the store's head is told so"
  ]),

  coreMutant("begins again", "begins a subscription at the start whenever it is run", {
    runSubscription: (store, options) =>
      Effect.andThen(core.removeReader(store, options.name), core.runSubscription(store, options))
  }, [
    "a subscription that lags behind a compaction handles every event once",
    "a subscription that was stopped goes on where it stopped, and handles nothing twice",
    "a subscription that crashes at any save loses nothing, and repeats only what it had not saved",
    "a handler that fails ends its subscription, with all before that event saved",
    "a subscription whose checkpoint is of another history of the store is told so, and mended by a reset",
    "a subscription whose checkpoint lies beyond the store's head is told so",
    "a reader or subscription that is wrong in any part is refused by that part's name"
  ]),

  coreMutant("saves first", "saves a page before it is handled", { runSubscription: savesFirst }, [
    "a subscription that crashes at any save loses nothing, and repeats only what it had not saved",
    "a handler that fails ends its subscription, with all before that event saved",
    "whoever interrupts a subscription waits for the event in hand, which is then saved",
    "of two who run one subscription the slower is fenced, and the other goes on",
    "a subscription that is reset begins again, and whoever ran it is fenced",
    "a subscription that is removed is forgotten, and whoever ran it is fenced",
    "a reader or subscription that is wrong in any part is refused by that part's name"
  ]),

  coreMutant("saves events only", "saves nothing but events that it has handled", { runSubscription: savesEvents }, [
    "a stretch that is none of a subscription's is passed, and saved",
    "a reader or subscription that is wrong in any part is refused by that part's name"
  ]),

  coreMutant("goes on anyhow", "goes on after an event whose handler failed", {
    runSubscription: (store, options) =>
      core.runSubscription(store, { ...options, handle: (event) => Effect.ignore(options.handle(event)) })
  }, [
    "a handler that fails ends its subscription, with all before that event saved"
  ]),

  coreMutant("done is done", "takes a page whose handler failed for handled", {
    runSubscriptionPages: (store, options) =>
      core.runSubscriptionPages(store, {
        ...options,
        handle: (page) =>
          Effect.tapError(Effect.suspend(() => options.handle(page)), () =>
            core.resetReader(store, options.name, { position: page.through }))
      })
  }, [
    "a page whose handler fails is given again whole",
    "every option of a durable subscription makes a difference"
  ]),

  coreMutant("runs on", "runs on when somebody else has got further", {
    runSubscription: (store, options) => Effect.forever(core.runSubscription(store, options))
  }, [
    "of two who run one subscription the slower is fenced, and the other goes on",
    "a subscription that is reset begins again, and whoever ran it is fenced",
    "a subscription that is removed is forgotten, and whoever ran it is fenced"
  ]),

  coreMutant("drops what is in hand", "lets an interruption through to the handler", {
    runSubscription: (store, options) =>
      core.runSubscription(store, { ...options, handle: (event) => Effect.interruptible(options.handle(event)) })
  }, [
    "whoever interrupts a subscription waits for the event in hand, which is then saved"
  ]),

  coreMutant("resets itself", "begins again where its checkpoint is of another history", {
    runSubscription: (store, options) =>
      Effect.catchTag(
        core.runSubscription(store, options),
        "Corrupt",
        () => Effect.andThen(core.resetReader(store, options.name), core.runSubscription(store, options))
      )
  }, [
    "a subscription whose checkpoint is of another history of the store is told so, and mended by a reset",
    "a subscription whose checkpoint lies beyond the store's head is told so"
  ]),

  beneathMutant("no identity", "takes every history of the store for the same", (backend) => ({
    about: { ...backend.about, incarnation: "the store" }
  }), [
    "a subscription whose checkpoint is of another history of the store is told so, and mended by a reset",
    "a read model whose checkpoint is of another history is told so, and mended by a rebuild",
    "an operation of another store is refused by its place, and changes neither store",
    "a strong read of another history, of other events or of truncated streams is refused"
  ]),

  beneathMutant("no end", "tells that its head lies at least where a checkpoint may", (backend) => ({
    head: Effect.map(backend.head, (head) => head === 1 ? Position(1_000_000_000) : head)
  }), [
    "the head is where the last commit is",
    "whoever demands a position waits until the store has come to it",
    "a store that doesn't come to the position that is demanded says so, and gives nothing",
    "a subscription whose checkpoint lies beyond the store's head is told so"
  ]),

  coreMutant("saves every page", "saves after every page, however seldom it is told to", {
    runSubscriptionPages: (store, options) => core.runSubscriptionPages(store, { ...options, saveEvery: undefined })
  }, [
    "every option of a durable subscription makes a difference"
  ])
]

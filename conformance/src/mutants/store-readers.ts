/** Mutants of readers and subscriptions: they begin, follow, filter or fence wrongly. */
import type { StoreShape } from "@persist/core"
import { makeSignal, origin, Position } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { type Core, core } from "../core.ts"
import { beneathMutant, coreMutant, perStore } from "../store-mutant.ts"

const checkpointOf = (store: StoreShape, name: string) =>
  Effect.flatMap(
    core.readCheckpoint(store, name),
    (found) => Option.isSome(found) ? Effect.succeed(found.value) : Effect.die(new Error("the reader is gone"))
  )

// Pages that lie about how far they looked.
const shortSighted: Core["subscribePages"] = (store, options) =>
  Stream.map(core.subscribePages(store, options), ({ items }) => ({ items, through: items.at(-1)?.position ?? origin }))

// Who has left the subscriptions of a store.
const leavers = perStore(() => new Set<object>())

/** Broken in readers. */
export const storeReaders = [
  coreMutant("begins at the start", "registers every reader at the start", {
    registerReader: (store, name, options) => core.registerReader(store, name, { ...options, from: "start" })
  }, [
    "compaction leaves every registered reader of the stream what it has yet to read",
    "retention leaves every registered reader what it has yet to read",
    "a reader begins where it says, and when it is registered again stays where it has come to",
    "readers are listed by name, with how far each is behind",
    "the slowest reader of a stream is the one of those that read it who has come least far",
    "a subscriber from a reader's checkpoint gets what comes after it, and leaves it there",
    "every option of registering a reader makes a difference"
  ]),

  coreMutant("registers anew", "moves a reader that is registered to where it would begin", {
    registerReader: (store, name, options) =>
      Effect.andThen(core.removeReader(store, name), core.registerReader(store, name, options))
  }, [
    "a reader begins where it says, and when it is registered again stays where it has come to",
    "a reader or subscription that is wrong in any part is refused by that part's name"
  ]),

  coreMutant("goes back", "moves a checkpoint backwards when it is told to", {
    moveCheckpoint: (store, checkpoint, position) =>
      position >= checkpoint.position
        ? core.moveCheckpoint(store, checkpoint, position)
        : Effect.andThen(core.resetReader(store, checkpoint.name, { position }), checkpointOf(store, checkpoint.name))
  }, [
    "a checkpoint moves forwards only"
  ]),

  coreMutant("no fence", "moves a checkpoint that somebody else moved meanwhile", {
    moveCheckpoint: (store, { name, position: _held }, position) =>
      Effect.flatMap(
        checkpointOf(store, name),
        (fresh) => core.moveCheckpoint(store, fresh, Position(Math.max(position, fresh.position)))
      )
  }, [
    "a checkpoint moves forwards only"
  ]),

  coreMutant("all together", "moves every reader where it should move one", {
    moveCheckpoint: (store, checkpoint, position) =>
      Effect.flatMap(core.listReaders(store), (readers) =>
        Effect.andThen(
          Effect.forEach(readers, (reader) =>
            reader.name === checkpoint.name || reader.position > position
              ? Effect.void
              : core.moveCheckpoint(store, reader, position)),
          core.moveCheckpoint(store, checkpoint, position)
        ))
  }, [
    "readers come forward each by itself"
  ]),

  coreMutant("stays behind", "moves no checkpoint in a commit that should move one", {
    checkpointOp: () => ({ "~persist/Op": () => undefined })
  }, [
    "a checkpoint and what it belongs to move in one commit, or neither"
  ]),

  coreMutant("last first", "lists readers in the reverse order", {
    listReaders: (store) => Effect.map(core.listReaders(store), (readers) => readers.toReversed())
  }, [
    "readers are listed by name, with how far each is behind"
  ]),

  coreMutant("never quite there", "counts what is none of a reader's events for what it has yet to read", {
    listReaders: (store) =>
      Effect.flatMap(store.head, (head) =>
        Effect.map(core.listReaders(store), (readers) =>
          readers.map((reader) => ({
            ...reader,
            lag: reader.lag === undefined ? undefined : head - reader.position
          }))))
  }, [
    "readers are listed by name, with how far each is behind"
  ]),

  coreMutant("every reader counts", "takes the slowest of all readers for that of any stream", {
    slowestReader: (store) =>
      Effect.map(
        core.listReaders(store),
        (readers) => readers.length === 0 ? undefined : Position(Math.min(...readers.map(({ position }) => position)))
      )
  }, [
    "the slowest reader of a stream is the one of those that read it who has come least far"
  ]),

  coreMutant("no reset", "leaves a reader where it is when it is reset", {
    resetReader: (store, name, from) =>
      Effect.flatMap(
        core.readCheckpoint(store, name),
        (found) => Option.isSome(found) ? Effect.void : core.resetReader(store, name, from)
      )
  }, [
    "a checkpoint moves forwards only",
    "a subscription that is reset begins again, and whoever ran it is fenced",
    "a subscription whose checkpoint is of another history of the store is told so, and mended by a reset"
  ]),

  coreMutant("no removal", "keeps a reader that is removed", { removeReader: () => Effect.void }, [
    "the slowest reader of a stream is the one of those that read it who has come least far",
    "a subscription that is removed is forgotten, and whoever ran it is fenced"
  ])
]

/** Broken in subscriptions. */
export const storeSubscriptions = [
  coreMutant("a gap at the seam", "begins to listen when it has read what is there", {
    subscribe: (store, options) => {
      const { batch: _batch, events, from, ...filter } = options
      if (from !== "start") return core.subscribe(store, options)
      const later = core.subscribe(store, { ...options, from: "end" })
      return Stream.concat(
        store.log(events).readAll(filter),
        Stream.unwrap(Effect.as(Effect.yieldNow, later))
      )
    }
  }, [
    "a slow subscriber holds nobody up, and little is read ahead of it",
    "everything before an event that can't be decoded is given, and then that it can't",
    "every option of a subscription makes a difference"
  ]),

  coreMutant("twice at the seam", "gives the last event that is there once more", {
    subscribe: (store, options) =>
      options.from !== "start"
        ? core.subscribe(store, options)
        : Stream.unwrap(Effect.map(store.head, (head) =>
          Stream.flatMap(core.subscribe(store, options), (event) =>
            event.position === head ? Stream.make(event, event) : Stream.make(event))))
  }, [
    "a subscriber gets what is there and then what comes, each event once and in its order",
    "a slow subscriber holds nobody up, and little is read ahead of it"
  ]),

  coreMutant("from the start", "begins at the start where it should begin at the end", {
    subscribe: (store, options) =>
      core.subscribe(store, { ...options, from: options.from === "end" ? "start" : options.from })
  }, [
    "a subscriber from the end gets what comes from then on, and nothing before"
  ]),

  coreMutant("a position too early", "begins with the event that it should begin after", {
    subscribe: (store, options) => {
      const { from } = options
      return core.subscribe(store, {
        ...options,
        from: typeof from === "object" && "position" in from
          ? { position: Position(Math.max(0, from.position - 1)) }
          : from
      })
    }
  }, [
    "a subscriber from a position gets what comes after it",
    "a reader or subscription that is wrong in any part is refused by that part's name"
  ]),

  coreMutant("over the checkpoint", "begins at the start where it should begin after a checkpoint", {
    subscribe: (store, options) => {
      const { from } = options
      return core.subscribe(store, {
        ...options,
        from: typeof from === "object" && "checkpoint" in from ? "start" : from
      })
    }
  }, [
    "a subscriber from a reader's checkpoint gets what comes after it, and leaves it there"
  ]),

  coreMutant("no prefix", "gives the events of every stream", {
    subscribe: (store, options) => core.subscribe(store, { ...options, prefix: undefined }),
    subscribePages: (store, options) => core.subscribePages(store, { ...options, prefix: undefined })
  }, [
    "a subscriber with a filter gets what it lets through, now and later",
    "pages tell how far they looked, over whatever the filter leaves out",
    "every option of a subscription makes a difference"
  ]),

  coreMutant("reads ahead", "reads large pages for those who asked for small ones", {
    subscribe: (store, options) => core.subscribe(store, { ...options, batch: undefined })
  }, [
    "a slow subscriber holds nobody up, and little is read ahead of it",
    "a reader or subscription that is wrong in any part is refused by that part's name",
    "every option of a subscription makes a difference"
  ]),

  coreMutant("takes any way to follow", "leaves out what it doesn't know of the options of a subscription", {
    subscribe: (store, { batch, events, from, prefix, types }) =>
      core.subscribe(store, { batch, events, from, prefix, types })
  }, [
    "a reader or subscription that is wrong in any part is refused by that part's name"
  ]),

  coreMutant("whole streams only", "stops at a stream that doesn't begin with its first event", {
    subscribe: (store, options) => {
      const seen = new Set<string>()
      return Stream.takeWhile(core.subscribe(store, options), ({ seq, stream }) => {
        const follows = seq === 1 || seen.has(stream) || options.from !== "start" || options.types !== undefined
        seen.add(stream)
        return follows
      })
    }
  }, [
    "a subscriber passes over what was truncated and deleted, and misses nothing else"
  ]),

  coreMutant("nothing of the store's own", "leaves out streams whose names begin with the store's sign", {
    subscribe: (store, options) =>
      Stream.filter(core.subscribe(store, options), ({ stream }) => !stream.startsWith("$"))
  }, [
    "every way to commit an event reaches every subscriber"
  ]),

  beneathMutant("hears itself only", "tells nobody of what another handle committed", (backend) => {
    const signal = makeSignal()
    return {
      commit: (batch) => Effect.tap(backend.commit(batch), () => Effect.sync(signal.notify)),
      changes: signal.changes
    }
  }, [
    "what changes while a watcher reads what is there is told it once",
    "a subscriber hears of what another handle appends"
  ]),

  coreMutant("one for all", "ends every subscription when one of them ends", {
    subscribe: (store, options) => {
      const gone = leavers(store)
      return core.subscribe(store, options).pipe(
        Stream.takeWhile(() => gone.size === 0),
        Stream.ensuring(Effect.sync(() => gone.add({})))
      )
    }
  }, [
    "a subscriber gets what is there and then what comes, each event once and in its order",
    "a subscriber from a position gets what comes after it",
    "a subscriber from a reader's checkpoint gets what comes after it, and leaves it there",
    "a subscriber with a filter gets what it lets through, now and later",
    "every way to commit an event reaches every subscriber",
    "a subscriber who fails or goes takes nobody with it",
    "a reader or subscription that is wrong in any part is refused by that part's name"
  ]),

  coreMutant("short-sighted", "tells that a page looked no further than its last event", {
    subscribePages: shortSighted
  }, [
    "pages tell how far they looked, over whatever the filter leaves out"
  ]),

  coreMutant("ends at poison", "ends where an event can't be decoded", {
    subscribe: (store, options) =>
      Stream.catch(
        core.subscribe(store, options),
        (error) => error._tag === "Corrupt" && error.where.startsWith("event") ? Stream.empty : Stream.fail(error)
      )
  }, [
    "everything before an event that can't be decoded is given, and then that it can't"
  ])
]

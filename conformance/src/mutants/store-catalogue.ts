/** Mutants that misread events by their catalogue, or pay no heed to it. */
import type { Catalogue, Definitions, StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { type Core, core } from "../core.ts"
import { coreMutant, storeMutant } from "../store-mutant.ts"
import { queryLaws } from "./query-laws.ts"

type Policy = Catalogue["unknown"]

const make = (definitions: Definitions, unknown: Policy): Catalogue =>
  core.makeCatalogue(definitions, { unknown }) as unknown as Catalogue // whatever its types

// Catalogues of which a part is replaced.
const making = (wrong: (catalogue: Catalogue) => Partial<Catalogue>): Partial<Core> => ({
  makeCatalogue: ((definitions: Definitions, options?: { readonly unknown: Policy }) => {
    const catalogue = make(definitions, options?.unknown ?? "fail")
    return { ...catalogue, ...wrong(catalogue) }
  }) as Core["makeCatalogue"] // What is replaced has the same type.
})

// Catalogues that are asked for otherwise than they are called.
const asking = (change: (definitions: Definitions, unknown: Policy) => Catalogue): Partial<Core> => ({
  makeCatalogue:
    ((definitions: Definitions, options?: { readonly unknown: Policy }) =>
      change(definitions, options?.unknown ?? "fail")) as Core["makeCatalogue"] // as above
})

/** Broken in catalogues. */
export const storeCatalogue = [
  storeMutant("untyped", "reads and writes every log as if it had no catalogue", (store) => ({
    log: (() => store.log()) as StoreShape["log"] // What it gives is of another type, which is the bug.
  }), [
    "an event's data comes back as its schema describes it",
    "an event that doesn't fit its catalogue is refused, and nothing of its commit happens",
    "an event of a type that the catalogue doesn't know is Corrupt, unless its policy says otherwise",
    "a catalogue whose policy is to skip leaves out what it doesn't know, and counts without it",
    "a catalogue whose policy is to pass gives what it doesn't know as it is stored, and says so",
    "an event of an old version is read as the newest, and what is stored stays as it was",
    "an event of a newer version than the catalogue knows is Corrupt, and not misread",
    "a catalogue narrowed to some types reads only them",
    "logs of several catalogues and of none share the store's streams",
    "a read model shows the fold of its events, key by key, and tells what it took",
    "a read model moves on over what is none of its events",
    "a diff has the states of both moments and the events between, through whatever snapshot",
    "a strong query finds what a query finds once the model is there, page by page",
    ...queryLaws
  ]),

  storeMutant("any value", "reads and writes every kv as if it had no schema", (store) => ({
    kv: (namespace: string) => store.kv(namespace)
  }), [
    "a kv's values come back as its schema describes them, and what doesn't fit is refused",
    "a read model shows the fold of its events, key by key, and tells what it took",
    "a read model is the same in whatever pages its events come",
    "a read model that crashes at any commit takes every event into account once",
    "several who keep one read model at once take every event into account once",
    "a read model follows, and shows an event to whoever waits for it",
    "a read model that is run in two places goes on in one, and the other is fenced",
    "a read model that is rebuilt is what it was, and holds nothing else",
    "a new version of a read model is built beside the old one",
    "a read model moves on over what is none of its events",
    "a read model whose checkpoint is of another history is told so, and mended by a rebuild",
    "a read model is not begun over truncated streams unless it is told to",
    "a read model that throws keeps everything before that event, and goes on there when it is mended",
    "a read model takes no namespace that holds another's keys",
    "a query finds the states that are as it asks, in its order, by an index or without",
    "the entries of an index are those of its states, after every change and a rebuild",
    "an index shows its states whatever commit is the last one",
    "an index that a read model was not built with is refused, until a rebuild makes it"
  ]),

  coreMutant(
    "skips by default",
    "leaves out events of unknown types where nothing is said of them",
    asking((definitions, unknown) => make(definitions, unknown === "fail" ? "skip" : unknown)),
    [
      "an event of a type that the catalogue doesn't know is Corrupt, unless its policy says otherwise"
    ]
  ),

  coreMutant(
    "skips what it should pass",
    "leaves out events of unknown types that should be passed on",
    asking((definitions, unknown) => make(definitions, unknown === "pass" ? "skip" : unknown)),
    [
      "a catalogue whose policy is to pass gives what it doesn't know as it is stored, and says so"
    ]
  ),

  coreMutant(
    "fails what it should skip",
    "fails at events of unknown types that should be left out",
    asking((definitions, unknown) => make(definitions, unknown === "skip" ? "fail" : unknown)),
    [
      "a catalogue whose policy is to skip leaves out what it doesn't know, and counts without it",
      "logs of several catalogues and of none share the store's streams"
    ]
  ),

  coreMutant(
    "knows only the newest",
    "forgets the versions that a type has had",
    asking((definitions, unknown) =>
      make(
        Object.fromEntries(
          Object.entries(definitions).map(([type, one]) => [type, "current" in one ? one.current : one])
        ),
        unknown
      )
    ),
    [
      "an event of an old version is read as the newest, and what is stored stays as it was",
      "an event of a newer version than the catalogue knows is Corrupt, and not misread"
    ]
  ),

  coreMutant(
    "any version",
    "reads an event of a newer version as if it were of the one it knows",
    making((catalogue) => ({
      decode: (event) =>
        Result.orElse(catalogue.decode(event), () => catalogue.decode({ ...event, meta: `{"$version":2}` }))
    })),
    [
      "an event of a newer version than the catalogue knows is Corrupt, and not misread"
    ]
  ),

  coreMutant(
    "no narrower",
    "reads every type where it was narrowed to some",
    making((catalogue) => ({ only: (() => catalogue) as Catalogue["only"] })), // The types say less, which is the bug.
    [
      "a catalogue narrowed to some types reads only them"
    ]
  ),

  storeMutant("a log for each", "keeps the streams of every catalogue apart", (store) => ({
    log: ((catalogue?: Catalogue) => {
      if (catalogue === undefined) return store.log()
      const log = store.log(catalogue)
      const own = (stream: string) => `${catalogue.types.join()}/${stream}`
      return {
        ...log,
        append: (stream: string, events: never, options: never) => log.append(own(stream), events, options),
        read: (stream: string, options: never) =>
          Stream.map(log.read(own(stream), options), (event) => ({ ...event, stream }))
      }
    }) as StoreShape["log"] // by overloads
  }), [
    "an event that doesn't fit its catalogue is refused, and nothing of its commit happens",
    "an event of a type that the catalogue doesn't know is Corrupt, unless its policy says otherwise",
    "a catalogue whose policy is to skip leaves out what it doesn't know, and counts without it",
    "a catalogue whose policy is to pass gives what it doesn't know as it is stored, and says so",
    "an event of an old version is read as the newest, and what is stored stays as it was",
    "an event of a newer version than the catalogue knows is Corrupt, and not misread",
    "a catalogue narrowed to some types reads only them",
    "logs of several catalogues and of none share the store's streams",
    "a stream's projection is the fold of its events, and tells what is in it",
    "a projection of several streams folds them in the order in which it all happened",
    "a projection longer than a page is the same fold",
    "a projection as of a seq is the fold up to it",
    "a projection as of a position is the fold up to it, of whatever streams",
    "a projection as of a position that the store hasn't come to waits for it",
    "what was truncated is not folded over in silence",
    "a state loaded from a snapshot and the tail is the replay's, wherever it was saved",
    "a state of several streams loaded from a snapshot is the replay's",
    "a snapshot of another version of a projection is passed over",
    "a snapshot of another state schema is passed over, and not misread",
    "a snapshot that was spoilt is passed over with a warning",
    "a snapshot that is ahead of the log, or of another one, is passed over",
    "a state is saved when its policy says so, and not more of them than it keeps",
    "without its snapshots a projection answers the same",
    "a state as of a moment is never begun with a snapshot from after it",
    "a compacted stream's projection answers as before, and the stream numbers on",
    "compaction leaves every registered reader of the stream what it has yet to read",
    "a subscription that lags behind a compaction handles every event once",
    "a slower projection that is registered still equals its replay after another's compaction",
    "a projection without a snapshot is refused after a compaction, and not answered from the rest",
    "a state of several streams is not answered over what a compaction took since its snapshot",
    "compaction as a trial only tells what it would do",
    "compaction keeps as many of the last events as it is told to",
    "nothing is ever truncated unless a policy says how many events to keep",
    "what is decided on a stream's state is appended to it",
    "a command that decides nothing changes nothing",
    "what is refused fails with the decider's own error, and nothing happens",
    "whoever was slower decides again on what was appended meanwhile",
    "a command gives up after so many lost races, tells the last of them, and leaves nothing",
    "commands at once on one stream are each decided on the state that they change",
    "a command under an id is carried out once, and told its first result again",
    "a decider goes on from a snapshot of its state, and saves one when that is due",
    "a new version of a read model is built beside the old one",
    "a read model is not begun over truncated streams unless it is told to",
    "a projection's or decision's options that are wrong are refused by their name",
    "every option of a replay and of a load makes a difference",
    "every option of keeping and deleting snapshots makes a difference",
    "every option of a compaction makes a difference",
    "every option of a decision makes a difference",
    "every option of a read model makes a difference",
    "the pages of a query go on where the last one ended, whatever came before it",
    "no two states have the same values of a unique index, in whatever pages their events come",
    "a query shows no state as it was, nor where it was, once that has changed"
  ]),

  storeMutant("half an append", "appends the events before one that doesn't fit its catalogue", (store) => ({
    log: ((catalogue?: Catalogue) => {
      if (catalogue === undefined) return store.log()
      const log = store.log(catalogue)
      type Input = Parameters<typeof log.append>[1]
      return {
        ...log,
        append: (stream: string, events: Input, options: Parameters<typeof log.append>[2]) =>
          Effect.catchTag(
            log.append(stream, events, options),
            "Invalid",
            (error) =>
              Array.isArray(events) && events.length > 1
                ? Effect.andThen(log.append(stream, events[0] as Input, options), Effect.fail(error)) // one of them
                : Effect.fail(error)
          )
      }
    }) as StoreShape["log"] // by overloads
  }), [
    "an event that doesn't fit its catalogue is refused, and nothing of its commit happens"
  ])
]

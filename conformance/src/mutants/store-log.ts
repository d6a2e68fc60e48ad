/** Mutants that read streams wrongly, miscount their ends, or forget what they expect. */
import type { AppendOptions, Event, StoreShape } from "@persist/core"
import { Position, Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { events } from "../altered.ts"
import { appending, beneathMutant, logMutant, storeMutant } from "../store-mutant.ts"
import { queryLaws } from "./query-laws.ts"

const pick = ({ at, expected, id }: AppendOptions): AppendOptions => ({ at, expected, id })

/** Broken in reading and cutting streams. */
export const storeLog = [
  beneathMutant(
    "no ids",
    "gives events without their ids",
    (backend) => events(backend, (event) => ({ ...event, id: undefined })),
    [
      "an event is read back as it was appended, with its place"
    ]
  ),

  logMutant("`to` is excluded", "leaves out the last event of a range", (log) => ({
    read: (stream, options) =>
      log.read(stream, options?.to === undefined ? options : { ...options, to: Seq(Math.max(0, options.to - 1)) })
  }), [
    "a range of a stream is that part of it, whichever way it is read",
    "a stream longer than a page is read whole, in parts and backwards",
    "an event of a type that the catalogue doesn't know is Corrupt, unless its policy says otherwise",
    "a read of the log that is wrong in any part is refused by that part's name",
    "what retention removes is in the archive, once, whatever ended a run before"
  ]),

  logMutant("eager", "reads a stream to its end before it gives the first event", (log) => ({
    read: (stream, options) =>
      Stream.unwrap(Effect.map(Stream.runCollect(log.read(stream, options)), Stream.fromIterable))
  }), [
    "whoever takes the first events of a long stream reads one page of it"
  ]),

  logMutant("reads what it needn't", "reads whole pages for a few events", (log) => ({
    read: (stream, { limit, ...options } = {}) =>
      limit === undefined || limit < 1
        ? log.read(stream, { ...options, limit })
        : Stream.take(log.read(stream, options), limit)
  }), [
    "whoever takes the first events of a long stream reads one page of it"
  ]),

  logMutant(
    "any name like it",
    "tells the last seq of the first stream whose name begins like the one asked for",
    (log) => ({
      lastSeq: (stream) =>
        stream === ""
          ? log.lastSeq(stream)
          : Effect.map(
            Stream.runHead(log.streams({ prefix: stream, limit: 1 })),
            (info) => Option.isSome(info) ? info.value.last : Seq(0)
          )
    }),
    [
      "a stream's last seq is told, and 0 where nothing was ever appended"
    ]
  ),

  logMutant("whole for ever", "tells of every stream that it begins with seq 1", (log) => ({
    info: (stream) => Effect.map(log.info(stream), (info) => info && { ...info, first: Seq(1) })
  }), [
    "a truncated stream begins where it was cut, and numbers on",
    "a compacted stream's projection answers as before, and the stream numbers on",
    "nothing is ever truncated unless a policy says how many events to keep",
    "a rule takes from the front what any of its limits lets go, of its streams alone, and they number on"
  ]),

  logMutant("cuts short", "leaves one event more than it was told to", (log) => ({
    truncate: (stream, before) => log.truncate(stream, Seq(before > 1 ? before - 1 : before))
  }), [
    "a truncated stream begins where it was cut, and numbers on",
    "a stream that is truncated while it is read goes on behind the gap",
    "a subscriber passes over what was truncated and deleted, and misses nothing else",
    "a read model is not begun over truncated streams unless it is told to",
    "a strong read of another history, of other events or of truncated streams is refused"
  ]),

  logMutant("deletes anyhow", "deletes a stream whatever is expected of it", (log) => ({
    delete: (stream) => log.delete(stream, { expected: "any" })
  }), [
    "a deleted stream is empty, and numbers on"
  ]),

  logMutant(
    "new or not",
    "appends to a stream that must be new, though it isn't",
    (log) =>
      appending(log, ({ expected, ...options }) => ({ ...options, expected: expected === 0 ? "any" : expected })),
    [
      "of commits made at once one's conflict is no other's",
      "what became of a commit is found by its id",
      "a deleted stream is empty, and numbers on",
      "an append is held to what it expects: a new stream, one that exists, a seq, or anything",
      "whoever lost a race is told the seq that is there, and given the events it missed",
      "whoever was slower decides again on what was appended meanwhile",
      "a command gives up after so many lost races, tells the last of them, and leaves nothing"
    ]
  ),

  logMutant(
    "an id too many",
    "appends without the commit's id",
    (log) => appending(log, ({ id: _id, ...options }) => options),
    [
      "the same commit under one id happens once, and is told its first outcome again",
      "a commit id that was used for something else is refused, and nothing of it happens",
      "what became of a commit is found by its id",
      "a command under an id is carried out once, and told its first result again",
      "every option of an append makes a difference",
      "every option of a decision makes a difference"
    ]
  ),

  logMutant(
    "takes any option of an append",
    "leaves out what it doesn't know of the options of an append",
    (log) => appending(log, (options) => "expected" in options ? pick(options) : options),
    [
      "an append that is wrong in any part is refused by that part's name"
    ]
  ),

  logMutant("one known already", "gives one event too many of those that were missed", (log) => ({
    missing: ({ expectation }) =>
      expectation._tag === "Stream" && typeof expectation.expected === "number"
        ? log.read(expectation.stream, { from: expectation.expected })
        : Stream.empty
  }), [
    "whoever lost a race is told the seq that is there, and given the events it missed"
  ]),

  logMutant("over the hole", "ends where a stream has a hole", (log) => ({
    read: (stream, options) => Stream.catchTag(log.read(stream, options), "Corrupt", () => Stream.empty)
  }), [
    "a hole in a stream is told as Corrupt, and not passed over",
    "a page of a stream that doesn't go on where the one before ended is told as Corrupt",
    "an event of a type that the catalogue doesn't know is Corrupt, unless its policy says otherwise",
    "an event of a newer version than the catalogue knows is Corrupt, and not misread"
  ]),

  logMutant("up to the gap", "ends where a stream was truncated while it was read", (log) => ({
    read: (stream, options) =>
      Stream.suspend(() => {
        let before: number | undefined
        return Stream.takeWhile(log.read(stream, options), ({ seq }) => {
          const next = before === undefined || Math.abs(seq - before) === 1
          before = seq
          return next
        })
      })
  }), [
    "a stream that is truncated while it is read goes on behind the gap",
    "a catalogue whose policy is to skip leaves out what it doesn't know, and counts without it"
  ]),

  logMutant("over the disorder", "ends where all streams are out of their order", (log) => ({
    readAll: (options) => Stream.catchTag(log.readAll(options), "Corrupt", () => Stream.empty)
  }), [
    "events of all streams that come out of their order are told as Corrupt"
  ]),

  storeMutant("keeps the events it gave", "gives the same objects to every reader of a stream", (store) => {
    const given = new Map<number, unknown>()
    const remember = <E extends Event>(event: E): E => {
      if (!given.has(event.position)) given.set(event.position, event)
      return given.get(event.position) as E // What is there was put there as this event.
    }
    const log = store.log()
    const read: typeof log.read = (stream, options) => Stream.map(log.read(stream, options), remember)
    return { log: (() => ({ ...log, read })) as StoreShape["log"] } // without a catalogue, as the law asks for it
  }, [
    "nothing in the log is the caller's own object, nor the reader's",
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

  logMutant("answers at once", "doesn't wait for the position that a read demands", (log) => ({
    read: (stream, { atLeast: _atLeast, ...options } = {}) => log.read(stream, options)
  }), [
    "whoever demands a position waits until the store has come to it",
    "a store that doesn't come to the position that is demanded says so, and gives nothing",
    "every option of reading a stream makes a difference",
    "every option of a store makes a difference"
  ]),

  logMutant("takes any way to read", "leaves out what it doesn't know of the options of a read", (log) => ({
    read: (stream, { atLeast, from, limit, reverse, to } = {}) =>
      log.read(stream, { atLeast, from, limit, reverse, to })
  }), [
    "a read of the log that is wrong in any part is refused by that part's name"
  ]),

  logMutant("a limit is a range", "counts events that it leaves out as if it had given them", (log) => ({
    read: (stream, options) =>
      options?.limit === undefined || options.limit < 1 || options.reverse === true
        ? log.read(stream, options)
        : log.read(stream, {
          ...options,
          limit: undefined,
          to: Seq(Math.min(options.to ?? Number.MAX_SAFE_INTEGER, Math.max(1, options.from ?? 1) + options.limit - 1))
        })
  }), [
    "a catalogue whose policy is to skip leaves out what it doesn't know, and counts without it"
  ]),

  logMutant("a page is all", "reads one page of a stream", (log) => ({
    read: (stream, options) => Stream.take(log.read(stream, options), 500)
  }), [
    "a stream longer than a page is read whole, in parts and backwards",
    "a page of a stream that doesn't go on where the one before ended is told as Corrupt",
    "a stream that is truncated while it is read goes on behind the gap",
    "whoever reads backwards meets no event twice, though others append"
  ]),

  logMutant("backwards by number", "counts from the end of a stream where it left off in reading backwards", (log) => ({
    read: (stream, options) =>
      options?.reverse !== true || options.limit !== undefined
        ? log.read(stream, options)
        : Stream.paginate(0, (from) =>
          Effect.map(Stream.runCollect(log.read(stream, { ...options, limit: from + 1000 })), (found) => [
            found.slice(from),
            found.length < from + 1000 ? Option.none<number>() : Option.some(from + 1000)
          ]))
  }), [
    "whoever reads backwards meets no event twice, though others append"
  ]),

  logMutant("a page is everything", "reads one page of all streams", (log) => ({
    readAll: (options) => Stream.take(log.readAll(options), 1000)
  }), [
    "all streams together are read whole, in parts and backwards",
    "a projection longer than a page is the same fold"
  ]),

  logMutant("limits first", "counts a limit before it filters", (log) => ({
    readAll: ({ prefix = "", types, ...options } = {}) =>
      prefix === "" && types === undefined
        ? log.readAll({ ...options, types })
        : Stream.filter(log.readAll(options), ({ stream, type }) =>
          stream.startsWith(prefix) && (types === undefined || types.includes(type)))
  }), [
    "a filter leaves out of all streams what it says, and a limit counts what it lets through",
    "a read of the log that is wrong in any part is refused by that part's name"
  ]),

  logMutant("`after` is included", "reads on with the position that it should read on after", (log) => ({
    readAll: (options) =>
      log.readAll(
        options?.after === undefined || options.after < 1 ? options : { ...options, after: Position(options.after - 1) }
      )
  }), [
    "all streams together are read whole, in parts and backwards",
    "all streams read on from any position give the rest",
    "a read of the log that is wrong in any part is refused by that part's name"
  ]),

  logMutant("forwards only", "reads all streams forwards, whichever way it should", (log) => ({
    readAll: (options) => log.readAll(options && { ...options, reverse: undefined })
  }), [
    "all streams together are read whole, in parts and backwards",
    "every option of reading all streams makes a difference"
  ]),

  logMutant("a page of names", "lists one page of streams", (log) => ({
    streams: (options) => Stream.take(log.streams(options), 1000)
  }), [
    "more streams than a page holds are listed by name, from any name on"
  ]),

  logMutant("from the first name on", "lists streams from the first on, wherever it should go on", (log) => ({
    streams: (options) => log.streams(options && { ...options, after: undefined })
  }), [
    "more streams than a page holds are listed by name, from any name on",
    "every option of listing streams makes a difference"
  ])
]

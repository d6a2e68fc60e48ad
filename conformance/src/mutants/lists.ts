/** Mutants that list streams and namespaces wrongly. */
import type { BackendShape, NamespaceInfo, StreamInfo, StreamsRange } from "@persist/core"
import { compareUtf8, Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import { mutant, placeMutant } from "../mutant.ts"

const everyStream = (backend: BackendShape) => backend.streams({ prefix: "", after: undefined, limit: 100_000 })
const everyNamespace = (backend: BackendShape) => backend.namespaces({ after: undefined, limit: 100_000 })

// Lists streams by an order and a filter of its own.
const listed = (
  backend: BackendShape,
  compare: (a: string, b: string) => number,
  matches: (stream: string, prefix: string) => boolean = (stream, prefix) => stream.startsWith(prefix)
) => ({
  streams: ({ after, limit, prefix }: StreamsRange) =>
    Effect.map(everyStream(backend), (all) =>
      all
        .filter(({ stream }) => matches(stream, prefix) && (after === undefined || compare(stream, after) > 0))
        .sort((a, b) => compare(a.stream, b.stream))
        .slice(0, limit))
})

const units = (a: string, b: string) => a < b ? -1 : a > b ? 1 : 0

// What SQL's LIKE makes of a prefix.
const isLike = (stream: string, prefix: string) =>
  new RegExp(`^${prefix.replaceAll("%", ".*").replaceAll("_", ".")}`, "iu").test(stream)

const streamsAre = (backend: BackendShape, alter: (info: StreamInfo) => StreamInfo) => ({
  streams: (range: StreamsRange) => Effect.map(backend.streams(range), (found) => found.map(alter))
})

/** Broken in `streams` and `namespaces`. */
export const lists = [
  mutant("lists by the thousand", "gives a thousand names at most, whatever was asked for", (backend) => ({
    streams: (range) => backend.streams({ ...range, limit: Math.min(range.limit, 1000) }),
    namespaces: (range) => backend.namespaces({ ...range, limit: Math.min(range.limit, 1000) })
  }), [
    "a page of streams is short only where their names end",
    "a page of namespaces is short only where their names end"
  ]),

  mutant(
    "first from 0",
    "counts the first seq of a stream from 0",
    (backend) => streamsAre(backend, (info) => ({ ...info, first: Seq(info.first - 1) })),
    [
      "streams are listed with their first and last seq",
      "the list of streams tells the first seq that is left, or one above the last",
      "a list of the streams that were truncated lacks none of them"
    ]
  ),

  mutant(
    "last is next",
    "lists the next seq of a stream as its last",
    (backend) => streamsAre(backend, (info) => ({ ...info, last: Seq(info.last + 1) })),
    [
      "streams are listed with their first and last seq",
      "the list of streams tells the first seq that is left, or one above the last",
      "a list of the streams that were truncated lacks none of them"
    ]
  ),

  mutant(
    "streams by UTF-16",
    "orders streams by the UTF-16 units of their names",
    (backend) => listed(backend, units),
    [
      "streams are listed in the order of their UTF-8 bytes",
      "pages of streams go on after a name, whatever their size"
    ]
  ),

  mutant("streams from `after`", "begins a page of streams with the name it should begin after", (backend) => ({
    streams: (range) =>
      Effect.map(everyStream(backend), (all) =>
        all
          .filter(({ stream }) => stream.startsWith(range.prefix) && compareUtf8(stream, range.after ?? "") >= 0)
          .slice(0, range.limit))
  }), [
    "pages of streams go on after a name, whatever their size",
    "a prefix lists the streams whose names start with it, sign for sign",
    "a list of the streams that were truncated lacks none of them"
  ]),

  mutant(
    "streams like a pattern",
    "takes the prefix of streams for a pattern of LIKE",
    (backend) => listed(backend, compareUtf8, isLike),
    [
      "a prefix lists the streams whose names start with it, sign for sign"
    ]
  ),

  mutant("streams without prefix", "takes no notice of the prefix of streams", (backend) => ({
    streams: (range) => backend.streams({ ...range, prefix: "" })
  }), [
    "a prefix lists the streams whose names start with it, sign for sign",
    "a list of the streams that were truncated lacks none of them"
  ]),

  mutant("always from 1", "lists 1 as the first seq of every stream", (backend) => ({
    streams: (range) => Effect.map(backend.streams(range), (found) => found.map((info) => ({ ...info, first: Seq(1) })))
  }), [
    "the list of streams tells the first seq that is left, or one above the last",
    "a list of the streams that were truncated lacks none of them"
  ]),

  mutant("emptied streams are gone", "doesn't list streams of which nothing is left", (backend) => ({
    streams: (range) => Effect.map(backend.streams(range), (found) => found.filter(({ first, last }) => first <= last))
  }), [
    "the list of streams tells the first seq that is left, or one above the last",
    "a list of the streams that were truncated lacks none of them"
  ]),

  mutant("truncated is emptied", "lists only streams of which nothing is left as truncated", (backend) => ({
    streams: (range) =>
      Effect.map(backend.streams(range), (found) => found.filter(({ first, last }) => !range.shortened || first > last))
  }), [
    "a list of the streams that were truncated lacks none of them"
  ]),

  mutant("limited, then truncated", "counts the others too where only truncated streams are asked for", (backend) => ({
    streams: (range) =>
      Effect.map(
        backend.streams({ ...range, shortened: false }),
        (found) => found.filter(({ first }) => !range.shortened || found.length < range.limit || first > 1)
      )
  }), [
    "a list of the streams that were truncated lacks none of them"
  ]),

  placeMutant("streams that were asked for", "lists a stream that somebody expected something of", () => {
    const asked = new Set<string>()
    return (backend) => ({
      commit: (batch) => {
        for (const expectation of batch.flatMap(({ expect }) => expect)) {
          if (expectation._tag === "Stream") asked.add(expectation.stream)
        }
        return backend.commit(batch)
      },
      streams: (range) =>
        Effect.map(backend.streams(range), (found) => [
          ...found,
          ...[...asked].filter((stream) =>
            stream.startsWith(range.prefix) && found.every((own) => own.stream !== stream)
          )
            .map((stream) => ({ stream, first: Seq(1), last: Seq(0) }))
        ])
    })
  }, [
    "neither expecting something of a stream nor failing to append to it makes it"
  ]),

  mutant("namespaces are streams", "lists namespaces as streams", (backend) => ({
    streams: (range) =>
      Effect.flatMap(backend.streams(range), (found) =>
        Effect.map(everyNamespace(backend), (all) => [
          ...found,
          ...all.map(({ namespace, keys }) => ({ stream: namespace, first: Seq(1), last: Seq(keys) }))
        ]))
  }), [
    "keys make no stream",
    "the lists of streams and namespaces are the same after reopening"
  ]),

  mutant("one key in each", "counts no keys", (backend) => ({
    namespaces: (range) =>
      Effect.map(backend.namespaces(range), (found) => found.map((info): NamespaceInfo => ({ ...info, keys: 1 })))
  }), [
    "namespaces are listed with how many keys they hold"
  ]),

  mutant("namespaces by UTF-16", "orders namespaces by the UTF-16 units of their names", (backend) => ({
    namespaces: ({ after, limit }) =>
      Effect.map(
        everyNamespace(backend),
        (all) =>
          all.filter(({ namespace }) => after === undefined || namespace > after)
            .sort((a, b) => units(a.namespace, b.namespace))
            .slice(0, limit)
      )
  }), [
    "namespaces are listed in the order of their UTF-8 bytes",
    "pages of namespaces go on after a name, whatever their size"
  ]),

  mutant("namespaces from `after`", "begins a page of namespaces with the name it should begin after", (backend) => ({
    namespaces: ({ after, limit }) =>
      Effect.map(
        everyNamespace(backend),
        (all) => all.filter(({ namespace }) => compareUtf8(namespace, after ?? "") >= 0).slice(0, limit)
      )
  }), [
    "pages of namespaces go on after a name, whatever their size"
  ]),

  placeMutant("emptied, yet listed", "lists a namespace once it was ever written to", () => {
    const written = new Set<string>()
    return (backend) => ({
      commit: (batch) => {
        for (const { namespace } of batch.flatMap(({ write }) => write)) written.add(namespace)
        return backend.commit(batch)
      },
      namespaces: ({ after, limit }) =>
        Effect.map(
          everyNamespace(backend),
          (all) =>
            [...written].map((namespace) => all.find((own) => own.namespace === namespace) ?? { namespace, keys: 0 })
              .sort((a, b) => compareUtf8(a.namespace, b.namespace))
              .filter(({ namespace }) => after === undefined || compareUtf8(namespace, after) > 0)
              .slice(0, limit)
        )
    })
  }, [
    "a namespace is listed only while it holds a key",
    "a cleared namespace is not listed"
  ])
]

/** Mutants that are wrong about what a store is, and what its handles have in common. */
import type { BackendShape, StoredEntry, StoredEvent, StreamRange } from "@persist/core"
import { Position, Unavailable, Unsupported } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Mutant, mutant, placeMutant } from "../mutant.ts"
import { eachVerb } from "../oddballs.ts"

const gone = new Unavailable({ operation: "any", reason: "the store is closed", remedy: "open it again" })

/** Keeps one place for all that are open at the same time. */
const oneForAll: Mutant = {
  name: "one store for all",
  bug: "a second store opened beside a first is the first, as with a connection kept in a global",
  plant: (fixture) => {
    let open = 0
    let first: Effect.Success<typeof fixture.place> | undefined
    return {
      name: "one store for all",
      place: Effect.gen(function*() {
        const own = yield* fixture.place
        yield* Effect.acquireRelease(Effect.sync(() => open++), () => Effect.sync(() => open--))
        first = open === 1 || first === undefined ? own : first
        return first
      })
    }
  },
  breaks: [
    "two stores share neither events nor keys",
    "two stores have two incarnations"
  ]
}

/** Closes what all handles of a place share with the first of them that goes. */
const closingOneClosesAll: Mutant = {
  name: "closing one closes all",
  bug: "the end of one handle closes what all handles share",
  plant: (fixture) => ({
    name: "closing one closes all",
    place: Effect.map(fixture.place, (place) => {
      let closed = false
      const open = Effect.gen(function*() {
        const backend = yield* place.open
        yield* Effect.acquireRelease(
          Effect.sync(() => {
            closed = false
          }),
          () =>
            Effect.sync(() => {
              closed = true
            })
        )
        return eachVerb(backend, (verb) => Effect.suspend(() => closed ? Effect.fail(gone) : verb))
      })
      return { ...place, open }
    })
  }),
  breaks: [
    "closing one handle leaves the others as they were"
  ]
}

/** Broken in declarations, isolation and sharing. */
export const stores: ReadonlyArray<Mutant> = [
  oneForAll,

  closingOneClosesAll,

  mutant("nameless", "says of itself that it has no name", (backend) => ({ about: { ...backend.about, name: "" } }), [
    "a store says what it is: a name, limits that are whole numbers above 0, an incarnation",
    "every handle of a store says the same of it"
  ]),

  mutant("limitless", "declares limits that nothing can have", (backend) => ({
    about: {
      ...backend.about,
      limits: { ...backend.about.limits, commitEvents: backend.about.limits.commitEvents + 0.5 }
    }
  }), [
    "a store says what it is: a name, limits that are whole numbers above 0, an incarnation",
    "a commit of as many changes as the limit allows happens whole"
  ]),

  mutant("one incarnation", "gives every store the same incarnation", (backend) => ({
    about: { ...backend.about, incarnation: "store" }
  }), [
    "two stores have two incarnations"
  ]),

  placeMutant(
    "says otherwise",
    "each handle declares what it was opened with, not what the store is",
    () => (backend, { handle }) => ({ about: { ...backend.about, durability: handle > 1 ? "process" : "disk" } }),
    [
      "every handle of a store says the same of it"
    ]
  ),

  mutant(
    "unknown means unsupported",
    "takes a question about an id it doesn't know for one it can't answer",
    (backend) => ({
      resolve: (id) =>
        Effect.flatMap(backend.resolve(id), (found) =>
          Option.isSome(found)
            ? Effect.succeed(found)
            : Effect.fail(new Unsupported({ backend: "mutant", ability: "resolve", remedy: "none" })))
    }),
    [
      "a store refuses what it declares it lacks, and nothing else",
      "resolve finds nothing for an id that was never used",
      "the id of a conflicted commit was not used",
      "the id of a commit that broke on its way to the disk was not used"
    ]
  ),

  mutant("can, though it says it can't", "declares that it can't keep bytes, and keeps them", (backend) => ({
    about: { ...backend.about, lacks: new Set(["bytes"] as const) }
  }), [
    "a store refuses what it declares it lacks, and nothing else",
    "bytes are read as they were written, byte for byte",
    "text stays text and bytes stay bytes, though their content be the same",
    "empty bytes are kept",
    "what a caller does to an event's bytes after the commit doesn't reach the store",
    "what a caller does to a value's bytes after the commit doesn't reach the store",
    "bytes of a class of the caller's are copied, and come back as plain ones",
    "what a caller does to an event it read doesn't reach the store",
    "what a caller does to an entry it read doesn't reach the store"
  ]),

  mutant("default namespace", "lists a namespace that nobody wrote to", (backend) => ({
    namespaces: (range) =>
      Effect.map(
        backend.namespaces(range),
        (found) => [...found, { namespace: "~default", keys: 0 }].slice(0, range.limit)
      )
  }), [
    "a new store has neither events nor keys",
    "namespaces are listed with how many keys they hold",
    "namespaces are listed in the order of their UTF-8 bytes",
    "pages of namespaces go on after a name, whatever their size",
    "a page of namespaces is short only where their names end",
    "a namespace is listed only while it holds a key",
    "a cleared namespace is not listed",
    "the lists of streams and namespaces are the same after reopening"
  ]),

  placeMutant(
    "stale reads of streams",
    "a handle reads a stream from what it read before, until it commits itself",
    () => (backend) => ({ ...cachedStreams(backend) }),
    [
      "an event that one handle was told is committed is read by every other",
      "what a caller does to an event it read doesn't reach the store",
      "changes tells of what another handle committed"
    ]
  ),

  placeMutant(
    "stale reads of keys",
    "a handle answers a key from what it got before, until it commits itself",
    () => (backend) => cachedKeys(backend),
    [
      "a value that one handle was told is committed is read by every other",
      "what a caller does to an entry it read doesn't reach the store"
    ]
  ),

  placeMutant(
    "sees only what is new",
    "a handle reads from the total order only what was committed after it was opened",
    () => {
      let seen = Position(0)
      return (backend, { handle }) => {
        const first = handle === 1 ? Position(0) : seen
        return {
          commit: (batch) =>
            Effect.tap(backend.commit(batch), () =>
              Effect.map(backend.head, (head) => {
                seen = head
              })),
          readAll: (range) => backend.readAll({ ...range, after: Position(Math.max(range.after, first)) })
        }
      }
    },
    [
      "a handle opened later reads what was committed before",
      "the total order is the same after reopening"
    ]
  )
]

const cachedStreams = (backend: BackendShape) => {
  const known = new Map<string, ReadonlyArray<StoredEvent>>()
  return {
    commit: (batch: Parameters<BackendShape["commit"]>[0]) => {
      known.clear()
      return Effect.tap(backend.commit(batch), () => Effect.sync(() => known.clear()))
    },
    readStream: (range: StreamRange) => {
      const cached = known.get(JSON.stringify(range))
      return cached === undefined
        ? Effect.tap(backend.readStream(range), (found) => Effect.sync(() => known.set(JSON.stringify(range), found)))
        : Effect.succeed(cached)
    }
  }
}

const cachedKeys = (backend: BackendShape) => {
  const known = new Map<string, ReadonlyArray<StoredEntry | undefined>>()
  return {
    commit: (batch: Parameters<BackendShape["commit"]>[0]) =>
      Effect.tap(backend.commit(batch), () => Effect.sync(() => known.clear())),
    get: (keys: Parameters<BackendShape["get"]>[0]) => {
      const cached = known.get(JSON.stringify(keys))
      return cached === undefined
        ? Effect.tap(backend.get(keys), (found) => Effect.sync(() => known.set(JSON.stringify(keys), found)))
        : Effect.succeed(cached)
    }
  }
}

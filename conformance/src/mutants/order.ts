/** Mutants whose total order moves under their readers' feet. */
import { origin, Position, type StoredEvent } from "@persist/core"
import * as Effect from "effect/Effect"
import { allEvents, committed } from "../altered.ts"
import { mutant, placeMutant } from "../mutant.ts"

/** Broken in positions, the head and what readers may rely on. */
export const order = [
  placeMutant(
    "holes that fill",
    "shows a commit only after later ones, as a transaction that got its number early",
    () => {
      const hidden = new Set<number>()
      return (backend) => ({
        commit: Effect.fnUntraced(function*(batch) {
          const outcomes = yield* backend.commit(batch)
          const positions = outcomes.flatMap((outcome) =>
            outcome._tag === "Committed" ? outcome.appended.map(({ firstPosition }) => firstPosition) : []
          )
          for (const position of positions) hidden.add(position)
          // How long it takes differs from commit to commit.
          for (let turns = (positions[0] ?? 0) % 4; turns > 0; turns--) yield* Effect.yieldNow
          for (const position of positions) hidden.delete(position)
          return outcomes
        }),
        readAll: (range) =>
          Effect.map(backend.readAll(range), ({ items, through }) => ({
            items: items.filter(({ position }) => !hidden.has(position)),
            through
          }))
      })
    },
    [
      "once a reader was given a position, nothing at or below it appears later",
      "nothing appears later at or below a head that was read",
      "who reads after each element of changes misses nothing of what many write"
    ]
  ),

  placeMutant("announces its head early", "tells a head that it hasn't written yet", () => {
    let early = 0
    return (backend) => ({
      commit: Effect.fnUntraced(function*(batch) {
        early++
        yield* Effect.yieldNow
        early--
        return yield* backend.commit(batch)
      }),
      head: Effect.map(Effect.suspend(() => backend.head), (head) => Position(head + early))
    })
  }, [
    "a reader never meets part of a commit",
    "once a reader was given a position, nothing at or below it appears later",
    "nothing appears later at or below a head that was read"
  ]),

  mutant(
    "keys beside the order",
    "gives a key the position of the event before it",
    (backend) =>
      committed(
        backend,
        (outcome, { append, write }) =>
          append.length > 0 || write.length !== 1 ? outcome : { ...outcome, position: Position(outcome.position - 1) }
      ),
    [
      "the commits of a batch take rising positions in their order",
      "positions rise from commit to commit",
      "no position is given out twice, to events or to keys",
      "deleting a key that isn't there changes nothing, yet takes a position",
      "clearing takes one position for each key that it removes",
      "a deleted key has changed: it comes as a tombstone, with when and where it was deleted",
      "every key of a cleared namespace comes as a tombstone with a revision of its own"
    ]
  ),

  mutant("positions of now", "gives the events of a stream the position that the store has now", (backend) => ({
    readStream: (range) =>
      Effect.flatMap(
        backend.readStream(range),
        (found) => Effect.map(backend.head, (position) => found.map((event): StoredEvent => ({ ...event, position })))
      )
  }), [
    "the outcome of a commit tells the seqs and positions that its events were given",
    "the outcome of a commit carries its own last position, not the head",
    "an event in the total order is the event that its stream has",
    "a stream's events have rising positions"
  ]),

  mutant("starts at 1", "says that a new store has given out position 1", (backend) => ({
    head: Effect.map(backend.head, (head) => Position(Math.max(1, head)))
  }), [
    "a new store has neither events nor keys",
    "two stores share neither events nor keys",
    "a reader never meets part of a commit",
    "once a reader was given a position, nothing at or below it appears later",
    "nothing appears later at or below a head that was read",
    "the head of a new store is 0",
    "who reads after each element of changes misses nothing of what many write"
  ]),

  mutant("the head of the log", "takes the last event for the head, whatever keys were written since", (backend) => ({
    head: Effect.map(
      backend.readAll({
        after: origin,
        to: Position(Number.MAX_SAFE_INTEGER),
        prefix: "",
        types: undefined,
        limit: 1,
        reverse: true
      }),
      ({ items: [last] }) => last?.position ?? origin
    )
  }), [
    "a commit that only checks changes nothing and answers with the head",
    "the commits of a batch take rising positions in their order",
    "at the end of the range `through` is the head, or `to` where that is less",
    "the head is the last position given out, to an event or to a key",
    "deleting a key that isn't there changes nothing, yet takes a position",
    "clearing takes one position for each key that it removes",
    "what changed is given in the order of the last writes, each key once",
    "a changed key comes as the entry that `get` gives",
    "only what was written above the position has changed since it",
    "a deleted key has changed: it comes as a tombstone, with when and where it was deleted",
    "a key deleted and written again has changed once, to its entry",
    "deleting a key that isn't there is no change",
    "every key of a cleared namespace comes as a tombstone with a revision of its own",
    "pages of changes join by `through`, whatever their size",
    "a key written while its changes are paged comes again, and none is missed",
    "changes keep to their namespace",
    "truncating takes a position",
    "tombstones are still there after reopening",
    "changes tells of a commit that only writes keys"
  ]),

  placeMutant("a head of its own", "a handle knows only the head that it came to itself", () => (backend) => {
    let own = origin
    return {
      commit: (batch) =>
        Effect.tap(backend.commit(batch), () =>
          Effect.map(backend.head, (head) => {
            own = head
          })),
      head: Effect.suspend(() => own === origin ? backend.head : Effect.succeed(own))
    }
  }, [
    "the head moves for every handle"
  ]),

  placeMutant(
    "an order of its own",
    "every second handle orders events of the same time by stream",
    () => (backend, { handle }) =>
      handle % 2 === 1 ? {} : {
        readAll: (range) =>
          Effect.map(backend.readAll(range), ({ items, through }) => ({
            items: items.toSorted((a, b) => a.at - b.at || (a.stream < b.stream ? -1 : a.stream > b.stream ? 1 : 0)),
            through
          }))
      },
    [
      "every handle reads the same total order",
      "the total order is the same after reopening"
    ]
  ),

  placeMutant("stamps what it reads", "stamps events with the time of reading", () => {
    let now = 0
    return (backend) => allEvents(backend, (event) => ({ ...event, at: ++now }))
  }, [
    "an event in the total order is the event that its stream has",
    "every handle reads the same total order",
    "events that were read are the same when they are read again",
    "the total order is the same after reopening",
    "who reads after each element of changes misses nothing of what many write"
  ]),

  placeMutant("positions by turns", "gives a position to what comes next before the one before has its own", () => {
    let last = 0
    return (backend) => ({
      commit: Effect.fnUntraced(function*(batch) {
        const [outcome, ...rest] = yield* backend.commit(batch)
        if (outcome._tag !== "Committed" || rest.length > 0 || batch[0].identity !== undefined) {
          return [outcome, ...rest]
        }
        // Two commits in a row are told the same position.
        last = outcome.position % 5 === 0 ? last : outcome.position
        return [{ ...outcome, position: Position(last) }]
      })
    })
  }, [
    "positions rise from commit to commit",
    "no position is given out twice, to events or to keys",
    "one commit may truncate several streams"
  ])
]

/** Mutants that are right until they are closed and opened again. */
import type { Commit, StoredEntry, StoredEvent } from "@persist/core"
import { origin, Position } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { commits, got, keysOf, lastOf, oneByOne, single, wholeOf } from "../altered.ts"
import { placeMutant } from "../mutant.ts"

const nameOf = ({ key, namespace }: { readonly namespace: string; readonly key: string }) =>
  JSON.stringify([namespace, key])

/** Broken after reopening. */
export const durability = [
  placeMutant(
    "the last event was in the buffer",
    "acknowledges an event before it is written, and loses it when closed",
    () => {
      const last = new Map<string, number>()
      return (backend, { life }) => ({
        commit: (batch) =>
          Effect.tap(
            backend.commit(batch),
            () =>
              Effect.forEach(batch.flatMap(({ append }) => append), ({ stream }) =>
                Effect.map(lastOf(backend, stream), (seq) => last.set(`${stream} ${seq}`, life)))
          ),
        readStream: (range) =>
          Effect.map(
            backend.readStream(range),
            (found) =>
              found.filter(({ seq, stream }, n) =>
                n < found.length - 1 || (last.get(`${stream} ${seq}`) ?? life) === life
              )
          )
      })
    },
    [
      "acknowledged events are there after reopening, with all they had",
      "truncated events are still gone after reopening, and the last seq still counts",
      "a store may be opened again and again, and each time holds what all before wrote",
      "a commit that broke on its way to the disk is not there after reopening"
    ]
  ),

  placeMutant(
    "times aren't saved",
    "forgets the times of values when it is closed",
    () => (backend, { life }) => got(backend, (entry) => entry && (life > 1 ? { ...entry, at: 0 } : entry)),
    [
      "acknowledged values are there after reopening, with all they had"
    ]
  ),

  placeMutant("types aren't saved", "forgets the types of events when it is closed", () => (backend, { life }) => ({
    readStream: (range) =>
      Effect.map(
        backend.readStream(range),
        (found) => found.map((event): StoredEvent => life > 1 ? { ...event, type: "unknown" } : event)
      )
  }), [
    "acknowledged events are there after reopening, with all they had"
  ]),

  placeMutant("the order isn't saved", "orders events by stream once it was closed", () => (backend, { life }) => ({
    readAll: (range) =>
      Effect.map(backend.readAll(range), ({ items, through }) => ({
        items: life > 1 ? items.toSorted((a, b) => a.stream < b.stream ? -1 : a.stream > b.stream ? 1 : 0) : items,
        through
      }))
  }), [
    "the total order is the same after reopening"
  ]),

  placeMutant("deletions aren't saved", "has deleted keys again when it is opened again", () => {
    const deleted = new Map<string, StoredEntry>()
    return (backend, { life }) => ({
      ...got(backend, (entry, name) => life > 1 ? entry ?? deleted.get(nameOf(name)) : entry),
      ...oneByOne(Effect.fnUntraced(function*(commit) {
        for (const op of commit.write) {
          const found = op._tag === "Put" ? [] : yield* keysOf(backend, op.namespace)
          for (const entry of found) if (op._tag === "Clear" || "key" in op) deleted.set(nameOf(entry), entry)
        }
        return yield* single(backend, commit)
      }))
    })
  }, [
    "deleted and cleared keys are still gone after reopening"
  ]),

  placeMutant("tombstones aren't saved", "forgets what was deleted when it is closed", () => (backend, { life }) => ({
    changed: (range) =>
      Effect.map(backend.changed(range), ({ items, through }) => ({
        items: items.filter(({ _tag }) => life === 1 || _tag === "Entry"),
        through
      }))
  }), [
    "tombstones are still there after reopening"
  ]),

  placeMutant("truncations aren't saved", "has truncated events again when it is opened again", () => {
    const removed: Array<StoredEvent> = []
    return (backend, { life }) => ({
      ...oneByOne(Effect.fnUntraced(function*(commit) {
        for (const { before, stream } of commit.truncate) {
          removed.push(...(yield* wholeOf(backend, stream)).filter(({ seq }) => seq < before))
        }
        return yield* single(backend, commit)
      })),
      readStream: (range) =>
        Effect.map(
          backend.readStream(range),
          (found) => life === 1 ? found : [...removed.filter(({ stream }) => stream === range.stream), ...found]
        )
    })
  }, [
    "truncated events are still gone after reopening, and the last seq still counts"
  ]),

  placeMutant(
    "the head is the last event",
    "takes the last event's position for the head when it is opened again",
    () => (backend, { life }) => ({
      head: Effect.suspend(() =>
        life === 1 ? backend.head : Effect.map(
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
      )
    }),
    [
      "tombstones are still there after reopening",
      "a position is not given out again after reopening, though all at it was removed"
    ]
  ),

  placeMutant(
    "judges by what it remembers",
    "takes what it hasn't seen since it was opened for new",
    () => (backend, { life }) =>
      oneByOne(Effect.fnUntraced(function*(commit: Commit) {
        const expect = commit.expect.filter(({ expected }) => life === 1 || (expected !== 0 && expected !== "absent"))
        return yield* single(backend, { ...commit, expect })
      })),
    [
      "expectations are judged after reopening by what was there before"
    ]
  ),

  placeMutant(
    "another incarnation",
    "takes another incarnation when it is opened again",
    () => (backend, { life }) => ({
      about: { ...backend.about, incarnation: `${backend.about.incarnation} ${life}` }
    }),
    [
      "a store has the same incarnation after reopening"
    ]
  ),

  placeMutant(
    "twice is too often",
    "can't be written to after it was opened for the third time",
    () => (backend, { life }) =>
      commits(backend, (commit) => life < 3 ? commit : { ...commit, append: [], write: [], truncate: [] }),
    [
      "seqs and positions go on after reopening where they were",
      "a store may be opened again and again, and each time holds what all before wrote"
    ]
  ),

  placeMutant("lists aren't saved", "lists only what was written to since it was opened", () => (backend, { life }) => {
    const written = new Set<string>()
    return {
      commit: (batch) => {
        for (const { stream } of batch.flatMap(({ append }) => append)) written.add(stream)
        return backend.commit(batch)
      },
      streams: (range) =>
        Effect.map(backend.streams(range), (found) => found.filter(({ stream }) => life === 1 || written.has(stream)))
    }
  }, [
    "the lists of streams and namespaces are the same after reopening"
  ]),

  placeMutant("replays what broke", "does a commit that broke when it is opened again, from a journal", () => {
    const journal: Array<Commit> = []
    let replayed = 1
    return (backend, { life }) => ({
      ...oneByOne(Effect.fnUntraced(function*(commit) {
        const result = yield* Effect.result(single(backend, commit))
        if (Result.isSuccess(result)) return result.success
        journal.push(commit)
        return yield* Effect.fail(result.failure)
      })),
      readStream: Effect.fnUntraced(function*(range) {
        for (const commit of life > replayed ? journal.splice(0) : []) yield* single(backend, commit)
        replayed = life
        return yield* backend.readStream(range)
      })
    })
  }, [
    "a commit that broke on its way to the disk is not there after reopening"
  ])
]

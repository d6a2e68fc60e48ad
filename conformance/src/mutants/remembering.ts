/** Mutants that forget the ids of commits, claim them too early or resolve them to something else. */
import type { Committed, Outcome } from "@persist/core"
import { Invalid } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { committed, oneByOne, single, underIds } from "../altered.ts"
import { mutant, placeMutant } from "../mutant.ts"

const used: Outcome = {
  _tag: "Refused",
  error: new Invalid({ field: "id", reason: "was used before", remedy: "use another" })
}

/** Broken in what is remembered of commits. */
export const remembering = [
  mutant("resolves to the head", "resolves a commit to the position that the store has now", (backend) => ({
    resolve: (id) =>
      Effect.flatMap(
        backend.resolve(id),
        (found) =>
          Effect.map(backend.head, (position) => Option.map(found, (each): Committed => ({ ...each, position })))
      )
  }), [
    "resolve gives the result of a commit as it was first given",
    "an id is known after its events were truncated"
  ]),

  mutant("remembers one stream", "remembers of a commit only what it did to the first stream and key", (backend) => ({
    resolve: (id) =>
      Effect.map(
        backend.resolve(id),
        Option.map((found): Committed => ({
          ...found,
          appended: found.appended.slice(0, 1),
          revisions: found.revisions.slice(0, 1)
        }))
      )
  }), [
    "resolve gives the seqs, positions and revisions of every part of a commit"
  ]),

  placeMutant("the last for an unknown one", "resolves an id that it doesn't know to the last commit", () => {
    let last: Committed | undefined
    return (backend) => ({
      ...committed(backend, (outcome) => last = outcome),
      resolve: (id) => Effect.map(backend.resolve(id), Option.orElse(() => Option.fromNullishOr(last)))
    })
  }, [
    "resolve finds nothing for an id that was never used"
  ]),

  placeMutant("claims, then judges", "claims an id before it judges the commit, and keeps the claim", () => {
    const claimed = new Set<string>()
    return (backend) =>
      oneByOne((commit) => {
        const id = commit.identity?.id ?? ""
        if (claimed.has(id)) return Effect.succeed(used)
        return Effect.tap(single(backend, commit), ({ _tag }) =>
          Effect.sync(() => {
            if (_tag === "Conflict" && id !== "") claimed.add(id)
          }))
      })
  }, [
    "the id of a conflicted commit was not used"
  ]),

  placeMutant("phantom claim", "a commit that breaks has left its id behind, as if it had happened", () => {
    const phantoms = new Map<string, Committed>()
    return (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        const id = commit.identity?.id
        const phantom = id === undefined ? undefined : phantoms.get(id)
        if (phantom !== undefined) return phantom
        const result = yield* Effect.result(single(backend, commit))
        if (Result.isSuccess(result)) return result.success
        const position = yield* backend.head
        if (id !== undefined) {
          phantoms.set(id, { _tag: "Committed", position, appended: [], revisions: [], repeated: true })
        }
        return yield* Effect.fail(result.failure)
      }))
  }, [
    "the id of a commit that broke on its way to the disk was not used"
  ]),

  placeMutant(
    "ids by handle",
    "knows only the ids of the handle's own commits",
    () => (backend, { handle }) => underIds(backend, (id) => `${handle}/${id}`),
    [
      "of commits racing with the same id one happens, and all get its result",
      "an id is known to every handle",
      "an id is known after reopening"
    ]
  ),

  placeMutant("truncation forgets ids", "forgets the ids of commits when a stream is truncated", () => {
    let age = 0
    return (backend) => {
      const { commit, ...rest } = underIds(backend, (id) => `${age}/${id}`)
      return {
        ...rest,
        commit: (batch) => {
          if (batch.some(({ truncate }) => truncate.length > 0)) age++
          return commit?.(batch) ?? backend.commit(batch)
        }
      }
    }
  }, [
    "an id is known after its events were truncated"
  ]),

  placeMutant(
    "ids in memory",
    "keeps ids in memory, and not beside what the commits did",
    () => (backend, { life }) => underIds(backend, (id) => `${life}/${id}`),
    [
      "an id is known after reopening"
    ]
  )
]

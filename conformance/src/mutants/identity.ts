/** Mutants that lose, mistake or forget the ids of commits. */
import type { Commit, Outcome } from "@persist/core"
import { Invalid } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { commits, committed, oneByOne, single, underIds } from "../altered.ts"
import { mutant, placeMutant } from "../mutant.ts"

const used: Outcome = {
  _tag: "Refused",
  error: new Invalid({ field: "id", reason: "was used before", remedy: "use another" })
}

const isEmpty = ({ append, truncate, write }: Commit): boolean => append.length + truncate.length + write.length === 0

/** Broken in commit ids. */
export const identities = [
  mutant(
    "unmarked repeats",
    "doesn't say of a repeated commit that it was repeated",
    (backend) => committed(backend, (outcome) => ({ ...outcome, repeated: false })),
    [
      "the same id with the same content gives the first result again, marked as repeated",
      "a repeated commit gives its first result where its expectation no longer holds",
      "the same commit twice in one batch happens once",
      "a commit that only checks is known by its id",
      "of commits racing with the same id one happens, and all get its result",
      "an id is known to every handle",
      "an id is known after its events were truncated",
      "an id is known after reopening"
    ]
  ),

  mutant(
    "does it again",
    "recognises a repeated commit once it has done it again",
    (backend) =>
      oneByOne((commit) =>
        Effect.tap(single(backend, commit), (outcome) =>
          outcome._tag === "Committed" && outcome.repeated
            ? single(backend, { ...commit, identity: undefined, expect: [] })
            : Effect.void)
      ),
    [
      "the same id with the same content does nothing the second time",
      "the same commit twice in one batch happens once",
      "of commits racing with the same id one happens, and all get its result",
      "an id is known after reopening"
    ]
  ),

  mutant("ids are ignored", "takes no notice of ids", (backend) => underIds(backend, () => undefined), [
    "the same id with the same content gives the first result again, marked as repeated",
    "the same id with the same content does nothing the second time",
    "a repeated commit gives its first result where its expectation no longer holds",
    "the same id with other content is refused, and does nothing",
    "an id is one for the whole store: another stream doesn't free it",
    "the same commit twice in one batch happens once",
    "a refused commit in a batch disturbs none of its neighbours",
    "resolve gives the result of a commit as it was first given",
    "resolve gives the seqs, positions and revisions of every part of a commit",
    "resolve finds nothing for an id that was never used",
    "a commit that only checks is known by its id",
    "of commits racing with the same id one happens, and all get its result",
    "an id is known to every handle",
    "an id is known after its events were truncated",
    "an id is known after reopening"
  ]),

  mutant(
    "judges before it looks",
    "judges a commit's expectations before it looks whether it happened already",
    (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        const { expect } = commit
        if (commit.identity === undefined || expect.length === 0) return yield* single(backend, commit)
        const first = yield* single(backend, { ...commit, identity: undefined, append: [], write: [], truncate: [] })
        return first._tag === "Conflict" ? first : yield* single(backend, commit)
      })),
    [
      "a repeated commit gives its first result where its expectation no longer holds",
      "a commit that only checks is known by its id"
    ]
  ),

  mutant(
    "digests are ignored",
    "takes whatever comes under a known id for the same commit",
    (backend) =>
      commits(backend, ({ identity, ...commit }) => ({ ...commit, identity: identity && { ...identity, digest: "" } })),
    [
      "the same id with other content is refused, and does nothing",
      "an id is one for the whole store: another stream doesn't free it",
      "a refused commit in a batch disturbs none of its neighbours"
    ]
  ),

  placeMutant("ids by stream", "keeps ids for each stream, and not for the store", () => {
    const streams = new Map<string, string>()
    return (backend) =>
      underIds(backend, (id, commit) => {
        const stream = commit?.append[0]?.stream ?? streams.get(id) ?? ""
        if (commit !== undefined && !streams.has(id)) streams.set(id, stream)
        return `${stream}/${id}`
      })
  }, [
    "an id is one for the whole store: another stream doesn't free it"
  ]),

  mutant("blind within a batch", "doesn't know the ids of a batch until it is done", (backend) => ({
    commit: (batch) => {
      const ids = new Set<string>()
      const [first, ...rest] = batch.map((commit) => {
        if (commit.identity === undefined) return commit
        const isKnown = ids.has(commit.identity.id)
        ids.add(commit.identity.id)
        return isKnown ? { ...commit, identity: undefined } : commit
      })
      return backend.commit([first ?? batch[0], ...rest])
    }
  }), [
    "the same commit twice in one batch happens once"
  ]),

  mutant("one refused, all refused", "refuses a batch of which one commit must be refused", (backend) => ({
    commit: Effect.fnUntraced(function*(batch) {
      for (const { identity } of batch) {
        if (batch.length < 2 || identity === undefined) continue
        if (Option.isSome(yield* backend.resolve(identity.id))) return [used, ...batch.slice(1).map(() => used)]
      }
      return yield* backend.commit(batch)
    })
  }), [
    "a refused commit in a batch disturbs none of its neighbours"
  ]),

  placeMutant("content for id", "recognises a commit by its content, whatever its id", () => {
    const digests = new Map<string, string>()
    return (backend) =>
      underIds(backend, (id, commit) => {
        if (commit?.identity) digests.set(id, commit.identity.digest)
        return digests.get(id)
      })
  }, [
    "the same id with other content is refused, and does nothing",
    "an id is one for the whole store: another stream doesn't free it",
    "a refused commit in a batch disturbs none of its neighbours",
    "two ids with the same content happen twice"
  ]),

  mutant("equal means repeated", "does commits that are equal once in a batch, though they carry no id", (backend) => ({
    commit: (batch) => {
      const kept = batch.map((commit) => batch.findIndex((other) => other.append === commit.append))
      return Effect.flatMap(
        Effect.forEach(batch, (commit, n) => kept[n] === n ? single(backend, commit) : Effect.undefined),
        (all) =>
          Effect.forEach(batch, (commit, n) => {
            const outcome = all[kept[n] ?? n]
            return outcome === undefined ? single(backend, commit) : Effect.succeed(outcome)
          })
      )
    }
  }), [
    "the same commit twice in one batch happens once",
    "a commit without an id happens each time it is sent"
  ]),

  mutant(
    "ids without case",
    "compares ids without regard to case",
    (backend) => underIds(backend, (id) => id.toLowerCase()),
    [
      "ids that differ in case, in a space or in composition are different ids"
    ]
  ),

  mutant(
    "checks are not remembered",
    "remembers the ids of only those commits that changed something",
    (backend) => commits(backend, (commit) => isEmpty(commit) ? { ...commit, identity: undefined } : commit),
    [
      "a commit that only checks is known by its id"
    ]
  ),

  mutant(
    "looks, then does",
    "looks whether an id is known, and then does the commit without another look",
    (backend) =>
      oneByOne(Effect.fnUntraced(function*(commit) {
        if (commit.identity === undefined) return yield* single(backend, commit)
        const found = yield* backend.resolve(commit.identity.id)
        yield* Effect.yieldNow
        if (Option.isSome(found)) return yield* single(backend, commit)
        const again = Option.isSome(yield* backend.resolve(commit.identity.id))
        return yield* single(backend, again ? { ...commit, identity: undefined } : commit)
      })),
    [
      "of commits racing with the same id one happens, and all get its result"
    ]
  )
]

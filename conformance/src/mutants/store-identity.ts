/** Mutants that lose, mistake or invent the ids of commits. */
import { Position } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { commits } from "../altered.ts"
import { core } from "../core.ts"
import { beneathMutant, coreMutant, storeMutant } from "../store-mutant.ts"

/** Broken in the ids of commits. */
export const storeIdentity = [
  beneathMutant(
    "forgets ids",
    "commits without the id that it was given",
    (backend) => commits(backend, (commit) => ({ ...commit, identity: undefined })),
    [
      "the same commit under one id happens once, and is told its first outcome again",
      "a commit id that was used for something else is refused, and nothing of it happens",
      "what became of a commit is found by its id",
      "a commit whose reply was lost happens once",
      "a command under an id is carried out once, and told its first result again",
      "every option of an append makes a difference",
      "every option of a put and of a delete makes a difference",
      "every option of a commit makes a difference",
      "every option of a decision makes a difference"
    ]
  ),

  beneathMutant(
    "ids only",
    "takes every commit under a known id for the same",
    (backend) =>
      commits(backend, (commit) => ({ ...commit, identity: commit.identity && { ...commit.identity, digest: "" } })),
    [
      "a commit id that was used for something else is refused, and nothing of it happens"
    ]
  ),

  coreMutant("the clock is content", "takes a commit that is sent again later for another one", {
    makeStore: (backend, options) =>
      core.makeStore({
        ...backend,
        ...commits(backend, (commit) => ({
          ...commit,
          identity: commit.identity && { ...commit.identity, digest: `${commit.identity.digest} ${commit.at}` }
        }))
      }, options)
  }, [
    "the same commit under one id happens once, and is told its first outcome again"
  ]),

  storeMutant("never heard of it", "resolves no commit", () => ({ resolve: () => Effect.succeedNone }), [
    "what became of a commit is found by its id",
    "a command under an id is carried out once, and told its first result again"
  ]),

  storeMutant("resolves wrongly", "finds every commit that it is asked for", (store) => ({
    resolve: (id) =>
      Effect.map(store.resolve(id), (found) =>
        Option.orElseSome(found, () => ({
          _tag: "Committed" as const,
          position: Position(1),
          appended: [],
          revisions: [],
          repeated: false
        })))
  }), [
    "what became of a commit is found by its id",
    "a command under an id is carried out once, and told its first result again"
  ])
]

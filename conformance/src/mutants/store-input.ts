/** Mutants that take what they should refuse. */
import { defaultLimits } from "@persist/core"
import { core } from "../core.ts"
import { beneathMutant, coreMutant, storeMutant } from "../store-mutant.ts"

/** Broken in what they let through. */
export const storeInput = [
  storeMutant(
    "takes any option of a commit",
    "leaves out what it doesn't know of the options of a commit",
    (store) => ({
      commit: (ops, options) => store.commit(ops, options && { id: options.id, at: options.at })
    }),
    [
      "one wrong operation among right ones forbids the whole commit"
    ]
  ),

  storeMutant(
    "takes anybody's",
    "commits the operations of any store",
    (store) => ({
      commit: (ops, options) => store.commit(ops.map((op) => ({ "~persist/Op": op["~persist/Op"] })), options)
    }),
    [
      "an operation of another store is refused by its place, and changes neither store"
    ]
  ),

  beneathMutant("no limits", "declares limits that it doesn't have", (backend) => ({
    about: { ...backend.about, limits: defaultLimits }
  }), [
    "what is over the limits that are declared is refused, and what just fits is not"
  ]),

  coreMutant("one batch at a time", "flushes every commit by itself", {
    makeStore: (backend, options) => core.makeStore(backend, { ...options, batchCommits: 1 })
  }, [
    "every option of a store makes a difference"
  ])
]

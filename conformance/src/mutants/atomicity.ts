/** Mutants that do a commit in part, or number it wrongly. */
import { Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import { mutant } from "../mutant.ts"

/** Broken in what one commit does. */
export const atomicity = [
  mutant("seqs from zero", "counts the events of a stream from 0", (backend) => ({
    commit: (batch) =>
      Effect.map(backend.commit(batch), ([first, ...rest]) => [
        first._tag === "Committed"
          ? { ...first, appended: first.appended.map((each) => ({ ...each, first: Seq(each.first - 1) })) }
          : first,
        ...rest
      ])
  }), ["an append gives its events the next seqs of their stream, from 1"])
]

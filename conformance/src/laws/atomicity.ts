/** A commit happens entirely or not at all: events, keys and truncations of several streams and namespaces. */
import { Seq } from "@persist/core"
import { equal } from "../assertion.ts"
import { appendEach, dataOf } from "../given.ts"
import { lawOf } from "../law.ts"

const law = lawOf("atomicity")

/** Laws of what one commit does. */
export const atomicity = [
  law("an append gives its events the next seqs of their stream, from 1", [], function*(backend) {
    const committed = yield* appendEach(backend, "s", ["1", "2", "3"])
    yield* equal("seqs of three appends", committed.map(({ appended }) => appended.map(({ first }) => first)), [
      [Seq(1)],
      [Seq(2)],
      [Seq(3)]
    ])
    yield* equal("data read back", yield* dataOf(backend, "s"), ["1", "2", "3"])
  })
]

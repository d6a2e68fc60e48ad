/** The laws of stores and processors hold over every store that is odd but right, and over stores of reduced means. */
import { processorLaws, storeLaws, suite, wrapped } from "@persist/conformance"
import { abilities } from "@persist/conformance/declaration"
import { lostReplies } from "@persist/conformance/faults"
import { lacking } from "@persist/conformance/lacking"
import { gapped, slow, tinyPages, yielding } from "@persist/conformance/oddballs"
import { describe, it } from "vitest"
import { kept, memory } from "./stores.ts"

const laws = [...storeLaws, ...processorLaws]

const oddballs = [
  [],
  [yielding],
  [slow],
  [gapped],
  [tinyPages(2)],
  [lostReplies],
  [tinyPages(1), gapped, yielding, lostReplies]
]

for (const wrappers of oddballs) {
  suite({ describe, it }, wrapped(kept, ...wrappers), laws)
  suite({ describe, it }, wrapped(memory, ...wrappers), laws)
}

for (const ability of abilities) suite({ describe, it }, wrapped(kept, lacking(ability)), laws)

suite({ describe, it }, wrapped(memory, ...abilities.map(lacking)), laws)

/** The laws of stores hold over every store that is odd but right, and over stores of reduced means. */
import { storeLaws, suite, wrapped } from "@persist/conformance"
import { abilities } from "@persist/conformance/declaration"
import { lostReplies } from "@persist/conformance/faults"
import { lacking } from "@persist/conformance/lacking"
import { gapped, slow, tinyPages, yielding } from "@persist/conformance/oddballs"
import { describe, it } from "vitest"
import { kept, memory } from "./stores.ts"

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
  suite({ describe, it }, wrapped(kept, ...wrappers), storeLaws)
  suite({ describe, it }, wrapped(memory, ...wrappers), storeLaws)
}

for (const ability of abilities) suite({ describe, it }, wrapped(kept, lacking(ability)), storeLaws)

suite({ describe, it }, wrapped(memory, ...abilities.map(lacking)), storeLaws)

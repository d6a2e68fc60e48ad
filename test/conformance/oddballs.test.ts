/** Stores that are odd but right obey every law, so no law asks for more than the protocol promises. */
import { protocolLaws, suite, wrapped } from "@persist/conformance"
import { abilities } from "@persist/conformance/declaration"
import { lostReplies } from "@persist/conformance/faults"
import { lacking } from "@persist/conformance/lacking"
import { gapped, slow, tinyPages, yielding } from "@persist/conformance/oddballs"
import { describe, it } from "vitest"
import { kept, memory } from "./stores.ts"

const oddballs = [[yielding], [slow], [gapped], [tinyPages(2)], [lostReplies], [
  tinyPages(1),
  gapped,
  yielding,
  lostReplies
]]

for (const wrappers of oddballs) {
  suite({ describe, it }, wrapped(kept, ...wrappers), protocolLaws)
  suite({ describe, it }, wrapped(memory, ...wrappers), protocolLaws)
}

for (const ability of abilities) suite({ describe, it }, wrapped(kept, lacking(ability)), protocolLaws)

suite({ describe, it }, wrapped(memory, ...abilities.map(lacking)), protocolLaws)

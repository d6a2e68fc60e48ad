/** SQLite obeys every law: in memory, in a file, with everything coming between that can, and with its replies lost. */
import { laws, lostReplies, suite, wrapped, yielding } from "@persist/conformance"
import { describe, it } from "vitest"
import { file, inMemory } from "./fixture.ts"

for (const fixture of [inMemory, file, wrapped(file, yielding), wrapped(file, lostReplies)]) {
  suite({ describe, it }, fixture, laws, 18_000)
}

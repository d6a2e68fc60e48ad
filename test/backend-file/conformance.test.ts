/** The file backend obeys every law: with everything coming between that can, and with its replies lost. */
import { laws, lostReplies, suite, wrapped, yielding } from "@persist/conformance"
import { describe, it } from "vitest"
import { file, smallSegments } from "./fixture.ts"

for (const fixture of [file, wrapped(smallSegments, yielding), wrapped(smallSegments, lostReplies)]) {
  suite({ describe, it }, fixture, laws, 18_000)
}

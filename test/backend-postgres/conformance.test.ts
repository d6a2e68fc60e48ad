/** PostgreSQL obeys every law: bare, with everything coming between that can, and with its replies lost. */
import { laws, lostReplies, suite, wrapped, yielding } from "@persist/conformance"
import { describe, it } from "vitest"
import { postgres } from "./fixture.ts"

for (const fixture of [postgres, wrapped(postgres, yielding), wrapped(postgres, lostReplies)]) {
  suite({ describe, it }, fixture, laws, 18_000)
}

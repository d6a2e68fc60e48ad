/** PostgreSQL obeys every law: bare, where every call lets others come between anyway, and with its replies lost. */
import { laws, lostReplies, suite, wrapped } from "@persist/conformance"
import { describe, it } from "vitest"
import { postgres } from "./fixture.ts"

for (const fixture of [postgres, wrapped(postgres, lostReplies)]) {
  suite({ describe, it }, fixture, laws, 18_000)
}

/** PostgreSQL obeys every law, bare: every call lets others come between anyway. */
import { laws, suite } from "@persist/conformance"
import { describe, it } from "vitest"
import { postgres } from "./fixture.ts"

suite({ describe, it }, postgres, laws, 18_000)

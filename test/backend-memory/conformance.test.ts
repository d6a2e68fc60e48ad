/** The memory backend obeys every law, bare and with everything that can come between coming between. */
import { laws, suite, wrapped, yielding } from "@persist/conformance"
import { describe, it } from "vitest"
import { memory } from "./fixture.ts"

suite({ describe, it }, memory, laws)
suite({ describe, it }, wrapped(memory, yielding), laws)

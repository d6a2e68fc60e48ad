/** The memory backend obeys every law, bare and with everything that can come between coming between. */
import { make } from "@persist/backend-memory"
import { fromOpen, laws, suite, wrapped, yielding } from "@persist/conformance"
import { describe, it } from "vitest"

const memory = fromOpen("memory", make())
suite({ describe, it }, memory, laws)
suite({ describe, it }, wrapped(memory, yielding), laws)

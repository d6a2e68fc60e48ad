/** The stores that the mutants are made from obey every law, so that what a mutant breaks is its own doing. */
import { protocolLaws, suite } from "@persist/conformance"
import { describe, it } from "vitest"
import { kept, memory } from "./stores.ts"

suite({ describe, it }, memory, protocolLaws)
suite({ describe, it }, kept, protocolLaws)

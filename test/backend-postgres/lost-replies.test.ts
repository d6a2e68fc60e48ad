/**
 * PostgreSQL obeys the laws of the protocol and of processors with its replies lost; those of stores, for which the
 * wrapper adds nothing that depends on the backend, are asked by test/thorough.
 */
import { lostReplies, processorLaws, protocolLaws, suite, wrapped } from "@persist/conformance"
import { describe, it } from "vitest"
import { postgres } from "./fixture.ts"

suite({ describe, it }, wrapped(postgres, lostReplies), [...protocolLaws, ...processorLaws], 18_000)

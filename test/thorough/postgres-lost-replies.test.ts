/**
 * PostgreSQL obeys the laws of stores with its replies lost. What its own verbs make of a lost reply is asked by the
 * laws of the protocol, and what core makes of one over the other backends: `npm test` asks both.
 */
import { lostReplies, storeLaws, suite, wrapped } from "@persist/conformance"
import { describe, it } from "vitest"
import { postgres } from "../backend-postgres/fixture.ts"

suite({ describe, it }, wrapped(postgres, lostReplies), storeLaws, 18_000)

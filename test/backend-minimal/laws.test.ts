/** Six functions obey every law that asks for what they have, and refuse what they declare they haven't. */
import { fromSixFunctions } from "@persist/backend-minimal"
import { type Fixture, fromOpen, protocolLaws, run, suite } from "@persist/conformance"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { atOnce, later } from "./functions.ts"

const fresh = fromOpen("six functions at once", Effect.suspend(() => fromSixFunctions(atOnce())))

/** Functions that outlive the handle, and are opened again. */
const kept: Fixture = {
  name: "six functions later, kept",
  place: Effect.sync(() => {
    const functions = later()
    return { open: fromSixFunctions(functions, { durability: "process" }) }
  })
}

suite({ describe, it }, fresh, protocolLaws)
suite({ describe, it }, kept, protocolLaws)

describe("of the laws", () => {
  it("more than a third ask for nothing that six functions lack", async () => {
    const report = await Effect.runPromise(run(kept, protocolLaws))
    const passed = report.laws.filter(({ outcome }) => outcome._tag === "Passed").length
    expect(passed / report.total).toBeGreaterThan(1 / 3)
  })
})

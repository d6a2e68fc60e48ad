/** Files answer random queries as a plain filter and sort of all states does. */
import * as Effect from "effect/Effect"
import { expect, it } from "vitest"
import { answersRightly } from "../core/tickets.ts"
import { smallSegments } from "./fixture.ts"

it("random queries find what a filter and a sort of all states give", async () => {
  const used = await answersRightly(Effect.flatMap(smallSegments.place, ({ open }) => open), 5)
  expect(used.size).toBeGreaterThan(4)
}, 120_000)

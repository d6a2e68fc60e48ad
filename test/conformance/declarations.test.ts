/** What a store says of itself is held against it: whoever declares too much or too little breaks those laws. */
import { abilities, type Fixture, lacking, type Law, protocolLaws, run, wrapped } from "@persist/conformance"
import type { About } from "@persist/core"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { kept, memory } from "./stores.ts"
import { inTurns } from "./turns.ts"

const declaring = (fixture: Fixture, about: Partial<About>): Fixture =>
  wrapped(fixture, {
    name: JSON.stringify(about),
    wrap: (backend) => Effect.succeed({ ...backend, about: { ...backend.about, ...about } })
  })

const failed = async (fixture: Fixture, laws: ReadonlyArray<Law>) => {
  const report = await Effect.runPromise(inTurns(run(fixture, laws, { concurrency: 1 })))
  return report.laws.filter(({ outcome }) => outcome._tag === "Failed").map(({ name }) => name)
}

const needing = (need: string) => protocolLaws.filter(({ needs }) => needs.some((own) => own === need))
const namesOf = (laws: ReadonlyArray<Law>) => laws.map(({ name }) => name)

describe("a store that declares too little breaks every law that it gets out of", () => {
  it("durability memory, though it outlives its handles", async () => {
    const laws = needing("durable")
    expect(laws.length).toBeGreaterThan(0)
    expect(await failed(declaring(kept, { durability: "memory" }), laws)).toEqual(namesOf(laws))
  })

  it("not shared, though its handles share it", async () => {
    const laws = needing("shared")
    expect(laws.length).toBeGreaterThan(0)
    expect(await failed(declaring(kept, { shared: false }), laws)).toEqual(namesOf(laws))
  })

  for (const ability of abilities) {
    it(`lacks ${ability}, and does it`, async () => {
      const laws = needing(ability)
      expect(laws.length).toBeGreaterThan(0)
      expect(await failed(declaring(kept, { lacks: new Set([ability]) }), laws)).toEqual(namesOf(laws))
    })
  }
})

describe("a store that declares too much breaks laws", () => {
  it("durability disk, though it dies with its handle", async () => {
    expect(await failed(declaring(memory, { durability: "disk" }), needing("durable"))).not.toEqual([])
  })

  it("shared, though each handle has its own", async () => {
    expect(await failed(declaring(memory, { shared: true }), needing("shared"))).not.toEqual([])
  })

  for (const ability of abilities) {
    it(`doesn't lack ${ability}, and refuses it`, async () => {
      const pretending = declaring(wrapped(kept, lacking(ability)), { lacks: new Set() })
      expect(await failed(pretending, protocolLaws)).toContain(
        "a store refuses what it declares it lacks, and nothing else"
      )
    })
  }
})

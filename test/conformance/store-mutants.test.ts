/**
 * The kit proves itself at the level of stores: every law has a mutant, and the store that does nothing breaks all.
 * Mutants are asked the laws near what they break; test/thorough asks each of them all there are.
 */
import { protocolLaws, storeLaws, storeMutants } from "@persist/conformance"
import { describe, expect, it } from "vitest"
import { breaksExactly, broken, near } from "./broken.ts"
import { idle } from "./stores.ts"

const repeated = (names: ReadonlyArray<string>) => names.filter((name, i) => names.indexOf(name) !== i)

describe("the laws of stores", () => {
  it("have different names, among themselves and from the protocol's", () => {
    expect(repeated([...protocolLaws, ...storeLaws].map(({ name }) => name))).toEqual([])
  })

  it("are each broken by a mutant", () => {
    const breakable = new Set(storeMutants.flatMap(({ breaks }) => breaks))
    expect(storeLaws.map(({ name }) => name).filter((name) => !breakable.has(name))).toEqual([])
  })

  it("are each broken by a store that does nothing", async () => {
    expect(storeLaws.length).toBeGreaterThan(70)
    expect(await broken(idle)).toEqual(storeLaws.map(({ name }) => name))
  })

  it("have mutants of different names", () => {
    expect(repeated(storeMutants.map(({ name }) => name))).toEqual([])
  })
})

breaksExactly(storeMutants, near)

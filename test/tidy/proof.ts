/** What a test may not do: be left out, leave others out, or wait by the clock. */
import { Visitor } from "rolldown/utils"
import type { Fault, Rule } from "./rule.ts"
import { faultAt, isProof } from "./rule.ts"
import { importsOf, sourceOf } from "./tree.ts"

const leftOut = /^(it|test|describe|suite|layer)\b.*\.(skip|only|todo|skipIf|runIf|fails)$/s
const shortcuts = new Set(["xit", "xtest", "xdescribe", "fit", "fdescribe"])

const everyTest: Rule = {
  name: "every test runs: none is skipped, focused, conditional or still to be written",
  covers: isProof,
  faults: (path, tree) => {
    const source = sourceOf(path, tree)
    const faults: Array<Fault> = []
    new Visitor({
      MemberExpression: ({ end, start }) => {
        const written = source.text.slice(start, end)
        if (leftOut.test(written)) faults.push(faultAt(source, end, written))
      },
      CallExpression: ({ callee, start }) => {
        if (callee.type === "Identifier" && shortcuts.has(callee.name)) faults.push(faultAt(source, start, callee.name))
      }
    }).visit(source.program)
    return faults
  },
  bad: [
    "it.skip('a', () => {})",
    "test.only('a', () => {})",
    "describe.todo('a')",
    "it.effect.skip('a', () => Effect.void)",
    "test.skipIf(slow)('a', () => {})",
    "it.runIf(fast)('a', () => {})",
    "test.fails('a', () => {})",
    "xit('a', () => {})"
  ].map((text) => ({ "test/core/log.test.ts": text })),
  good: [{ "test/core/log.test.ts": "it.effect('a', () => Effect.skip)\nlog.skip(1)\nit('skip', () => {})" }]
}

const timers = new Set(["setTimeout", "setInterval"])

// Networks are slow and servers freeze: there the time is the fault, and nothing is waited for.
const makesTime = "test/servers/lasting.ts"

const noSleep: Rule = {
  name: "tests wait for markers, never for time to pass",
  covers: (path) => isProof(path) && path !== makesTime,
  faults: (path, tree) => {
    const source = sourceOf(path, tree)
    const faults = importsOf(source)
      .filter(({ specifier }) => /^(node:)?timers(\/|$)/.test(specifier))
      .map(({ line, specifier }): Fault => ({ line, what: `imports ${specifier}: wait for a marker` }))
    new Visitor({
      MemberExpression: ({ end, start }) => {
        const written = source.text.slice(start, end)
        if (/^(Effect\.(sleep|delay)|Atomics\.wait)$/.test(written)) {
          faults.push(faultAt(source, start, `${written}: wait for a marker`))
        }
      },
      CallExpression: ({ callee, start }) => {
        const called = source.text.slice(callee.start, callee.end).replace(/^globalThis\./, "")
        if (timers.has(called)) faults.push(faultAt(source, start, `${called}: wait for a marker`))
      }
    }).visit(source.program)
    return faults
  },
  bad: [
    { "test/core/log.test.ts": "await new Promise((resolve) => setTimeout(resolve, 5))" },
    { "test/core/log.test.ts": "globalThis.setInterval(poll, 5)" },
    { "test/core/log.test.ts": "yield* Effect.sleep('5 millis')" },
    { "test/core/log.test.ts": "append.pipe(Effect.delay(5))" },
    { "test/core/log.test.ts": "import { setTimeout } from 'node:timers/promises'" },
    { "conformance/src/laws/races.ts": "Effect.sleep(5)" }
  ],
  good: [{
    "test/core/log.test.ts": "yield* Deferred.await(marker)\n// setTimeout(1)\nyield* TestClock.adjust('1 minute')"
  }]
}

/** The rules about tests. */
export const proofRules: ReadonlyArray<Rule> = [everyTest, noSleep]

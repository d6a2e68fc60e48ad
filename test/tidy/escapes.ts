/** The ways out of the types, out of determinism and out of the work: what code may not say, or only with a reason. */
import { Visitor } from "rolldown/utils"
import type { Fault, Rule } from "./rule.ts"
import { faultAt, isCode, isPublished } from "./rule.ts"
import { lineAt, sourceOf } from "./tree.ts"

const marks: Rule = {
  name: "nothing is left for later in the code",
  covers: isCode,
  faults: (path, tree) =>
    [...tree.text(path).matchAll(/\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b/g)].map(({ 0: mark, index }) =>
      faultAt({ text: tree.text(path) }, index, `${mark}: do it now or write a plan`)
    ),
  bad: ["TOD\u004f", "FIXM\u0045", "XX\u0058", "HAC\u004b"].map((mark) => ({ "test/core/a.ts": `// ${mark}: later` })),
  good: [{ "test/core/a.ts": "// A to-do list is an example." }]
}

const defaultExports: Rule = {
  name: "sources have no default export",
  covers: isPublished,
  faults: (path, tree) => {
    const source = sourceOf(path, tree)
    return source.module.staticExports.flatMap(({ entries, start }) =>
      entries.some(({ exportName }) => exportName.kind === "Default" || exportName.name === "default")
        ? [faultAt(source, start, "a default export: give it its name")]
        : []
    )
  },
  bad: [
    { "packages/core/src/log.ts": "export default 1" },
    { "packages/core/src/log.ts": "const log = 1\nexport { log as default }" }
  ],
  good: [{ "packages/core/src/log.ts": "export const log = 1" }, { "examples/churn.ts": "export default 1" }]
}

const untyped: Rule = {
  name: "no any, no @ts-ignore, and @ts-expect-error only in type tests",
  covers: isCode,
  faults: (path, tree) => {
    const source = sourceOf(path, tree)
    const faults: Array<Fault> = []
    new Visitor({ TSAnyKeyword: ({ start }) => faults.push(faultAt(source, start, "any: say what it is")) })
      .visit(source.program)
    const silenced = path.startsWith("test/") ? /^\s*@ts-(ignore|nocheck)/ : /^\s*@ts-/
    for (const { start, value } of source.comments) {
      if (silenced.test(value)) faults.push(faultAt(source, start, `${value.trim()}: mend the type`))
    }
    return faults
  },
  bad: [
    { "packages/core/src/log.ts": "const log: any = 1" },
    { "packages/core/src/log.ts": "const log = 1 as any" },
    { "test/core/log.test.ts": "const log = new Map<string, any>()" },
    { "test/core/log.test.ts": "// @ts-ignore\nconst log: string = 1" },
    { "packages/core/src/log.ts": "// @ts-expect-error\nconst log: string = 1" }
  ],
  good: [
    { "packages/core/src/log.ts": `const any = "any" // any` },
    { "test/types/log.test-d.ts": "// @ts-expect-error a number is no log\nconst log: string = 1" }
  ]
}

const casts: Rule = {
  name: "a cast in a source has a comment beside it or above it that says why it holds",
  covers: isPublished,
  faults: (path, tree) => {
    const source = sourceOf(path, tree)
    const explained = new Set(source.comments.flatMap(({ end, start }) => {
      const last = lineAt(source.text, end)
      return [lineAt(source.text, start), last, last + 1]
    }))
    const faults: Array<Fault> = []
    const judge = (start: number, end: number) => {
      if (explained.has(lineAt(source.text, start)) || explained.has(lineAt(source.text, end))) return
      faults.push(faultAt(source, end, "a cast without its reason"))
    }
    new Visitor({
      TSAsExpression: ({ end, expression, typeAnnotation }) => {
        if (source.text.slice(typeAnnotation.start, typeAnnotation.end) !== "const") judge(expression.end, end)
      },
      TSTypeAssertion: ({ end, start }) => judge(start, end)
    }).visit(source.program)
    return faults
  },
  bad: [
    { "packages/core/src/log.ts": "export const seq = 1\n\nconst log = seq as Seq" },
    { "packages/core/src/log.ts": "// Far above.\n\nconst log = seq as unknown as Seq" },
    { "packages/core/src/log.ts": "const log = <Seq>seq" }
  ],
  good: [
    { "packages/core/src/log.ts": "// It was counted here.\nconst log = seq as Seq" },
    { "packages/core/src/log.ts": "const log = seq as Seq // it was counted here" },
    { "packages/core/src/log.ts": "const log = [1] as const\nconst other = { a: 1 } satisfies A" }
  ]
}

const unsteady = new Set(["Date.now", "Math.random", "performance.now"])

const purity: Rule = {
  name: "core asks Effect for time and randomness, never the machine",
  covers: (path) => path.startsWith("packages/core/src/") && path.endsWith(".ts"),
  faults: (path, tree) => {
    const source = sourceOf(path, tree)
    const faults: Array<Fault> = []
    const blame = (start: number, what: string) =>
      faults.push(faultAt(source, start, `${what}: use Effect's Clock or Random`))
    new Visitor({
      MemberExpression: ({ end, start }) => {
        const written = source.text.slice(start, end).replace(/^globalThis\./, "")
        if (unsteady.has(written)) blame(start, written)
      },
      NewExpression: ({ arguments: given, callee, start }) => {
        if (callee.type === "Identifier" && callee.name === "Date" && given.length === 0) blame(start, "new Date()")
      },
      CallExpression: ({ callee, start }) => {
        if (callee.type !== "Identifier") return
        if (/^(Date|setTimeout|setInterval|setImmediate)$/.test(callee.name)) blame(start, `${callee.name}()`)
      }
    }).visit(source.program)
    return faults
  },
  bad: ["Date.now()", "globalThis.Date.now()", "new Date()", "Date()", "Math.random()", "performance.now()"]
    .map((call) => ({ "packages/core/src/log.ts": `const at = ${call}` })),
  good: [
    { "packages/core/src/log.ts": "const at = Clock.currentTimeMillis\nconst said = new Date(0)" },
    { "packages/cli/src/bin.ts": "const at = Date.now()" }
  ]
}

/** The rules about what code may not say. */
export const escapeRules: ReadonlyArray<Rule> = [marks, defaultExports, untyped, casts, purity]

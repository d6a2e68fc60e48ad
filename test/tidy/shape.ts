/** How a file looks: its size, its name, its opening sentence and what it says of what it exports. */
import { Visitor } from "rolldown/utils"
import type { Fault, Rule } from "./rule.ts"
import { faultAt, isCode, isProse, isPublished } from "./rule.ts"
import type { Source } from "./tree.ts"
import { lineAt, sourceOf } from "./tree.ts"

const lines = (count: number, line = "// x"): string => Array.from({ length: count }, () => line).join("\n")

// A row for each requirement, and for each figure of the bench, and so many as there are.
const tables: ReadonlySet<string> = new Set(["plans/requirements.md", "bench/results.md"])

const fileSize: Rule = {
  name: "a file has at most 300 lines",
  covers: (path) => isCode(path) || (isProse(path) && !tables.has(path)),
  faults: (path, tree) => {
    const count = tree.text(path).trimEnd().split("\n").length
    return count <= 300 ? [] : [{ line: 301, what: `has ${count} lines: split it by concept` }]
  },
  bad: [{ "packages/core/src/log.ts": lines(301) }, { "docs/guide.md": lines(301, "word") }],
  good: [{ "packages/core/src/log.ts": `${lines(300)}\n` }]
}

const columns: Rule = {
  name: "a line has at most 120 columns",
  covers: isCode,
  faults: (path, tree) =>
    tree.text(path).split("\n").flatMap((text, n) =>
      text.length <= 120 ? [] : [{ line: n + 1, what: `has ${text.length} columns` }]
    ),
  bad: [{ "test/core/log.test.ts": `// ${"x".repeat(118)}` }],
  good: [{ "test/core/log.test.ts": `// ${"x".repeat(117)}` }]
}

/** Callbacks that hold tests rather than do something. */
const holdsTests = /^(describe|layer)\b/

const functionSize: Rule = {
  name: "a function has at most 70 lines",
  covers: isCode,
  faults: (path, tree) => {
    const source = sourceOf(path, tree)
    const exempt = new Set<number>()
    const faults: Array<Fault> = []
    const measure = ({ end, start }: { readonly start: number; readonly end: number }) => {
      const count = lineAt(source.text, end) - lineAt(source.text, start) + 1
      if (count > 70 && !exempt.has(start)) faults.push(faultAt(source, start, `a function of ${count} lines`))
    }
    new Visitor({
      CallExpression: (node) => {
        if (!holdsTests.test(source.text.slice(node.start, node.start + 20))) return
        for (const argument of node.arguments) exempt.add(argument.start)
      },
      FunctionDeclaration: measure,
      FunctionExpression: measure,
      ArrowFunctionExpression: measure
    }).visit(source.program)
    return faults
  },
  bad: [
    { "packages/core/src/log.ts": `const f = () => {\n${lines(69)}\n}` },
    { "packages/core/src/log.ts": `export const f = Effect.gen(function*() {\n${lines(69)}\n})` },
    { "packages/core/src/log.ts": `class A {\n  b() {\n${lines(69)}\n}\n}` },
    { "test/core/log.test.ts": `describe("log", () => {\n it("x", () => {\n${lines(69)}\n})\n})` }
  ],
  good: [
    { "packages/core/src/log.ts": `const f = () => {\n${lines(68)}\n}` },
    { "test/core/log.test.ts": `describe("log", () => {\n${lines(99)}\n})` }
  ]
}

const header: Rule = {
  name: "a file opens with a sentence that says what it is",
  covers: isCode,
  faults: (path, tree) =>
    /^(#!.*\n)?\/\*\*[^]*?\w[^]*?[.!?:]\s*\*\/\n/.test(tree.text(path))
      ? []
      : [{ line: 1, what: "doesn't open with /** a sentence. */" }],
  bad: [
    { "packages/core/src/log.ts": `import * as Effect from "effect/Effect"\n/** A log. */` },
    { "packages/core/src/log.ts": "// A log.\n" },
    { "packages/core/src/log.ts": "/** a log */\n" },
    { "packages/core/src/log.ts": "/** */\n" }
  ],
  good: [
    { "packages/core/src/log.ts": "/** A log. */\n" },
    { "packages/cli/src/bin.ts": "#!/usr/bin/env node\n/** The program. */\n" }
  ]
}

const drawers = /^(utils?|helpers?|common|misc|shared)([-.]|$)/
const conceptName = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|test-d|config))?\.ts$/

const names: Rule = {
  name: "a file is named for one concept, in kebab-case, and never utils, helpers, common, misc, shared or types",
  covers: isCode,
  faults: (path) => {
    const parts = path.split("/")
    const file = parts.at(-1) ?? ""
    const drawer = parts.find((part) => drawers.test(part)) ?? (file === "types.ts" ? file : undefined)
    if (drawer !== undefined) return [{ line: 1, what: `${drawer} names no concept` }]
    return conceptName.test(file) ? [] : [{ line: 1, what: `${file} isn't kebab-case` }]
  },
  bad: [
    "packages/core/src/utils.ts",
    "packages/core/src/helpers/range.ts",
    "packages/core/src/common.ts",
    "packages/core/src/misc.ts",
    "test/core/shared-cases.ts",
    "packages/core/src/types.ts",
    "packages/core/src/readAll.ts",
    "packages/core/src/Read.ts"
  ].map((path) => ({ [path]: "" })),
  good: [
    "packages/core/src/read-model.ts",
    "test/types/log.test-d.ts",
    "test/core/log.test.ts",
    "vitest.config.ts"
  ].map((path) => ({ [path]: "" }))
}

/** Whether a docstring other than the file's header stands right before an offset; line comments may come between. */
const isDocumented = ({ comments, program, text }: Source, start: number): boolean => {
  let at = start
  for (const comment of [...comments].reverse()) {
    if (comment.end > at) continue
    if (text.slice(comment.end, at).trim() !== "") return false
    if (comment.type === "Block") {
      return comment.value.startsWith("*") && text.slice(program.hashbang?.end ?? 0, comment.start).trim() !== ""
    }
    at = comment.start
  }
  return false
}

const docstrings: Rule = {
  name: "everything a package exports has a docstring of its own",
  covers: isPublished,
  faults: (path, tree) => {
    const source = sourceOf(path, tree)
    const listed = new Set<string>()
    const declarations: Array<{ names: ReadonlyArray<string>; exported: boolean; start: number }> = []
    for (const node of source.program.body) {
      if (node.type === "ExportNamedDeclaration" && node.declaration === null && node.source === null) {
        for (const { local } of node.specifiers) listed.add(local.type === "Literal" ? local.value : local.name)
      }
      const exported = node.type === "ExportNamedDeclaration"
      const declaration = exported ? node.declaration : node
      if (declaration === null) continue
      const named = "declarations" in declaration
        ? declaration.declarations.map(({ id }) => source.text.slice(id.start, id.end).replace(/\W[^]*/, ""))
        : "id" in declaration && declaration.id?.type === "Identifier"
        ? [declaration.id.name]
        : []
      declarations.push({ names: named, exported, start: node.start })
    }
    return declarations
      .filter(({ exported, names: named }) => exported || named.some((name) => listed.has(name)))
      .filter(({ start }) => !isDocumented(source, start))
      .map(({ names: named, start }) => faultAt(source, start, `${named.join(", ")} has no docstring`))
  },
  bad: [
    "/** Logs. */\nimport a from './a.ts'\n\nexport const log = 1",
    "/** Logs. */\nexport const log = 1",
    "/** Logs. */\nimport a from './a.ts'\n\n// not a docstring\nexport interface Log {}",
    "/** Logs. */\nimport a from './a.ts'\n\n/** Of b. */\nconst b = 1\nexport class Log {}",
    "/** Logs. */\nimport a from './a.ts'\n\nconst log = 1\nexport { log }",
    "/** Logs. */\nimport a from './a.ts'\n\nexport function* log() {}",
    "/** Logs. */\nimport a from './a.ts'\n\nexport type Log = 1"
  ].map((text) => ({ "packages/core/src/log.ts": text })),
  good: [
    "/** Logs. */\nexport * from './a.ts'\nexport { b } from './b.ts'",
    "/** Logs. */\nimport a from './a.ts'\n\n/** A log. */\nexport const log = 1",
    "/** Logs. */\n\n/** A log. */\n// Why so.\nexport const log = 1\nconst inner = 2",
    "/** Logs. */\nimport a from './a.ts'\n\n/** A log. */\nconst log = 1\nexport { log }"
  ].map((text) => ({ "packages/core/src/log.ts": text }))
}

/** The rules about how files look. */
export const shapeRules: ReadonlyArray<Rule> = [fileSize, columns, functionSize, header, names, docstrings]

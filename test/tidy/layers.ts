/** Who may import whom, and that what is declared is what is imported. */
import { posix } from "node:path"
import type { Rule } from "./rule.ts"
import { isPublished } from "./rule.ts"
import type { Tree } from "./tree.ts"
import { importsOf, sourceOf } from "./tree.ts"

interface Layer {
  readonly packages: RegExp
  /** Names of packages; `node` stands for what comes with Node, `driver` for anything from outside the house. */
  readonly may: ReadonlyArray<string> | "anything"
}

const layers: ReadonlyArray<Layer> = [
  { packages: /^core$/, may: ["effect"] },
  { packages: /^backend-/, may: ["effect", "@persist/core", "node", "driver"] },
  { packages: /^with-/, may: ["effect", "@persist/core"] },
  { packages: /^blob$/, may: ["effect", "@persist/core"] },
  { packages: /^blob-/, may: ["effect", "@persist/core", "@persist/blob", "node", "driver"] },
  { packages: /^facade-/, may: ["effect", "@persist/core"] },
  { packages: /^runner$/, may: ["effect", "@persist/core"] },
  { packages: /^interop$/, may: ["effect", "@persist/core", "driver"] },
  { packages: /^conformance$/, may: ["effect", "@persist/core", "@persist/runner", "fast-check"] },
  { packages: /^testing$/, may: ["effect", "@persist/core", "@persist/backend-memory", "@persist/conformance"] },
  { packages: /^(server|cli|console|persist)$/, may: "anything" }
]

/** The directory of the package a file belongs to: `packages/core`, `conformance`. */
const homeOf = (path: string): string => path.split("/").slice(0, path.startsWith("packages/") ? 2 : 1).join("/")

const packageOf = (specifier: string): string =>
  specifier.startsWith("node:") ? "node" : specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/")

const isOurs = (name: string): boolean => name === "persist" || name.startsWith("@persist/")

const wrongImport = (path: string, specifier: string): string | undefined => {
  const home = homeOf(path)
  if (specifier.startsWith(".")) {
    if (!/\.(ts|json)$/.test(specifier)) return `imports ${specifier} without its .ts`
    const target = posix.join(posix.dirname(path), specifier)
    return target.startsWith(`${home}/`) ? undefined : `reaches out of its package for ${specifier}`
  }
  if (specifier === "effect") return "imports the barrel: name the module, effect/Effect"
  const name = posix.basename(home)
  const layer = layers.find(({ packages }) => packages.test(name))
  if (layer === undefined) return `belongs to no layer: add ${name} to the table in test/tidy/layers.ts`
  const asked = packageOf(specifier)
  if (layer.may === "anything" || layer.may.includes(asked)) return undefined
  const fromOutside = !isOurs(asked) && asked !== "node" && asked !== "effect"
  if (fromOutside && layer.may.includes("driver")) return undefined
  return `${name} may not import ${specifier}, only ${layer.may.join(", ")}`
}

const imports: Rule = {
  name: "imports follow the layers",
  covers: isPublished,
  faults: (path, tree) =>
    importsOf(sourceOf(path, tree)).flatMap(({ line, specifier }) => {
      const what = wrongImport(path, specifier)
      return what === undefined ? [] : [{ line, what }]
    }),
  bad: [
    { "packages/core/src/log.ts": `import { readFileSync } from "node:fs"` },
    { "packages/core/src/log.ts": `import Database from "better-sqlite3"` },
    { "packages/core/src/log.ts": `import { Effect } from "effect"` },
    { "packages/core/src/log.ts": `export * from "@persist/backend-memory"` },
    { "packages/core/src/log.ts": `const late = import("node:fs")` },
    { "packages/core/src/log.ts": `import "./commit"` },
    { "packages/backend-memory/src/layer.ts": `import { layer } from "@persist/backend-sqlite"` },
    { "packages/backend-memory/src/layer.ts": `import { open } from "persist"` },
    { "packages/backend-memory/src/layer.ts": `import { judge } from "../../core/src/judge.ts"` },
    { "packages/facade-flow/src/index.ts": `import { layer } from "@persist/backend-memory"` },
    { "packages/novelty/src/index.ts": `import * as Effect from "effect/Effect"` },
    { "conformance/src/law.ts": `import { test } from "vitest"` }
  ],
  good: [
    { "packages/core/src/log.ts": `import * as Effect from "effect/Effect"\nimport { judge } from "./judge.ts"` },
    { "packages/backend-sqlite/src/file.ts": `import Database from "better-sqlite3"\nimport "@persist/core/judge"` },
    { "packages/cli/src/bin.ts": `import "@persist/backend-sqlite"\nimport "node:fs"\nimport "persist"` },
    { "conformance/src/law.ts": `import * as fc from "fast-check"\nimport { Backend } from "@persist/core"` }
  ]
}

const sourcesUnder = (home: string, tree: Tree): ReadonlyArray<string> =>
  [...tree.paths].filter((path) => path.startsWith(`${home}/src/`) && path.endsWith(".ts"))

const isManifest = (path: string): boolean => /^(packages\/[^/]+|conformance)\/package\.json$/.test(path)

const declared = (path: string, tree: Tree): ReadonlySet<string> => {
  const manifest = JSON.parse(tree.text(path))
  return new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }))
}

const dependencies: Rule = {
  name: "a package declares exactly what it imports",
  covers: isManifest,
  faults: (path, tree) => {
    const home = homeOf(path)
    const specifiers = sourcesUnder(home, tree).flatMap((each) => importsOf(sourceOf(each, tree)))
    const imported = new Set(
      specifiers.map((each) => packageOf(each.specifier)).filter((name) => name !== "node" && !name.startsWith("."))
    )
    const names = declared(path, tree)
    return [
      ...[...imported].filter((name) => !names.has(name)).map((name) => ({ line: 1, what: `doesn't declare ${name}` })),
      ...[...names].filter((name) => !imported.has(name)).map((name) => ({ line: 1, what: `never imports ${name}` }))
    ]
  },
  bad: [
    {
      "packages/core/package.json": `{ "dependencies": {} }`,
      "packages/core/src/index.ts": `import * as Effect from "effect/Effect"`
    },
    {
      "packages/core/package.json": `{ "dependencies": { "effect": "4.1.0", "left": "1.0.0" } }`,
      "packages/core/src/index.ts": `import * as Effect from "effect/Effect"`
    }
  ],
  good: [{
    "packages/core/package.json": `{ "dependencies": { "effect": "4.1.0" } }`,
    "packages/core/src/index.ts": `import * as Effect from "effect/Effect"\nimport "node:fs"\nimport "./x.ts"`
  }]
}

const referencesOf = (path: string, tree: Tree): ReadonlyArray<string> => {
  const { references = [] } = JSON.parse(tree.text(path))
  return references.map((each: { path: string }) => posix.join(posix.dirname(path), each.path))
}

const references: Rule = {
  name: "a package's project references are its dependencies within the house, and both solutions list it",
  covers: isManifest,
  faults: (path, tree) => {
    const home = homeOf(path)
    const homes = new Map(
      [...tree.paths].filter(isManifest).map((each) => [
        String(JSON.parse(tree.text(each)).name),
        homeOf(each)
      ])
    )
    const wanted = new Set([...declared(path, tree)].filter(isOurs).map((name) => homes.get(name) ?? name))
    const found = new Set(referencesOf(`${home}/tsconfig.json`, tree))
    const solutions = ["tsconfig.json", "tsconfig.tests.json"].filter((each) =>
      !referencesOf(each, tree).includes(home)
    )
    return [
      ...[...wanted].filter((each) => !found.has(each)).map((each) => `tsconfig.json lacks a reference to ${each}`),
      ...[...found].filter((each) => !wanted.has(each)).map((each) => `tsconfig.json needn't reference ${each}`),
      ...solutions.map((each) => `${each} doesn't reference this package`)
    ].map((what) => ({ line: 1, what }))
  },
  bad: [
    {
      "packages/a/package.json": `{ "name": "@persist/a" }`,
      "packages/a/tsconfig.json": "{}",
      "tsconfig.json": "{}",
      "tsconfig.tests.json": "{}"
    },
    {
      "packages/a/package.json": `{ "name": "@persist/a" }`,
      "packages/a/tsconfig.json": `{ "references": [{ "path": "../b" }] }`,
      "tsconfig.json": `{ "references": [{ "path": "packages/a" }] }`,
      "tsconfig.tests.json": `{ "references": [{ "path": "packages/a" }] }`
    },
    {
      "packages/a/package.json": `{ "name": "@persist/a", "dependencies": { "@persist/b": "0.1.0" } }`,
      "packages/a/tsconfig.json": "{}",
      "tsconfig.json": `{ "references": [{ "path": "packages/a" }] }`,
      "tsconfig.tests.json": `{ "references": [{ "path": "packages/a" }] }`
    }
  ],
  good: [{
    "packages/a/package.json": `{ "name": "@persist/a" }`,
    "packages/a/tsconfig.json": "{}",
    "tsconfig.json": `{ "references": [{ "path": "packages/a" }] }`,
    "tsconfig.tests.json": `{ "references": [{ "path": "packages/a" }] }`
  }]
}

/** The files that a package's exports name one by one. */
const entriesOf = (home: string, tree: Tree): ReadonlyArray<string> => {
  const manifest = `${home}/package.json`
  if (!tree.paths.has(manifest)) return []
  const { exports = {} } = JSON.parse(tree.text(manifest))
  return Object.values<{ readonly source?: string }>(exports).flatMap(({ source }) =>
    source === undefined || source.includes("*") ? [] : [posix.join(home, source)]
  )
}

/** Every file that an entry or a program of the package leads to. */
const reachable = (home: string, tree: Tree): ReadonlySet<string> => {
  const found = new Set<string>()
  const waiting = [...["index.ts", "bin.ts"].map((name) => `${home}/src/${name}`), ...entriesOf(home, tree)]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (found.has(path) || !tree.paths.has(path)) continue
    found.add(path)
    for (const { specifier } of importsOf(sourceOf(path, tree))) {
      if (specifier.startsWith(".")) waiting.push(posix.join(posix.dirname(path), specifier))
    }
  }
  return found
}

const deadFiles: Rule = {
  name: "every source file is reached from an entry of its package or from its program",
  covers: isPublished,
  faults: (path, tree) =>
    reachable(homeOf(path), tree).has(path) ? [] : [{ line: 1, what: "is reached from nowhere: use it or remove it" }],
  bad: [
    { "packages/core/src/index.ts": "", "packages/core/src/old.ts": "" },
    { "packages/core/src/index.ts": "", "packages/core/src/a.ts": `import "./b.ts"`, "packages/core/src/b.ts": "" }
  ],
  good: [{
    "packages/persist/package.json":
      `{ "exports": { "./effect": { "source": "./src/effect.ts" }, "./package.json": "" } }`,
    "packages/persist/src/index.ts": "",
    "packages/persist/src/effect.ts": `export * from "./layer.ts"`,
    "packages/persist/src/layer.ts": ""
  }, {
    "packages/cli/src/index.ts": `export * from "./a.ts"`,
    "packages/cli/src/a.ts": `const b = await import("./deep/b.ts")`,
    "packages/cli/src/deep/b.ts": `const worker = new URL("../c.ts", import.meta.url)`,
    "packages/cli/src/c.ts": "",
    "packages/cli/src/bin.ts": `import type { D } from "./d.ts"`,
    "packages/cli/src/d.ts": ""
  }]
}

/** The rules about what imports what. */
export const layerRules: ReadonlyArray<Rule> = [imports, dependencies, references, deadFiles]

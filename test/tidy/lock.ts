/** What gets installed: one version of each dependency, by a lock that holds for every registry, platform and npm. */
import type { Rule } from "./rule.ts"
import { faultAt } from "./rule.ts"

const exactVersions: Rule = {
  name: "dependencies are pinned to one version",
  covers: (path) => /^(((packages\/[^/]+|conformance)\/)?package\.json)$/.test(path),
  faults: (path, tree) => {
    const { dependencies, devDependencies } = JSON.parse(tree.text(path))
    return Object.entries({ ...dependencies, ...devDependencies })
      .filter(([, version]) => !/^\d+\.\d+\.\d+[\w.-]*$/.test(String(version)))
      .map(([name]) => ({ line: 1, what: `${name} isn't pinned to one version` }))
  },
  bad: [
    { "package.json": `{ "devDependencies": { "vitest": "^5.0.0" } }` },
    { "packages/core/package.json": `{ "dependencies": { "effect": "*" } }` }
  ],
  good: [{ "package.json": `{ "dependencies": { "effect": "4.1.0" }, "peerDependencies": { "react": ">=18" } }` }]
}

interface Locked {
  readonly packages: Readonly<
    Record<string, {
      readonly optionalDependencies?: Readonly<Record<string, string>>
      readonly gypfile?: boolean
    }>
  >
}

/** Brings its binaries along; npm doesn't know when it installs from a lock, unless the lock says so. */
const prebuilt = "node_modules/better-sqlite3"

const lockFaults = (text: string): ReadonlyArray<string> => {
  const { packages }: Locked = JSON.parse(text)
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) =>
      packages[`node_modules/${name}`] === undefined && packages[`${path}/node_modules/${name}`] === undefined
    )
  )
  const compiled = packages[prebuilt] !== undefined && packages[prebuilt].gypfile !== false
  return [
    ...missing.map((name) =>
      `lacks ${name}, so npm ci fails elsewhere: write its entry after the example of the others`
    ),
    ...compiled ? [`needs "gypfile": false in ${prebuilt}, or npm 10 compiles it`] : []
  ]
}

const lock: Rule = {
  name: "the lock names no registry, lists the binaries of every platform and has nothing compiled",
  covers: (path) => path === "package-lock.json",
  faults: (path, tree) => {
    const text = tree.text(path)
    return [
      ...[...text.matchAll(/"resolved": "https?:/g)].map(({ index }) => faultAt({ text }, index, "names a registry")),
      ...lockFaults(text).map((what) => ({ line: 1, what }))
    ]
  },
  bad: [
    { "node_modules/a": { "resolved": "https://registry.example.org/a.tgz" } },
    { "node_modules/a": { "optionalDependencies": { "@a/linux": "1.0.0" } } },
    { [prebuilt]: { "version": "13.2.0" } }
  ].map((packages) => ({ "package-lock.json": JSON.stringify({ packages }, null, 2) })),
  good: [{
    "node_modules/a": {
      "resolved": "packages/core",
      "optionalDependencies": { "@a/linux": "1.0.0", "@a/mac": "1.0.0" }
    },
    "node_modules/@a/linux": {},
    "node_modules/a/node_modules/@a/mac": {},
    [prebuilt]: { "gypfile": false }
  }].map((packages) => ({ "package-lock.json": JSON.stringify({ packages }, null, 2) }))
}

/** The rules about what gets installed. */
export const lockRules: ReadonlyArray<Rule> = [exactVersions, lock]

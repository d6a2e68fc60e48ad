/** What would be published, packed and used as a stranger would: built, without sources, by plain Node. */
import { spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { dirname, join, posix } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { projectTree, root } from "./tree.ts"

interface Manifest {
  readonly name: string
  readonly bin?: Readonly<Record<string, string>>
}

const manifestOf = (home: string): Manifest => JSON.parse(readFileSync(join(root, home, "package.json"), "utf8"))
const packages = [...projectTree().paths]
  .filter((path) => /^(packages\/[^/]+|conformance)\/package\.json$/.test(path))
  .map((path) => dirname(path))
  .map((home) => ({ home, ...manifestOf(home) }))

let directory = ""
/** The paths each package would be published with. */
const contents = new Map<string, ReadonlyArray<string>>()

const installed = (name: string) => join(directory, "installed/node_modules", name)
const run = (command: string, cwd: string, args: ReadonlyArray<string>): string => {
  const env = { ...process.env, NODE_OPTIONS: "" }
  const shell = process.platform === "win32" && command === "npm"
  const { error, status, stderr, stdout } = spawnSync(command, args, { cwd, encoding: "utf8", env, shell })
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${stdout}${stderr}`, { cause: error })
  return stdout
}
const node = (cwd: string, ...args: ReadonlyArray<string>): string => run(process.execPath, cwd, args)

// A copy, so that the build starts from nothing and leaves the checkout alone.
const build = () => {
  const workspace = join(directory, "workspace")
  for (const file of ["package.json", "tsconfig.base.json"]) cpSync(join(root, file), join(workspace, file))
  for (const { home, name } of packages) {
    for (const part of ["package.json", "tsconfig.json", "src", "bin", "README.md"]) {
      const from = join(root, home, part)
      if (existsSync(from)) cpSync(from, join(workspace, home, part), { recursive: true })
    }
    const link = join(workspace, "node_modules", name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(workspace, home), link, "junction")
  }
  node(workspace, join(root, "node_modules/typescript/bin/tsc"), "-b", ...packages.map(({ home }) => home))
  return workspace
}

beforeAll(() => {
  const parent = join(root, ".cache/packaging")
  mkdirSync(parent, { recursive: true })
  directory = mkdtempSync(join(parent, "run-"))
  const workspace = build()
  const args = ["pack", "--workspaces", "--json", "--pack-destination", directory]
  const packed = JSON.parse(run("npm", workspace, args))
  for (const { filename, files, name } of Object.values<PackedPackage>(packed)) {
    contents.set(name, files.map(({ path }) => path))
    mkdirSync(installed(name), { recursive: true })
    run("tar", directory, ["-xzf", filename, "--strip-components=1", "-C", installed(name)])
  }
}, 120_000)

interface PackedPackage {
  readonly name: string
  readonly filename: string
  readonly files: ReadonlyArray<{ readonly path: string }>
}

afterAll(() => rmSync(directory, { recursive: true, force: true }))

test("every package is packed", () => {
  expect([...contents.keys()].sort()).toEqual(packages.map(({ name }) => name).sort())
})

describe.each(packages)("$name", ({ bin, home, name }) => {
  test("holds each source with what was built from it, and nothing else", () => {
    const sources = [...projectTree().paths].filter((path) => path.startsWith(`${home}/src/`))
      .map((path) => path.slice(home.length + "/src/".length, -".ts".length))
    expect(sources).not.toEqual([])
    const built = sources.flatMap((source) => [
      `src/${source}.ts`,
      ...[".js", ".js.map", ".d.ts", ".d.ts.map"].map((ending) => `dist/${source}${ending}`)
    ])
    // A program may be started by a script that is checked in, which is packed as it is.
    const scripts = Object.values(bin ?? {}).map((path) => posix.normalize(path)).filter((path) =>
      !built.includes(path)
    )
    const beside = new Set(["README.md", "LICENSE", ...scripts])
    expect(contents.get(name)?.filter((path) => !beside.has(path)).sort()).toEqual([...built, "package.json"].sort())
  })

  test("exports the same, built and packed, as its sources do", () => {
    const script = `console.log(JSON.stringify([import.meta.resolve("${name}"), Object.keys(await import("${name}"))]))`
    const from = (cwd: string, ...options: ReadonlyArray<string>): [string, ReadonlyArray<string>] =>
      JSON.parse(node(cwd, ...options, "--input-type=module", "--eval", script))
    const [file, names] = from(join(directory, "installed"))
    expect(file).toContain(`${directory}/installed/node_modules/${name}/dist/`)
    expect(names).toEqual(from(root, "--conditions=source")[1])
    expect(names).not.toEqual([])
  })

  test("has programs that start", () => {
    for (const program of Object.values(bin ?? {})) {
      expect(readFileSync(join(installed(name), program), "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/)
      expect(node(directory, join(installed(name), program), "--help")).not.toBe("")
    }
  })
})

/** A page's blocks as programs: written where the project's packages resolve, type-checked and run. */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "../tidy/tree.ts"
import type { Block } from "./blocks.ts"

/** A block that can be run, and where it stands: `README.md:12`. */
export interface Program extends Block {
  readonly at: string
}

/** How a program ended. */
export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The programs of one page, each in a file that is named for where it stands. */
export interface Workshop extends Disposable {
  /** What the compiler has to say, by the `page:line` it is about; empty when all is well. */
  readonly typeErrors: () => ReadonlyArray<string>
  /** Runs a program, with these variables added to its environment. */
  readonly run: (program: Program, variables?: Readonly<Record<string, string>>) => Run
}

const limit = 60_000
const tsconfig = JSON.stringify({
  extends: "../../../tsconfig.tests.json",
  compilerOptions: { composite: false, incremental: false, noUnusedLocals: false, tsBuildInfoFile: null },
  include: ["*.ts"],
  references: []
})

const fileOf = ({ at }: Program): string => `${at.replace(/[^\w.]+/g, "-")}.ts`

// Inside the project, where Node and the compiler find the packages, but out of everybody's sight.
const makeDirectory = (): string => {
  const parent = join(root, ".cache/docs")
  mkdirSync(parent, { recursive: true })
  return mkdtempSync(join(parent, "page-"))
}

// A shell block says `npx persist` or `persist`: both are the program of this project, from source.
const shellPrelude = `
persist() { "${process.execPath}" --conditions=source "${join(root, "packages/cli/src/bin.ts")}" "$@"; }
npx() { "$@"; }
`

/** Writes the programs down; whoever asked for the workshop disposes of it. */
export const openWorkshop = (programs: ReadonlyArray<Program>): Workshop => {
  const directory = makeDirectory()
  writeFileSync(join(directory, "tsconfig.json"), tsconfig)
  const scripts = programs.filter(({ info }) => info === "ts")
  for (const program of scripts) writeFileSync(join(directory, fileOf(program)), program.code)
  const { PERSIST_URL: _, ...env } = process.env

  return {
    typeErrors: () => {
      if (scripts.length === 0) return []
      const tsc = join(root, "node_modules/typescript/bin/tsc")
      const { stdout } = spawnSync(process.execPath, [tsc, "-p", directory], { cwd: directory, encoding: "utf8" })
      return stdout.split("\n").filter((line) => line.includes("error TS"))
    },
    run: (program, variables = {}) => {
      const cwd = mkdtempSync(join(tmpdir(), "persist-docs-"))
      const [command, args] = program.info === "ts"
        ? [process.execPath, ["--conditions=source", join(directory, fileOf(program))]] as const
        : ["bash", ["-euo", "pipefail", "-c", shellPrelude + program.code]] as const
      const { signal, status, stderr, stdout } = spawnSync(command, args, {
        cwd,
        env: { ...env, ...variables },
        encoding: "utf8",
        timeout: limit
      })
      rmSync(cwd, { recursive: true, force: true })
      return { code: status, stdout, stderr: signal === null ? stderr : `${stderr}\nended by ${signal}` }
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true })
  }
}

/** What is wrong with a run, in a sentence with both outputs; `undefined` where it did what its page says. */
export const faultOf = ({ at, output }: Program, { code, stderr, stdout }: Run): string | undefined => {
  if (code !== 0) return `${at} ended with ${code}:\n${stdout}${stderr}`
  const printed = stdout.trimEnd()
  if (output === undefined || printed === output.join("\n")) return undefined
  return `${at} prints\n${printed}\nand its page says\n${output.join("\n")}`
}

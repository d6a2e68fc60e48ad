/** The blocks of pages as programs: written where the project's packages resolve, type-checked at once, and run. */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { compiled, programFor } from "../cli/program.ts"
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

/** Programs of any number of pages, each in a file that is named for where it stands. */
export interface Workshop extends Disposable {
  /** What the compiler has to say of some of them; empty when all is well. All are checked when it's first asked. */
  readonly typeErrors: (programs: ReadonlyArray<Program>) => ReadonlyArray<string>
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

// A shell block says `npx persist` or `persist`: both are the program of this project.
const quoted = (args: ReadonlyArray<string>) => args.map((arg) => `"${arg}"`).join(" ")
const shellPrelude = `
persist() {
  case "$*" in
    *.ts*) "${process.execPath}" ${quoted(programFor(["module.ts"]))} "$@" ;;
    *) "${process.execPath}" ${quoted(programFor([]))} "$@" ;;
  esac
}
npx() { "$@"; }
`

/** Writes the programs down; whoever asked for the workshop disposes of it. */
export const openWorkshop = (programs: ReadonlyArray<Program>): Workshop => {
  const directory = makeDirectory()
  writeFileSync(join(directory, "tsconfig.json"), tsconfig)
  const scripts = programs.filter(({ info }) => info === "ts")
  for (const program of scripts) writeFileSync(join(directory, fileOf(program)), program.code)
  const { PERSIST_URL: _, ...env } = process.env

  let found: ReadonlyArray<string> | undefined
  const check = (): ReadonlyArray<string> => {
    const tsc = join(root, "node_modules/typescript/bin/tsc")
    const { status, stderr, stdout } = spawnSync(process.execPath, [tsc, "-p", directory], {
      cwd: directory,
      encoding: "utf8"
    })
    const errors = stdout.split("\n").filter((line) => line.includes("error TS"))
    if ((status === 0) !== (errors.length === 0)) throw new Error(`tsc ended with ${status}:\n${stdout}${stderr}`)
    return errors
  }

  return {
    typeErrors: (some) => {
      found ??= check()
      const files = some.map((program) => `${fileOf(program)}(`)
      return found.filter((error) => files.some((file) => error.startsWith(file)))
    },
    run: (program, variables = {}) => {
      const cwd = mkdtempSync(join(tmpdir(), "persist-docs-"))
      const [command, args] = program.info === "ts"
        ? [process.execPath, ["--conditions=source", join(directory, fileOf(program))]] as const
        : ["bash", ["-euo", "pipefail", "-c", shellPrelude + program.code]] as const
      const { signal, status, stderr, stdout } = spawnSync(command, args, {
        cwd,
        env: { ...env, NODE_COMPILE_CACHE: compiled, ...variables },
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

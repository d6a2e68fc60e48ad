/** The command line itself: help, completions, exit codes, and how faults are told. */
import { persist } from "@persist/cli/persist"
import type * as Command from "effect/cli/Command"
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { errorOf, openDesk, root } from "./program.ts"

const commands = [
  "init",
  "append",
  "import",
  "export",
  "tree export",
  "tree import",
  "read",
  "tail",
  "streams",
  "kv get",
  "kv put",
  "kv ls",
  "kv rm",
  "project",
  "diff",
  "snapshot save",
  "snapshot ls",
  "snapshot rm",
  "subscribe",
  "run",
  "projections ls",
  "projections show",
  "projections pause",
  "projections resume",
  "projections reset",
  "projections adopt",
  "projections rebuild",
  "projections compare",
  "projections switch",
  "projections parked ls",
  "projections parked show",
  "projections parked retry",
  "projections parked drop",
  "projections forget",
  "compact",
  "retain",
  "verify",
  "stats",
  "renew",
  "conformance"
]

test("every command is in the table and in the docs", () => {
  const files = readdirSync(join(root, "packages/cli/src/commands")).map((file) => file.replace(/\.ts$/, "")).sort()
  const groups = ["kv", "projections", "projections-parked", "snapshot", "tree"]
  expect(files).toEqual([...commands.map((command) => command.replaceAll(" ", "-")), ...groups].sort())
  const page = readFileSync(join(root, "docs/cli.md"), "utf8")
  for (const command of commands) expect(page).toContain(`persist ${command}`)
})

test("every command says what it does, with examples that name it", () => {
  const seen: Array<string> = []
  const visit = (path: string, { description, examples, subcommands }: Command.Command.Any): void => {
    const below = subcommands.flatMap((group) => group.commands)
    for (const command of below) visit(`${path} ${command.name}`, command)
    if (below.length > 0) return
    seen.push(path.slice("persist ".length))
    expect(description?.length ?? 0, path).toBeGreaterThan(20)
    expect(examples.length, path).toBeGreaterThan(0)
    for (const example of examples) expect(example.command).toContain(path)
  }
  visit("persist", persist)
  expect(seen.sort()).toEqual([...commands].sort())
})

test("--help is data: on stdout, with the shared flags and the examples", async () => {
  using desk = openDesk()
  const { code, stderr, stdout } = await desk.run("kv", "put", "--help")
  expect([code, stderr]).toEqual([0, ""])
  for (const word of ["DESCRIPTION", "--store URL", "--json", "EXAMPLES", "persist kv put"]) {
    expect(stdout).toContain(word)
  }
})

test.each(["bash", "zsh", "fish"])("--completions %s know the commands and flags", async (shell) => {
  using desk = openDesk()
  const { code, stdout } = await desk.run("--completions", shell)
  expect(code).toBe(0)
  for (const word of ["import", "snapshot", "skip-bad", "keep-events"]) expect(stdout).toContain(word)
})

test("without a command the help is talk, and the exit code 2", async () => {
  using desk = openDesk()
  expect(await desk.run()).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("SUBCOMMANDS") })
})

describe("a wrong command line is told in one line, as JSON too", () => {
  test.each([
    ["an unknown command", ["imprt", "x"], "imprt", `did you mean "import"?`],
    ["an unknown flag", ["read", "a", "--limt", "1"], "--limt", `did you mean "--limit"?`],
    ["a missing argument", ["append", "a"], "type", "see persist append --help"],
    ["a missing flag", ["compact", "--stream", "a"], "--module", "see persist compact --help"],
    ["too many arguments", ["streams", "a"], "arguments", "see persist streams --help"],
    ["a number that is none", ["tail", "-n", "few"], "--last", "see persist tail --help"]
  ])("%s", async (_, args, field, remedy) => {
    using desk = openDesk()
    const ran = await desk.run(...args, "--json")
    expect(errorOf(ran)).toMatchObject({ code: 2, tag: "Invalid", field, remedy })
    expect(ran.stdout).toBe("")
    expect(readdirSync(desk.directory)).toEqual([])
  })

  test("for people", async () => {
    using desk = openDesk()
    const { stderr } = await desk.run("imprt", "x\n")
    expect(stderr).toBe(`error: imprt: there is no such command; did you mean "import"?\n`)
  })
})

describe("the store", () => {
  test("that isn't there is not made by reading it", async () => {
    using desk = openDesk()
    const readers = ["read --all", "kv get a b", "verify", "export out"]
    const runs = await Promise.all(readers.map((reader) => desk.run(...reader.split(" "), "--json")))
    for (const ran of runs) {
      expect(errorOf(ran)).toMatchObject({
        code: 2,
        field: "store",
        remedy: "correct --store or PERSIST_URL, or make the store with persist init"
      })
    }
    expect(readdirSync(desk.directory)).toEqual([])
  })

  test.each(["sqlite:app.db", "file:data"])("%s is told which value readonly lacks, by readers too", async (url) => {
    using desk = openDesk()
    const ran = await desk.run("stats", "--json", "--store", `${url}?readonly`)
    expect(errorOf(ran)).toMatchObject({ code: 2, field: "store", remedy: "pass true or false" })
  })

  test("is made by init, once, and told what it is", async () => {
    using desk = openDesk()
    const made = await desk.json("init")
    expect(made).toMatchObject({ store: "sqlite:app.db", backend: "sqlite", durability: "disk", head: 0 })
    await desk.json("append", "a", "T", "--expected", "0")
    expect(await desk.json("init")).toEqual({ ...made, head: 1 })
  })

  test("of an unknown kind is refused without showing the URL's secrets", async () => {
    using desk = openDesk()
    const secret = "hunter2"
    const { code, stderr } = await desk.run("stats", "--store", `nosuch://ada:${secret}@host/db`)
    expect(code).toBe(2)
    expect(stderr).toMatch(/^error: store: nosuch: is no scheme of a store; /)
    expect(stderr).not.toContain(secret)
  })

  test("may be read while another process writes", async () => {
    using desk = openDesk()
    await desk.json("append", "a", "T", "1", "--expected", "0")
    const stats = await desk.json("stats", "--types")
    expect(stats).toMatchObject({ events: 1, streams: 1, keys: 0, readers: [], types: { T: 1 } })
    expect(stats["bytes"]).toBeGreaterThan(0)
  })
})

test("conformance prints the scoreboard, and leaves the store alone that the URL names", async () => {
  using desk = openDesk()
  const [report] = JSON.parse((await desk.run("conformance", "memory:", "--json")).stdout)
  expect(report).toMatchObject({ backend: "memory:", passed: report.total })
  expect(report.total).toBeGreaterThan(100)
  expect(errorOf(await desk.run("conformance", "nosuch:x", "--json"))).toMatchObject({ code: 2, field: "store" })
  expect(readdirSync(desk.directory)).toEqual([])
})

test("the script that npm links starts the sources of a checkout", () => {
  const script = join(root, "packages/cli/bin/persist.js")
  expect(existsSync(script)).toBe(true)
  const { status, stderr, stdout } = spawnSync(process.execPath, [script, "--version"], { encoding: "utf8" })
  const { version } = JSON.parse(readFileSync(join(root, "packages/cli/package.json"), "utf8"))
  expect({ status, stderr, stdout }).toEqual({ status: 0, stderr: "", stdout: `${version}\n` })
})

/** A store that is restored from a copy of its file, with a workflow that was killed: what operators do and see. */
import * as Stream from "effect/Stream"
import { copyFileSync, existsSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { type Desk, errorOf, openDesk, root } from "./program.ts"
import { useStore } from "./store-file.ts"
import { until } from "./until.ts"

const of = (path: string) => JSON.stringify(join(root, path))

// Fines once, and reminds once, much later or at once, of whoever is overdue.
const fines = `
import { Catalogue, Schema } from ${of("packages/persist/src/index.ts")}
import { workflow } from ${of("packages/persist/src/processors.ts")}

const who = { by: Schema.String }
const events = Catalogue.make({
  Overdue: Schema.Struct({ by: Schema.String, patience: Schema.Int }),
  Fined: Schema.Struct(who),
  Reminded: Schema.Struct(who)
})

export const fines = workflow({
  name: "fines",
  events,
  types: ["Overdue"],
  partitions: 2,
  correlate: ({ data }) => data.by,
  state: Schema.Struct(who),
  seed: { by: "" },
  commands: events,
  step: (state, happened) => {
    if (happened.type === "$timer") {
      const letter = { stream: "letters/" + state.by, events: [{ type: "Reminded", data: state }] }
      return { state: undefined, commands: [letter] }
    }
    const { by, patience } = happened.data
    return {
      state: { by },
      timers: { letter: happened.at + patience },
      commands: [{ stream: "fines/" + by, events: [{ type: "Fined", data: { by } }] }]
    }
  }
})
`

const names = ["ann", "bob", "cid", "dot", "eve"]

const overdue = (desk: Desk, import_: string, patience: number, who = names) =>
  desk.runWith(
    who.map((by) => `${JSON.stringify({ stream: `loan/${by}`, type: "Overdue", data: { by, patience } })}\n`).join(""),
    "import",
    "-",
    "--name",
    import_
  )

const streamsOf = (desk: Desk, type: string) =>
  useStore(desk.path("app.db"), (store) => Stream.runCollect(store.log().readAll({ types: [type] })))
    .then((events) => events.map(({ stream }) => stream).sort())

const count = async (desk: Desk, type: string) => (await streamsOf(desk, type)).length

// Nobody has it open: what is in the write-ahead log belongs to it.
const copy = (desk: Desk, from: string, to: string) => {
  for (const end of ["", "-wal", "-shm"]) {
    rmSync(desk.path(`new${end}`), { force: true })
    if (existsSync(desk.path(from + end))) copyFileSync(desk.path(from + end), desk.path(`new${end}`))
  }
  // In one step, so that whoever has the former file open finds another in its place.
  for (const end of ["-wal", "-shm", ""]) {
    rmSync(desk.path(to + end), { force: true })
    if (existsSync(desk.path(`new${end}`))) renameSync(desk.path(`new${end}`), desk.path(to + end))
  }
}

const runFines = (desk: Desk, label: string) => desk.start("run", "fines.ts", "--patience", "1000", "--label", label)

test("a workflow goes on where it was in the backup: each command and each timer once", async () => {
  using desk = openDesk()
  writeFileSync(desk.path("fines.ts"), fines)
  await overdue(desk, "first", 3_600_000)
  const first = runFines(desk, "first")
  await until(() => count(desk, "Fined"), (n) => n === 5)
  // Some of these are fined, and somebody may be reminded of some, when it's killed.
  await overdue(desk, "second", 1, names.map((by) => `${by}-again`))
  first.process.kill("SIGKILL")
  await first.ended
  copy(desk, "app.db", "backup.db")
  const second = runFines(desk, "second")
  await until(() => count(desk, "Reminded"), (n) => n === 5)
  // All may have been reminded by the first, and the second not have opened the store yet.
  const isRun = ({ stdout }: { readonly stdout: string }) => /running.*; second/.test(stdout)
  await until(() => desk.run("projections", "show", "fines"), isRun)
  // The backup takes the place of the store, beneath a program that has that open and ends with it.
  copy(desk, "backup.db", "app.db")
  const zombie = await second.ended
  expect(zombie.code).toBe(4)
  expect(zombie.stderr).toMatch(
    /error: commit: the file was moved, deleted or replaced while it was open; run it again/
  )
  expect(zombie.stderr).not.toContain("can't be reached")
  const { readers } = await desk.json("renew")
  expect(readers).toEqual([{ name: "fines", kind: "workflow", command: "persist projections adopt fines" }])
  // It can't go on by itself, and says what is to be done.
  const third = runFines(desk, "third")
  const isStopped = ({ stdout }: { readonly stdout: string }) => stdout.includes("stopped")
  const stopped = await until(() => desk.run("projections", "show", "fines"), isStopped)
  expect(stopped.code).toBe(1)
  expect(stopped.stdout).toMatch(/^fines {2}NOT HEALTHY.* needs persist projections adopt fines/)
  expect(stopped.stdout).not.toContain("caught up")
  expect(stopped.stdout).toMatch(
    /fines#0 {2}stopped; at \d+; needs adopt; third; Corrupt: .*adopt it \(persist projections/
  )
  const refused = errorOf(await desk.run("projections", "reset", "fines", "--json"))
  expect(refused).toMatchObject({ code: 2, remedy: expect.stringContaining("adopt") })
  const asked = await desk.json("projections", "adopt", "fines", "--dry-run")
  expect(asked).toMatchObject({ name: "fines", kind: "workflow", dryRun: true, partitions: [{}, {}] })
  expect(asked["instances"]).toBeGreaterThanOrEqual(5)
  expect(asked["timers"]).toBe(asked["instances"])
  expect((await desk.run("projections", "show", "fines")).stdout).toContain("needs adopt")
  expect((await desk.run("projections", "adopt", "fines")).stdout).toMatch(
    /^fines \(workflow\) goes on, wherever it runs, with/
  )
  await until(() => count(desk, "Reminded"), (n) => n === 5)
  await overdue(desk, "third", 1, ["fay"])
  await until(() => count(desk, "Reminded"), (n) => n === 6)
  await until(() => desk.run("projections", "ls"), ({ code }) => code === 0)
  const soon = [...names.map((by) => `${by}-again`), "fay"]
  expect(await streamsOf(desk, "Fined")).toEqual([...names, ...soon].map((by) => `fines/${by}`).sort())
  expect(await streamsOf(desk, "Reminded")).toEqual(soon.map((by) => `letters/${by}`).sort())
  expect((await desk.run("projections", "adopt", "fines")).stdout).toContain("nothing to adopt")
  third.process.kill("SIGTERM")
  expect((await third.ended).stderr).not.toMatch(/caught up;.*stopped/)
})

/** Retention by the command line: told first, archived, killed anywhere, and every event there once. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { watch } from "node:fs/promises"
import { expect, test } from "vitest"
import { type Desk, errorOf, history, openDesk } from "./program.ts"

const rule = ["retain", "--prefix", "", "--max-count", "3"]

const positionOf = (line: string): number => JSON.parse(line).position

const archived = (desk: Desk): ReadonlyArray<string> =>
  readdirSync(desk.path("archive")).filter((name) => !name.startsWith(".")).sort()
    .flatMap((name) => readFileSync(desk.path(`archive/${name}`), "utf8").trimEnd().split("\n"))

/** Every event of the archive and the store, by position. */
const everything = async (desk: Desk, kept: ReadonlyArray<string> = []): Promise<ReadonlyArray<string>> => {
  const { stdout } = await desk.run("read", "--all", "--json")
  return [...kept, ...stdout.trimEnd().split("\n")].sort((a, b) => positionOf(a) - positionOf(b))
}

/** Does something at the nth change of a directory, unless it's over before. */
const atChange = async (directory: string, moment: number, signal: AbortSignal, act: () => void): Promise<void> => {
  let seen = 0
  try {
    for await (const _ of watch(directory, { signal })) if (++seen === moment) act()
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

test("a dry run tells what goes and who holds it back, and the run does that", async () => {
  using desk = openDesk()
  await desk.runWith(
    [1, 2, 3, 4, 5].map((n) => `{"stream":"a","type":"T","at":${n},"data":${n}}\n`).join(""),
    "import",
    "-"
  )
  await desk.run("subscribe", "--name", "slow", "--from", "2", "--once")
  await desk.runWith(
    `{"stream":"a","type":"T","at":6,"data":6}\n{"stream":"b","type":"T","at":7,"data":7}\n`,
    "import",
    "-"
  )
  const { stdout } = await desk.run(...rule, "--dry-run", "--json")
  const [told] = stdout.trimEnd().split("\n").map((line) => JSON.parse(line))
  expect(told).toMatchObject({ stream: "a", removed: 3, held: 0, first: 4 })
  const plan = await desk.run("retain", "--prefix", "", "--before", "1970-01-01T00:00:01Z", "--dry-run")
  expect(plan.stdout.split("\n")[0]).toMatch(
    /^a {2}5 events, then begins at seq 6; 1 event held back by reader "slow", which has come to position \d+$/
  )
  expect(plan.stderr).toBe("would remove 5 events of 1 stream; 2 events held back\n")
  expect(await desk.json(...rule)).toMatchObject({ streams: 1, events: 3, held: 0, heldBy: [] })
  const all = await desk.json("retain", "--prefix", "", "--before", "position:1000")
  expect(all).toMatchObject({
    streams: 1,
    events: 2,
    held: 2,
    heldBy: [{ by: { _tag: "Reader", name: "slow" }, events: 2 }]
  })
})

test.each([
  [["--max-age", "3"], "--max-age"],
  [["--max-count", "0"], "maxCount"],
  [["--before", "12"], "--before"],
  [[], "rule"]
])("%j is refused by its name", async (flags, field) => {
  using desk = openDesk()
  await desk.json("init")
  expect(errorOf(await desk.run("retain", "--prefix", "", ...flags, "--json"))).toMatchObject({ code: 2, field })
})

test("killed anywhere, archive and store hold every event once, and what was archived can be imported", async () => {
  using desk = openDesk()
  await desk.json("import", history)
  const before = await everything(desk)
  mkdirSync(desk.path("archive"))
  const archiving = [...rule, "--archive", "archive"]
  let killed = 0
  for (const moment of [1, 2, 3, 4, 5, 6]) {
    const running = desk.start(...archiving)
    const over = new AbortController()
    const gone = running.ended.finally(() => over.abort())
    await atChange(desk.path("archive"), moment, over.signal, () => running.process.kill("SIGKILL"))
    if ((await gone).signal === "SIGKILL") killed++
  }
  expect(killed).toBeGreaterThan(2)
  const rest = await desk.json(...archiving)
  expect(rest["held"]).toBe(0)
  const kept = archived(desk)
  expect(await everything(desk, kept)).toEqual(before)
  expect(kept.length).toBeGreaterThan(30_000)
  expect(await desk.json("verify")).toMatchObject({ sound: true })
  writeFileSync(desk.path("all.ndjson"), kept.map((line) => `${line}\n`).join(""))
  const copied = await desk.json("import", "all.ndjson", "--store", "sqlite:copy.db")
  expect(copied).toMatchObject({ events: kept.length, skipped: 0 })
})

test("Ctrl-C finishes the step in hand, and the same command goes on", async () => {
  using desk = openDesk()
  await desk.json("import", history)
  const before = await everything(desk)
  mkdirSync(desk.path("archive"))
  const running = desk.start(...rule, "--archive", "archive")
  for await (const _ of watch(desk.path("archive"))) break
  running.process.kill("SIGINT")
  const { code, stderr } = await running.ended
  expect(code).toBe(130)
  expect(stderr).toMatch(/^stopped after [\d,]+ events: the same command goes on from there\n$/)
  expect(await everything(desk, archived(desk))).toEqual(before)
  await desk.json(...rule, "--archive", "archive")
  expect(await everything(desk, archived(desk))).toEqual(before)
  expect(archived(desk).length).toBeGreaterThan(30_000)
})

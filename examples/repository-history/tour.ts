/** The tour: a real repository's history imported, projected, cut off, resumed, followed, restarted, and checked. */
import { open } from "persist"
import contributors from "./contributors.ts"
import { bad, broken, count, good, heading, line, paint, prose, seconds, table } from "./display.ts"
import { differences, expected, valuesOf } from "./figures.ts"
import { appended, author, follow } from "./following.ts"
import { importHistory } from "./importing.ts"
import { projectAll, showFigures, total } from "./projecting.ts"
import { commitsByAuthor } from "./read-models.ts"

const first = "sqlite:first.db"
const all = { all: true } as const

const started = performance.now()
const parts = new Array<readonly [title: string, milliseconds: number]>()
let compared = 0
let failed = 0

const part = async <A>(title: string, run: () => Promise<A>): Promise<A> => {
  heading(`${parts.length + 1}  ${title}`)
  const from = performance.now()
  const answer = await run()
  parts.push([title, performance.now() - from])
  return answer
}

/** Compares value by value; says what holds, or what doesn't. */
const check = (actual: unknown, wanted: unknown, what: string): void => {
  const found = differences(actual, wanted)
  compared += valuesOf(wanted).size
  failed += found.length
  if (found.length === 0) return good(what)
  bad(`not so: ${what}`)
  for (const difference of found.slice(0, 10)) bad(difference)
  if (found.length > 10) bad(`and ${count(found.length - 10)} more like these`)
}

const importFirst = async (): Promise<void> => {
  const imported = await importHistory(first)
  const { events = 0, milliseconds = 1 } = imported ?? {}
  const rate = count(Math.round(events / milliseconds * 1000))
  check(
    events,
    expected.events,
    `${count(events)} events in ${seconds(milliseconds)} (${rate}/s), flushed to disk by fsync`
  )
}

/** Answers how far the log has come. */
const project = async (): Promise<number> => {
  await using store = await open(first)
  const { costs, figures, position } = await projectAll((projection) => store.load(projection, all))
  showFigures(figures)
  const read = `${count(total(costs, "replayed"))} events folded in ${seconds(total(costs, "milliseconds"))}`
  check(figures, expected, `${read}; every figure is as known beforehand`)
  return position
}

/** Every event of a store, without what the store itself gave it: two of the same text are one event twice. */
const contentOf = async (url: string): Promise<ReadonlyArray<string>> => {
  await using store = await open(url)
  const events = await store.log().readAll().toArray()
  return events.map(({ at, data, stream, type }) => JSON.stringify([stream, type, at, data]))
}

/** Kills an import in the middle; answers the store that it leaves behind. */
const killImport = async (): Promise<string> => {
  for (const share of [0.5, 0.3, 0.1]) {
    const url = share === 0.5 ? "sqlite:second.db" : `sqlite:second-${share}.db`
    if (await importHistory(url, share) === undefined) return url
    prose("It was done before it could be killed: once more, and earlier.")
  }
  throw new Error("no import could be killed in time")
}

const killAndResume = async (): Promise<void> => {
  const whole = await contentOf(first)
  const second = await killImport()
  const left = await contentOf(second)
  broken(`kill -9, in the middle of writing: ${count(left.length)} events are in the store`)
  check(left, whole.slice(0, left.length), "they are the file's first, in its order, and none is half there")
  line()
  const resumed = await importHistory(second)
  const missing = expected.events - left.length
  check(
    { events: resumed?.events, after: resumed?.resumedAfterLine },
    { events: missing, after: left.length },
    `the same command went on after line ${count(left.length)} with the ${count(missing)} events that were missing`
  )
  const now = await contentOf(second)
  const there = new Set(now)
  const lost = whole.filter((event) => !there.has(event)).length
  const doubled = now.length - there.size
  check(
    { lost, doubled, now },
    { lost: 0, doubled: 0, now: whole },
    `event by event beside the first store: ${lost} lost, ${doubled} doubled, ${count(now.length)} the same`
  )
}

const followLive = async (): Promise<void> => {
  await using store = await open(first)
  const built = await store.catchUp(commitsByAuthor)
  if (built._tag === "Fenced") throw new Error("somebody else keeps this read model")
  prose(
    `A read model of ${expected.authors} keys, made from ${count(built.events)} events. ` +
      `Now ${count(appended.commits)} commits are appended, and it follows:`
  )
  const { answers, board } = await follow(store)
  const { state } = await store.project(contributors, all)
  check(
    { board: Object.fromEntries(board), own: board.get(author) },
    { board: state, own: appended.commits },
    `seen changing ${answers} times; in the end it says what a projection of the whole log says`
  )
}

const restart = async (imported: number): Promise<void> => {
  await using store = await open(first)
  const loaded = await projectAll((projection) => store.load(projection, all))
  const replayed = await projectAll((projection) => store.project(projection, all))
  const cost = (of: typeof loaded) => [count(total(of.costs, "replayed")), seconds(total(of.costs, "milliseconds"))]
  const lines = table([{ head: "" }, { head: "events read", side: "start" }, { head: "time", side: "start" }], [
    { cells: ["from zero", ...cost(replayed)] },
    { cells: ["from the snapshots", ...cost(loaded)] }
  ])
  for (const text of lines) line(text)
  const less = Math.round(total(replayed.costs, "replayed") / total(loaded.costs, "replayed"))
  check(loaded.figures, replayed.figures, `the same answers, ${less} times less read`)
  const asOf = { position: imported }
  const before = await projectAll((projection) => store.load(projection, { ...all, asOf }))
  check(before.figures, expected, `as of position ${count(imported)}, before the appends: the figures known beforehand`)
}

const summary = (): void => {
  heading("Summary")
  const whole = performance.now() - started
  const lines = table(
    [{ head: "" }, { head: "time", side: "start" }],
    [...parts, ["All of it", whole] as const].map(([title, milliseconds]) => ({
      cells: [title, seconds(milliseconds)],
      amount: milliseconds
    }))
  )
  for (const text of lines) line(text)
  line()
  if (failed === 0) good(paint("bold", `${count(compared)} values compared, all as they should be`))
  else bad(paint("bold", `${count(failed)} of ${count(compared)} values differ`))
}

const tryNext = (): void => {
  line()
  line(paint("bold", "Try next"))
  for (
    const [what, how] of [
      [
        "a store of your own",
        "npx persist import --store sqlite:history.db examples/data/repository-history.ndjson.gz"
      ],
      ["a projection", "npx persist project --store sqlite:history.db --module examples/repository-history/churn.ts"],
      ["six subsystems moved out of memory, examples/*.ts", "npm run examples"],
      ["the source, in seven files", "ARCHITECTURE.md"]
    ] as const
  ) {
    line(`  ${what}`)
    line(`    ${paint("cyan", how)}`)
  }
}

line()
line(`${paint("bold", "persist")}: a log, a kv, and one commit for both`)
prose(`The history of a real repository: ${count(expected.events)} events in ${count(expected.streams)} streams.`, "")
await part("Import it", importFirst)
const imported = await part("Project it", project)
await part("Kill a second import in the middle, and resume it", killAndResume)
await part("Append while a read model follows", followLive)
await part("Restart from the snapshots", () => restart(imported))
summary()
tryNext()
process.exitCode = failed === 0 ? 0 : 1

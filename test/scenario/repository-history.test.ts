/** A real repository's history gives the figures known beforehand: projected, from snapshots, and by read models. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { open, type Store } from "persist"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { expected, figuresOf, input } from "../../examples/repository-history/figures.ts"
import { projectAll, total } from "../../examples/repository-history/projecting.ts"
import { churnByDirectory, commitsByAuthor, eventsByStream } from "../../examples/repository-history/read-models.ts"
import { root } from "../tidy/tree.ts"

const lines = gunzipSync(readFileSync(input)).toString().trimEnd().split("\n")
const directory = mkdtempSync(join(tmpdir(), "persist-history-"))
afterAll(() => rmSync(directory, { recursive: true }))

/** By the command-line tool, from a file that has grown since the last time. */
const importFile = (upTo: number): void => {
  const file = join(directory, "history.ndjson")
  writeFileSync(file, lines.slice(0, upTo).map((line) => `${line}\n`).join(""))
  const bin = join(root, "packages/cli/src/bin.ts")
  const args = ["--conditions=source", bin, "import", "--store", "sqlite:history.db", file]
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: directory, encoding: "utf8" })
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" })
}

/** By the store's own verbs, in the order of the lines. */
const appendLines = async (store: Store, from: number, to: number): Promise<void> => {
  const log = store.log()
  await Promise.all(
    lines.slice(from, to).map((line) => {
      const { at, data, stream, type } = JSON.parse(line)
      return log.append(stream, { type, data, at: Date.parse(at) }, { expected: "any" })
    })
  )
}

const stores = {
  memory: {
    url: "memory:",
    fill: appendLines
  },
  SQLite: {
    url: `sqlite:${join(directory, "history.db")}`,
    fill: async (_store: Store, _from: number, to: number) => importFile(to)
  }
}

// The streams' lengths are made of every event, commits and churn of every event but the few changes to binary files.
const twice = 2 * lines.length - lines.filter((line) => line.includes(`"type":"BinaryChanged"`)).length

const catchUpAll = async (store: Store): Promise<number> => {
  let events = 0
  for (
    const caughtUp of [
      await store.catchUp(commitsByAuthor),
      await store.catchUp(churnByDirectory),
      await store.catchUp(eventsByStream)
    ]
  ) {
    if (caughtUp._tag === "CaughtUp") events += caughtUp.events
  }
  return events
}

/** The figures as the read models have them. */
const figuresOfReadModels = async (store: Store) => {
  const [commits, churn, lengths] = await Promise.all([
    store.kv(commitsByAuthor).scan().toArray(),
    store.kv(churnByDirectory).scan().toArray(),
    store.kv(eventsByStream).scan().toArray()
  ])
  const streams = lengths.map(({ key, value }) => ({ stream: key, events: value }))
  return figuresOf(
    Object.fromEntries(commits.map(({ key, value }) => [key, value])),
    Object.fromEntries(churn.map(({ key, value }) => [key, value])),
    {
      events: streams.reduce((sum, { events }) => sum + events, 0),
      streams: streams.length,
      longest: streams.sort((a, b) => b.events - a.events).slice(0, 10)
    }
  )
}

test("the input is what the figures are of", () => {
  expect(lines.length).toBe(expected.events)
  expect(Object.keys(expected.commitsByAuthor).length).toBe(10)
  expect(Object.keys(expected.churnByDirectory).length).toBe(10)
  expect(expected.longestStreams.length).toBe(10)
})

describe.each(Object.entries(stores))("%s", (_, { fill, url }) => {
  const half = Math.floor(lines.length / 2)
  let store: Store
  let foldedOfHalf = 0
  let takenInOfHalf = 0

  beforeAll(async () => {
    store = await open(url)
    await fill(store, 0, half)
    // What is known of the first half is saved, and has to be gone on from.
    foldedOfHalf = total((await projectAll((projection) => store.load(projection, { all: true }))).costs, "replayed")
    takenInOfHalf = await catchUpAll(store)
    await fill(store, half, lines.length)
  }, 120_000)

  afterAll(() => store.close())

  test("by reading all of it", async () => {
    const { costs, figures } = await projectAll((projection) => store.project(projection, { all: true }))
    expect(figures).toEqual(expected)
    expect(total(costs, "replayed")).toBe(twice)
  })

  test("from the snapshots of its first half", async () => {
    const { costs, figures } = await projectAll((projection) => store.load(projection, { all: true }))
    expect(figures).toEqual(expected)
    expect(foldedOfHalf).toBeGreaterThan(0)
    expect(total(costs, "replayed")).toBe(twice - foldedOfHalf)
  })

  test("by read models that had taken in its first half", async () => {
    expect(takenInOfHalf).toBe(foldedOfHalf)
    expect(await catchUpAll(store)).toBe(twice - takenInOfHalf)
    expect(await figuresOfReadModels(store)).toEqual(expected)
  })

  test("by read models made again from zero", async () => {
    for (
      const rebuilt of [
        await store.rebuild(commitsByAuthor),
        await store.rebuild(churnByDirectory),
        await store.rebuild(eventsByStream)
      ]
    ) {
      expect(rebuilt._tag).toBe("CaughtUp")
    }
    expect(await figuresOfReadModels(store)).toEqual(expected)
  })

  test("in the order of the lines", async () => {
    const events = await store.log().readAll().toArray()
    expect(events.length).toBe(lines.length)
    const differing = events.findIndex(({ at, data, stream, type }, i) =>
      JSON.stringify({ stream, type, at: new Date(at).toISOString(), data }) !== lines[i]
    )
    expect(differing).toBe(-1)
  })
})

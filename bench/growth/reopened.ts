/** The work that begins with a store that is closed, and leaves it open: opening, importing, what a kill leaves. */
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { ended, firstWord, startProgram } from "../sides/whole.ts"
import { linesOf } from "../workloads/import.ts"
import { timed } from "../workloads/workload.ts"
import type { Growing } from "./growing.ts"
import type { Work } from "./works.ts"

/** Closes the store, does something, and opens it again. */
const between = async <A>(growing: Growing, run: () => Promise<A>): Promise<A> => {
  await growing.side.close()
  try {
    return await run()
  } finally {
    growing.side = await growing.open()
  }
}

/** In this process, which has loaded all it needs. */
const opening: Work = async (growing) => {
  const millis = await between(growing, () =>
    timed(async () => {
      const side = await growing.open()
      await side.head()
      await side.close()
    }))
  return { figures: { "open, read the head and close, ms": millis }, added: 0 }
}

/** First thing in a new process. */
const starting: Work = async (growing) => {
  const start = await growing.side.reopened?.()
  if (start === undefined) return undefined
  const { memory, time } = await start()
  growing.side = await growing.open()
  return { figures: { "open in a new process, ms": time, "memory above an empty process, MiB": memory }, added: 0 }
}

/** Once it's closed, when nothing is left of what only an open store needs; a key for twenty events is among it. */
const keeping: Work = async (growing) => {
  const { bytes } = growing.side
  if (bytes === undefined) return undefined
  const taken = await between(growing, bytes)
  return { figures: { "disk, bytes an event": taken / growing.events }, added: 0 }
}

/** What is asked of a store that has only been filled. */
export const kept: ReadonlyArray<Work> = [keeping]

/** What opens a store, in this process and in new ones. */
export const openings: ReadonlyArray<Work> = [opening, starting]

const lines = 2000

let imported = 0

/** A file that no import has seen: of one that it knows it would go on where it was. */
const newFile = (directory: string): string => {
  const path = join(directory, `lines-${imported}.ndjson`)
  writeFileSync(path, linesOf(lines, imported))
  imported += lines
  return path
}

/** By the command line, in a process of its own, where as much has been imported before. */
const importing: Work = async (growing) => {
  const paths = [newFile(growing.directory), newFile(growing.directory)]
  const millis = await between(growing, async () => {
    const child = startProgram("importer", [growing.url, ...paths])
    const said = await firstWord(child)
    await ended(child)
    return Number(said)
  })
  for (const path of paths) rmSync(path)
  return { figures: { [`import ${lines.toLocaleString("en")} lines, ms`]: millis }, added: paths.length * lines }
}

/** Positions are dense in what appends alone: by them it's known how much the writer got in. */
const recovering: Work = async (growing) => {
  const before = await growing.side.head()
  const millis = await growing.side.recovered?.()
  if (millis === undefined) return undefined
  growing.side = await growing.open()
  const added = await growing.side.head() - before
  return { figures: { "open after kill -9, and append, ms": millis }, added }
}

/** What adds events meanwhile. */
export const arrivals: ReadonlyArray<Work> = [importing, recovering]

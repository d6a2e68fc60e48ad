/** Every workload does its work once, tiny, on memory, SQLite and files, through persist and by hand. */
import { existsSync } from "node:fs"
import { afterAll, describe, expect, test } from "vitest"
import { makePlaces } from "../../bench/harness/place.ts"
import type { StoreName } from "../../bench/sides/persist.ts"
import { type Entry, type Kind, sides } from "../../bench/sides/sides.ts"
import type { Workload } from "../../bench/workloads/workload.ts"
import { workloads } from "../../bench/workloads/workloads.ts"

// What is asked is whether they do their work: no disk has to take part in it.
const places = makePlaces(existsSync("/dev/shm") ? "/dev/shm" : undefined)
afterAll(places.remove)

const sizes = { log: 2000, large: 3000, keys: 2000, open: 6400, round: 5 }

/** Whether a side takes part; fails where it does other work than the workload says, or gives other figures. */
const once = async (store: StoreName, { open }: Entry, { figures, prepare }: Workload): Promise<boolean> => {
  const [place, remove] = await places.place(store)
  const side = await open(place)
  const ready = await prepare(side, sizes)
  if (ready !== undefined && "measure" in ready) {
    const measured = await ready.measure()
    await ready.close?.()
    expect(Object.keys(figures)).toEqual(expect.arrayContaining(Object.keys(measured)))
    expect(Object.values(measured).filter((figure) => !Number.isFinite(figure))).toEqual([])
  } else if (ready !== undefined) {
    expect(ready.each).toBeGreaterThan(0)
    await ready.repeat(2)
  }
  await side.close()
  await remove()
  return ready !== undefined
}

const whole = ["bytes", "bytes-single", "open", "recover"]
const histories = ["import", "import-history", "project-history"]
const extras = workloads.map(({ name }) => name).filter((name) => name.startsWith("extra-"))
const processors = workloads.map(({ name }) => name).filter((name) => name.startsWith("processors-"))
const elsewhere = ["latency-other", "latency-other-half"]

const following = ["catch-up-handler", "catch-up-model", "latency-idle", "latency-half", ...elsewhere]
const ordered = ["kv-cas-1", "kv-cas-64", "kv-scan-1"]

/** In which workloads nobody of a kind takes part: all that is a hole in the table. */
const holes: Readonly<Record<string, Readonly<Record<"ours" | "raw", ReadonlyArray<string>>>>> = {
  memory: {
    ours: [...elsewhere, ...histories, ...whole],
    raw: [
      "load-snapshot",
      "catch-up-model",
      ...elsewhere,
      ...processors,
      "kv-scan-1",
      ...histories,
      ...whole,
      ...extras
    ]
  },
  sqlite: { ours: extras, raw: ["load-snapshot", ...elsewhere, ...processors, ...extras] },
  file: { ours: extras, raw: ["load-snapshot", ...following, ...processors, ...ordered, ...histories, ...extras] }
}

describe.concurrent("every workload", () => {
  test.each(["memory", "sqlite", "file"] as const)("on %s", { timeout: 240_000 }, async (store) => {
    const nobody: Record<string, Array<string>> = { ours: [], raw: [] }
    for (const workload of workloads) {
      const taking = new Set<Kind>()
      for (const entry of sides[store].filter(({ kind }) => kind !== "peer")) {
        if (await once(store, entry, workload)) taking.add(entry.kind)
      }
      for (const kind of ["ours", "raw"] as const) if (!taking.has(kind)) nobody[kind]?.push(workload.name)
    }
    expect(nobody).toEqual(holes[store])
  })
})

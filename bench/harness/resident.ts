/** How much memory becomes resident while something runs, watched by a thread that goes on where this one can't. */
import { setTimeout as delay } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { isMainThread, Worker, workerData } from "node:worker_threads"

/** How often it looks, in milliseconds. */
const every = 2

/** The bytes of a mebibyte. */
const mebibyte = 2 ** 20

const watch = (greatest: Float64Array): void => {
  const look = () => {
    greatest[0] = Math.max(greatest[0] ?? 0, process.memoryUsage.rss())
  }
  look()
  setInterval(look, every)
}

if (!isMainThread && workerData instanceof Float64Array) watch(workerData)

/** Gives back to the system what a heap has grown by, where the process was started with `--expose-gc`. */
const shrink = (): void => globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" })

/** The most that was resident at once while it ran, in MiB above what was held before. */
export const growthOf = async (run: () => Promise<void>): Promise<number> => {
  const greatest = new Float64Array(new SharedArrayBuffer(8))
  const watcher = new Worker(fileURLToPath(import.meta.url), { workerData: greatest })
  try {
    // A thread that is online has yet to load what it runs.
    while (greatest[0] === 0) await delay(every)
    shrink()
    const before = process.memoryUsage.rss()
    greatest[0] = before
    await run()
    return (Math.max(greatest[0] ?? 0, process.memoryUsage.rss()) - before) / mebibyte
  } finally {
    await watcher.terminate()
  }
}

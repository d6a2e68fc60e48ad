/** Calls of the file system that fail from a chosen one on, as for a process that's killed, or on a full disk. */
import fs from "node:fs/promises"
import { syncBuiltinESMExports } from "node:module"

const changing = ["mkdir", "rename", "rm", "rmdir", "unlink"] as const

/** What was counted, and how it's put back. */
export interface Failing extends Disposable {
  /** How many calls that change something there were. */
  readonly calls: () => number
}

/**
 * From the call of this number on (from 1; 0: none), nothing that changes a file works any more: it fails with this
 * code. Of the file that's being written then, half is there.
 */
export const failFrom = (call: number, code: string): Failing => {
  let calls = 0
  const failing = () => ++calls >= call && call > 0
  const failure = () => Object.assign(new Error(`${code}: as asked for`), { code })
  const own = { ...fs }
  const put = (name: string, value: unknown) => Object.defineProperty(fs, name, { value, writable: true })
  for (const name of changing) {
    put(name, (...args: Array<never>) => {
      if (failing()) return Promise.reject(failure())
      return Reflect.apply(own[name], fs, args)
    })
  }
  put("open", async (...args: Parameters<typeof fs.open>) => {
    const written = args[1] === "wx"
    if (written && failing()) throw failure()
    const handle = await own.open(...args)
    if (!written) return handle
    const writeFile = handle.writeFile.bind(handle)
    handle.writeFile = async (content) => {
      const bytes = Buffer.from(content as Uint8Array)
      if (!failing()) return writeFile(bytes)
      await writeFile(bytes.subarray(0, bytes.length >> 1))
      throw failure()
    }
    return handle
  })
  syncBuiltinESMExports()
  return {
    calls: () => calls,
    [Symbol.dispose]: () => {
      for (const name of [...changing, "open"] as const) put(name, own[name])
      syncBuiltinESMExports()
    }
  }
}

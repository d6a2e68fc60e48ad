/** Opens a store and says what that took, as the first thing it does; then opens it again, with everything loaded. */
import type { OpenedHere, Place, Side } from "../side.ts"

type Opened = Required<Pick<Side, "head">> & Pick<Side, "close">

/** How each side is opened, with nothing loaded that it doesn't need for that. */
const openers: Readonly<Record<string, () => Promise<(place: Place) => Promise<Opened | Side>>>> = {
  persist: async () => {
    const { open } = await import("persist")
    return ({ url }) => open(url)
  },
  sqlite: async () => (await import("../raw-sqlite.ts")).openRawSqlite,
  file: async () => (await import("../raw-file.ts")).openRawFile,
  postgres: async () => (await import("../raw-postgres.ts")).openRawPostgres
}

const [name = "", where = ""] = process.argv.slice(2)
const place: Place = JSON.parse(where)
const open = await openers[name]?.()
if (open === undefined) throw new Error(`there is no ${name}`)

/** From the call to the head being known. */
const opened = async (): Promise<readonly [millis: number, side: Opened | Side]> => {
  const from = performance.now()
  const side = await open(place)
  const head = await side.head?.()
  const millis = performance.now() - from
  if (head === undefined || head === 0) throw new Error("the store is empty")
  return [millis, side]
}

const [time, first] = await opened()
const resident = process.memoryUsage.rss()
await first.close()
const [warm, second] = await opened()
const told: OpenedHere = { time, warm, resident }
process.send?.(told)
await second.close()
process.disconnect()

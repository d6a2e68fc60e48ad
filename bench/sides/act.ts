/** Act's stores, by the store's own verbs (`commit`, `query`), beneath its builders. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { checkCount, fold, nothing, type Order, orderOf, placed } from "../payload.ts"
import { loadPeer } from "../peers/load.ts"
import { contending, nextTurn } from "./contend.ts"
import { byPromise, fileBytes, type OpenSide, type Side } from "./side.ts"

interface Query {
  readonly stream?: string
  readonly stream_exact?: boolean
  readonly limit?: number
  readonly after?: number
}

interface Recorded {
  readonly id: number
  readonly version: number
  readonly data: Order
}

interface Store {
  readonly seed: () => Promise<void>
  readonly commit: (
    stream: string,
    events: ReadonlyArray<{ readonly name: string; readonly data: Order }>,
    meta: object,
    expected?: number
  ) => Promise<unknown>
  readonly query: (use: (event: Recorded) => void, query: Query) => Promise<number>
  readonly dispose: () => Promise<void>
}

const meta = { correlation: "bench", causation: {} }

/** Whether it, or what caused it, is SQLite's lock or want of a connection. */
const isBusy = (error: unknown): boolean =>
  error instanceof Error && (/^(SQLITE_BUSY|TRANSACTION_ACTIVE)/.test(error.message) || isBusy(error.cause))

/** Concurrent commits on SQLite fail as busy: who appends has to try again. */
const patiently = async (commit: () => Promise<unknown>): Promise<unknown> => {
  for (;;) {
    try {
      return await commit()
    } catch (error) {
      if (!isBusy(error)) throw error
      await nextTurn()
    }
  }
}

const sideOf = (store: Store): Side => ({
  append: byPromise(async ({ orders, stream }) => {
    const events = orders.map((data) => ({ name: placed, data }))
    await patiently(() => store.commit(stream, events, meta))
  }),
  contend: contending((stream) => {
    let last = { id: -1, version: -1 }
    return async () => {
      try {
        // What was committed since it last looked.
        await store.query((event) => void (last = event), { stream, stream_exact: true, after: last.id })
        await store.commit(stream, [{ name: placed, data: orderOf(last.version + 1) }], meta, last.version)
        return true
      } catch (error) {
        if (error instanceof Error && error.message.startsWith("Concurrency error")) return false
        if (!isBusy(error)) throw error
        await nextTurn()
        return false
      }
    }
  }),
  fold: byPromise(async ({ events, stream }) => {
    const state = nothing()
    await store.query(({ data }) => void fold(state, data), { stream, stream_exact: true })
    checkCount(state.events, events)
  }),
  readAll: async (events) => {
    const state = nothing()
    let [after, found] = [-1, 1]
    while (found > 0) {
      found = await store.query(({ data, id }) => {
        fold(state, data)
        after = id
      }, { after, limit: 1000 })
    }
    checkCount(state.events, events)
  },
  close: () => store.dispose()
})

/** It reads the package it runs in when it's loaded, and takes none without a version. */
const loadAct = async (directory: string) => {
  const about = {
    name: "bench",
    version: "0.0.0",
    description: "a bench",
    author: "bench",
    license: "MIT",
    dependencies: {}
  }
  writeFileSync(join(directory, "package.json"), JSON.stringify(about))
  process.chdir(directory)
  // It sleeps in each verb of its store in memory, 100 ms unless told otherwise.
  process.env.SLEEP_MS = "0"
  return await loadPeer<{ readonly InMemoryStore: new() => Store }>("@rotorsoft/act")
}

/** Act in memory. */
export const openActMemory: OpenSide = async ({ directory }) => {
  const { InMemoryStore } = await loadAct(directory)
  const store = new InMemoryStore()
  await store.seed()
  return { ...sideOf(store), note: "with SLEEP_MS=0; each verb still waits for a timer" }
}

/** Act on SQLite, through libSQL. */
export const openActSqlite: OpenSide = async ({ directory }) => {
  await loadAct(directory)
  const { SqliteStore } = await loadPeer<{
    readonly SqliteStore: new(options: { readonly url: string }) => Store
  }>("@rotorsoft/act-sqlite")
  const store = new SqliteStore({ url: `file:${join(directory, "act.db")}` })
  await store.seed()
  return {
    ...sideOf(store),
    note: "finds SQLite locked where others commit, and is tried again",
    bytes: () => fileBytes(directory)
  }
}

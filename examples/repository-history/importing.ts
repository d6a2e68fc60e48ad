/** Imports the history in a process of its own and watches the store fill up; kills the process on demand. */
import { open, type Store } from "persist"
import { command, count, live, progress } from "./display.ts"
import { expected, input } from "./figures.ts"
import { persist } from "./stage.ts"

/** What an import that came to its end says of itself. */
export interface Imported {
  readonly events: number
  readonly resumedAfterLine: number
  readonly milliseconds: number
}

/**
 * Imports the history into a store and answers what the import says of itself: `undefined` where it was killed, as soon
 * as the share `killAt` of all commits was in.
 */
export const importHistory = async (url: string, killAt = Infinity): Promise<Imported | undefined> => {
  // Opened before the import, so that it can be watched from here: any number of processes may use one file.
  await using store = await open(url)
  const importing = persist("import", "--json", "--store", url, input)
  command(`persist import --store ${url} repository-history.ndjson.gz`)
  const drawing = live()
  const over = new AbortController()
  const [watched, ended] = await Promise.allSettled([
    watch(store, over.signal, (commits) => {
      drawing.draw([progress(commits / expected.commits, `${count(commits)} commits`)])
      if (commits >= killAt * expected.commits) importing.kill()
    }),
    importing.ended.finally(() => over.abort())
  ])
  if (watched.status === "rejected" && watched.reason !== over.signal.reason) throw watched.reason
  if (ended.status === "rejected") throw ended.reason

  const { code, signal, stderr, stdout } = ended.value
  const commits = await store.log().lastSeq("repo")
  drawing.end([progress(commits / expected.commits, `${count(commits)} commits`)])
  if (signal === "SIGKILL") return undefined
  if (code !== 0) throw new Error(`the import ended with ${code ?? signal}: ${stderr}`)
  return JSON.parse(stdout)
}

const watch = async (store: Store, signal: AbortSignal, show: (commits: number) => void): Promise<void> => {
  const log = store.log()
  for await (const _ of store.changes({ signal })) show(await log.lastSeq("repo"))
}

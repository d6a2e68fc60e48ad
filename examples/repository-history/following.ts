/** Appends to the log while a read model follows it, and shows the read model's answer as it changes. */
import type { Store } from "persist"
import { bar, count, fill, line, live, paint, watched, width } from "./display.ts"
import { history } from "./events.ts"
import { commitsByAuthor } from "./read-models.ts"

/** Who appends. */
export const author = "you"

/** How much is appended: commits, each with a change to one file. */
export const appended = { commits: 600, file: "file/src/yours.zig", added: 3, deleted: 1 } as const

const perTurn = 20

/** Appends, a few commits at a time and slowly enough to watch; answers the last position. */
const appendAll = async (store: Store): Promise<number> => {
  const log = store.log(history)
  let position = 0
  let parents = (await log.read("repo", { reverse: true, limit: 1 }).toArray()).flatMap(({ data }) => data.commit)
  for (let n = 0; n < appended.commits; n += perTurn) {
    const commits = Array.from({ length: perTurn }, (_, i) => `yours-${n + i}`)
    const authored = commits.map((commit) => {
      const event = { type: "CommitAuthored", data: { commit, author, parents } } as const
      parents = [commit]
      return event
    })
    const { added, deleted, file } = appended
    const changed = commits.map((
      commit
    ) => ({ type: "FileChanged", data: { commit, author, added, deleted } } as const))
    const outcome = await store.commit([
      log.ops.append("repo", authored, { expected: await log.lastSeq("repo") }),
      log.ops.append(file, changed, { expected: n })
    ])
    if (outcome._tag === "Conflict") throw new Error("somebody else has appended in between")
    position = outcome.position
    await new Promise((resolve) => setTimeout(resolve, 40))
  }
  return position
}

type Board = ReadonlyMap<string, number>

const ranked = (board: Board): ReadonlyArray<readonly [string, number]> => [...board].sort(([, a], [, b]) => b - a)

const rankOf = (board: Board): number => ranked(board).findIndex(([name]) => name === author) + 1

const rows = 8

const drawBoard = (board: Board): ReadonlyArray<string> => {
  const order = ranked(board)
  const rank = rankOf(board)
  const shown = order.slice(0, rank > rows ? rows - 1 : rows).map((entry, i) => [i + 1, ...entry] as const)
  const own = rank > rows ? [[rank, author, board.get(author) ?? 0] as const] : []
  const most = order[0]?.[1] ?? 1
  const columns = Math.min(40, width() - 32)
  return [...shown, ...own].map(([place, name, commits]) => {
    const text = `  ${fill(String(place), 4, "start")}  ${fill(name, 12)}  ${fill(count(commits), 6, "start")}  `
    return name === author
      ? paint("green", text + bar(commits / most, columns))
      : text + paint("cyan", bar(commits / most, columns))
  })
}

/** What was seen of the read model while it followed. */
export interface Followed {
  /** How many different answers it gave. */
  readonly answers: number
  readonly board: Board
}

/** Appends and shows the read model following; ends when it shows everything that was appended. */
export const follow = async (store: Store): Promise<Followed> => {
  const model = store.kv(commitsByAuthor)
  const board = new Map<string, number>()
  for await (const { key, value } of model.scan()) board.set(key, value)
  const drawing = live()
  const after = await store.head()
  let answers = 0

  const watching = async (): Promise<void> => {
    let told = 0
    for await (const change of model.watch({ after })) {
      if (change._tag === "Put") board.set(change.key, change.value)
      answers++
      drawing.draw(drawBoard(board))
      const commits = board.get(author) ?? 0
      const quarters = Math.floor(commits / appended.commits * 4)
      if (!watched && quarters > told) line(`  ${author}: ${commits} commits, rank ${rankOf(board)} of ${board.size}`)
      told = quarters
      if (commits >= appended.commits) return
    }
  }

  await using _running = store.runReadModel(commitsByAuthor)
  const [position] = await Promise.all([appendAll(store), watching()])
  await store.waitFor(commitsByAuthor, position)
  drawing.end(watched ? drawBoard(board) : [])
  return { answers, board }
}

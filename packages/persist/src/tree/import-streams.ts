/** Planning the import of streams: what the store has must be the same, and what it hasn't is appended. */
import { type StoredEvent, type StoreError, type StreamInfo } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { eventsOfFile } from "./contents.ts"
import { type EventsRead, type LineEvent, readEventLines } from "./event-lines.ts"
import { misplaced, wrong } from "./file-object.ts"
import { contentOf, type FilesError, filesIn, onFiles } from "./file-read.ts"
import { type Circumstances, limitFault, type Plan } from "./import-plan.ts"
import { sameText } from "./import-values.ts"
import { eventsFileOf, eventsPath, fileStart, streamsDirectory } from "./tree-path.ts"

/** The files of one stream, in the order of their seqs. */
type StreamFiles = Array<{ readonly path: string; readonly start: number }>

/** Adds to a plan what the files of streams ask for. */
export const planStreams = Effect.fnUntraced(function*(
  circumstances: Circumstances,
  plan: Plan
): Effect.fn.Return<void, FilesError> {
  for (const files of yield* onFiles(() => findStreams(circumstances.root))) {
    const conflict = yield* planStream(circumstances, plan, files)
    if (conflict !== undefined) plan.conflicts.push(conflict)
  }
})

const findStreams = async (root: string): Promise<Iterable<StreamFiles>> => {
  const streams = new Map<string, StreamFiles>()
  for await (const path of filesIn(root, streamsDirectory)) {
    const file = eventsFileOf(path)
    if (file === undefined) throw wrong(path, "is no stream's file", "remove it, or name it stream.ndjson")
    const files = streams.get(file.streamPath) ?? []
    files.push({ path, start: file.start })
    streams.set(file.streamPath, files)
  }
  for (const files of streams.values()) files.sort((a, b) => a.start - b.start)
  return streams.values()
}

/** A file of a stream, checked as far as that goes without the store. */
export interface FileRead extends EventsRead {
  readonly path: string
  readonly start: number
  /** The stream's name, from the path or the file. */
  readonly name: string
}

/** Reads a file of a stream, and makes sure that it's in the right place. Throws `Invalid`, naming it. */
export const readEventsFile = async (root: string, path: string): Promise<FileRead> => {
  const read = Result.getOrThrow(readEventLines(path, await contentOf(root, path)))
  const { start = 1, stream } = eventsFileOf(path) ?? {}
  const name = read.stream ?? stream
  if (name === undefined) throw wrong(path, "has no stream's name", `name it in a first line, {"stream": …}`)
  const right = eventsPath(name, start)
  if (right.path !== path || right.whole !== (read.stream === undefined)) {
    throw misplaced(path, right.path, `the stream ${JSON.stringify(name)}`)
  }
  const stray = read.events.find(({ seq }) => fileStart(seq) !== start)
  if (stray !== undefined) {
    const where = eventsPath(name, fileStart(stray.seq)).path
    throw misplaced(stray.where, where, `seq ${stray.seq}`)
  }
  if (read.removed > 0 && fileStart(read.removed + 1) !== start) {
    throw misplaced(path, eventsPath(name, fileStart(read.removed + 1)).path, `the line of seq ${read.removed}`)
  }
  return { ...read, path, start, name }
}

type Conflict = Plan["conflicts"][number] | undefined

const planStream = Effect.fnUntraced(function*(
  circumstances: Circumstances,
  plan: Plan,
  files: StreamFiles
): Effect.fn.Return<Conflict, FilesError> {
  const { root, store } = circumstances
  let info: StreamInfo | undefined
  let next: number | undefined
  let seen: number | undefined
  let removed = 0
  const fresh: Array<string> = []
  let position = Number.POSITIVE_INFINITY
  let events = 0
  let stream = ""
  for (const { path } of files) {
    const read = yield* onFiles(() => readEventsFile(root, path))
    const fault = faultOf(circumstances, read)
    if (fault !== undefined) return yield* Effect.fail(fault)
    if (next === undefined) {
      stream = read.name
      info = yield* store.log().info(stream)
      const last = info?.last ?? 0
      // The store can be brought to where the tree begins only where it has none of the stream's events.
      const empty = info === undefined || info.first > info.last
      if (read.removed > last && !empty) return behind(path, last, read.removed + 1)
      removed = read.removed > last ? read.removed : 0
      next = Math.max(last, removed) + 1
    }
    const conflict = yield* compare(circumstances, read, info)
    if (conflict !== undefined) return conflict
    const [begin] = read.events
    if (begin !== undefined && seen !== undefined && begin.seq !== seen + 1) {
      const reason = `seq ${begin.seq} follows seq ${seen}`
      return yield* Effect.fail(wrong(begin.where, reason, "put back the file or the lines between"))
    }
    seen = read.events.at(-1)?.seq ?? seen
    const added = read.events.filter(({ seq }) => seq >= (next ?? 0))
    plan.unchanged += read.events.length - added.length
    const [first] = added
    if (first === undefined) continue
    if (first.seq !== next) return behind(first.where, next - 1, first.seq)
    if (fresh.length === 0) position = first.position ?? Number.POSITIVE_INFINITY
    fresh.push(path)
    events += added.length
    next += added.length
  }
  if (events > 0 || removed > 0) {
    plan.streams.push({ stream, last: info?.last ?? 0, removed, files: fresh, position, events })
  }
  return undefined
})

const behind = (path: string, last: number, first: number): Conflict => ({
  path,
  reason: `the stream ends at seq ${last} in the store, and the tree goes on from seq ${first}`
})

const faultOf = ({ store }: Circumstances, { events, name, path }: FileRead): StoreError | undefined => {
  const fault = limitFault(store, path, { stream: name }, {})
  if (fault !== undefined) return fault
  for (const { data, id, meta, type, where } of events) {
    const found = limitFault(store, where, { type, id }, { data, metadata: meta })
    if (found !== undefined) return found
  }
  return undefined
}

/** Compares the events of a file with those that the store has; what happened can't be changed. */
const compare = Effect.fnUntraced(function*(
  { common, store }: Circumstances,
  { events, name, start }: FileRead,
  info: StreamInfo | undefined
): Effect.fn.Return<Conflict, StoreError> {
  const [first] = events
  if (info === undefined || first === undefined || first.seq > info.last || info.first > info.last) return undefined
  const stored = new Map<number, StoredEvent>()
  for (const event of yield* eventsOfFile(store, name, start)) stored.set(event.seq, event)
  for (const event of events) {
    const found = stored.get(event.seq)
    if (found === undefined || sameEvent(found, event)) continue
    if (found.position > (common ?? -1)) return { path: event.where, reason: "the store has another event there" }
    return yield* Effect.fail(
      wrong(event.where, "was changed, and what happened can't be", "put it back, and append an event that mends it")
    )
  }
  return undefined
})

const sameEvent = (stored: StoredEvent, event: LineEvent): boolean =>
  stored.type === event.type && stored.id === event.id && (event.at === undefined || stored.at === event.at) &&
  sameText(stored.data, event.data) && sameText(stored.meta, event.meta)

/** The new events of many streams in the order that they had among each other, a file of each in memory at a time. */
import type { LineEvent } from "./event-lines.ts"
import type { PlannedStream } from "./import-plan.ts"

/** An event, and the stream it's of. */
export interface StreamEvent {
  readonly stream: string
  readonly event: LineEvent
}

/** Answers the events of a file. */
export type ReadFile = (path: string) => Promise<ReadonlyArray<LineEvent>>

/** Where the reading of a stream has come to; `events` is empty until its first file is read. */
interface Cursor {
  readonly planned: PlannedStream
  /** Among the streams: which of two comes first that have no position. */
  readonly order: number
  position: number
  files: ReadonlyArray<string>
  events: ReadonlyArray<LineEvent>
  next: number
}

/**
 * Gives the events that the store hasn't got by their positions; those without one come after all that have one, stream
 * by stream.
 */
export async function* inOrder(
  streams: ReadonlyArray<PlannedStream>,
  read: ReadFile
): AsyncGenerator<StreamEvent> {
  const heap: Array<Cursor> = []
  for (const [order, planned] of streams.entries()) {
    const { files, position } = planned
    if (files.length > 0) push(heap, { planned, order, position, files, events: [], next: 0 })
  }
  for (let cursor = pop(heap); cursor !== undefined; cursor = pop(heap)) {
    const event = cursor.events[cursor.next]
    if (event === undefined) await readNext(cursor, read)
    else {
      yield { stream: cursor.planned.stream, event }
      cursor.next++
    }
    const following = cursor.events[cursor.next]
    if (following !== undefined) cursor.position = following.position ?? Number.POSITIVE_INFINITY
    // What the next file begins with comes after what this one ended with: with that place it's read in time.
    if (following !== undefined || cursor.files.length > 0) push(heap, cursor)
  }
}

const readNext = async (cursor: Cursor, read: ReadFile): Promise<void> => {
  const [path, ...rest] = cursor.files
  if (path === undefined) return
  const { last, removed } = cursor.planned
  cursor.files = rest
  cursor.events = (await read(path)).filter(({ seq }) => seq > Math.max(last, removed))
  cursor.next = 0
}

const before = (a: Cursor, b: Cursor): boolean =>
  a.position < b.position || (a.position === b.position && a.order < b.order)

const push = (heap: Array<Cursor>, cursor: Cursor): void => {
  let at = heap.length
  heap.push(cursor)
  while (at > 0) {
    const above = (at - 1) >> 1
    const parent = heap[above]
    if (parent === undefined || !before(cursor, parent)) break
    heap[at] = parent
    at = above
  }
  heap[at] = cursor
}

const pop = (heap: Array<Cursor>): Cursor | undefined => {
  const [first] = heap
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return first
  let at = 0
  while (true) {
    const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]]
    const smaller = right !== undefined && left !== undefined && before(right, left) ? 2 * at + 2 : 2 * at + 1
    const child = heap[smaller]
    if (child === undefined || !before(child, last)) break
    heap[at] = child
    at = smaller
  }
  heap[at] = last
  return first
}

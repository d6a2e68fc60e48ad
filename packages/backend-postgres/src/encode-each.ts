/** A batch of commits of one event each as the parameters of `append_each_1`, judged as it's encoded. */
import type { Commit, Committed, Standing } from "@persist/core"
import { judge, place, Position, Seq } from "@persist/core"
import { int4s, int8s, texts, unlessEmpty } from "./arrays.ts"
import type { Value } from "./asking.ts"
import { onlyEvent } from "./encode.ts"
import type { KnownStream, Memory } from "./memory.ts"

/** The parameters, what each commit comes to, and what will be remembered of the streams. */
export interface EncodedEach {
  readonly values: ReadonlyArray<Value>
  readonly outcomes: ReadonlyArray<Committed>
  readonly streams: ReadonlyMap<string, KnownStream>
  readonly head: number
}

/**
 * Encodes a batch; `undefined` where `append_each_1` can't do it: one of its commits does more than append one event
 * of text to a remembered stream, conflicts, or has no id, or the event has one of its own.
 */
export const encodeEach = (
  batch: ReadonlyArray<Commit>,
  memory: Memory,
  patience: number | undefined
): EncodedEach | undefined => {
  const { head, server } = memory
  if (head === undefined || server === undefined) return undefined
  const rows = new EachRows(memory, Position(head))
  for (const commit of batch) if (!rows.add(commit)) return undefined
  return {
    values: [patience?.toString() ?? null, server, head, ...rows.arrays()],
    outcomes: rows.outcomes,
    streams: rows.streams,
    head: rows.head
  }
}

class EachRows {
  readonly outcomes: Array<Committed> = []
  /** The streams as the batch leaves them so far. */
  readonly streams = new Map<string, KnownStream>()
  head: Position
  private readonly memory: Memory
  private readonly ids: Array<number> = []
  private readonly seqs: Array<number> = []
  private readonly ats: Array<number> = []
  private readonly types: Array<number> = []
  private readonly data: Array<string> = []
  private readonly metas: Array<string | undefined> = []
  private readonly commits: Array<string> = []
  private readonly digests: Array<string> = []
  // Whether an id has happened before, the function tells.
  private readonly standing: Standing = {
    lastSeq: (stream) => Seq(this.known(stream)?.last ?? 0),
    revision: () => Position(0),
    recorded: () => undefined
  }

  constructor(memory: Memory, head: Position) {
    this.memory = memory
    this.head = head
  }

  /** Takes a commit, and says whether it could. */
  add(commit: Commit): boolean {
    const { expect, identity } = commit
    const only = onlyEvent(commit)
    if (only === undefined || identity === undefined) return false
    const { event, stream: name } = only
    const { at, data, id, meta } = event
    if (typeof data !== "string" || id !== undefined) return false
    const stream = this.known(name)
    const type = this.memory.type(event.type)
    if (stream === undefined || type === undefined) return false
    for (const one of expect) if (one._tag !== "Stream" || one.stream !== name) return false
    if (expect.length > 0 && judge(commit, this.standing) !== undefined) return false
    const placed = place(commit, this.head, this.standing.lastSeq, nobody)
    const [appended] = placed.appended
    if (appended === undefined) return false
    const { last } = appended
    this.head = placed.position
    this.outcomes.push(placed)
    this.streams.set(name, { id: stream.id, last })
    this.ids.push(stream.id)
    this.seqs.push(last)
    this.ats.push(at)
    this.types.push(type)
    this.data.push(data)
    this.metas.push(meta)
    this.commits.push(identity.id)
    this.digests.push(identity.digest)
    return true
  }

  arrays(): ReadonlyArray<Value> {
    return [
      int8s(this.ids),
      int8s(this.seqs),
      int8s(this.ats),
      int4s(this.types),
      texts(this.data),
      unlessEmpty(texts(this.metas)),
      texts(this.commits),
      texts(this.digests)
    ]
  }

  private known(stream: string): KnownStream | undefined {
    return this.streams.get(stream) ?? this.memory.stream(stream)
  }
}

const nobody = (): number => 0

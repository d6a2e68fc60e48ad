/** A batch of commits of one event or put each as the parameters of the short functions, judged as it's encoded. */
import type { Commit, Committed, Identity, Standing } from "@persist/core"
import { judge, place, Position, Seq } from "@persist/core"
import { int4s, int8s, texts, unlessEmpty } from "./arrays.ts"
import type { Value } from "./asking.ts"
import { PutRows } from "./encode-each-put.ts"
import { onlyEvent } from "./encode.ts"
import type { KnownStream, Memory } from "./memory.ts"

/** The parameters, what each commit comes to, and what will be remembered of the streams. */
export interface EncodedEach {
  readonly values: ReadonlyArray<Value>
  /** Whether the parameters are those of `write_each_1`, not of `append_each_1`. */
  readonly puts: boolean
  readonly outcomes: ReadonlyArray<Committed>
  readonly streams: ReadonlyMap<string, KnownStream>
  readonly head: number
}

/**
 * Encodes a batch; `undefined` where no short function can do it: one of its commits does more than append one event
 * of text to a remembered stream or put one key in a remembered namespace, conflicts, or has no id, the event has one
 * of its own, or two put the same key.
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
    puts: rows.hasPuts(),
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
  private readonly places: Array<number> = []
  private readonly ids: Array<number> = []
  private readonly seqs: Array<number> = []
  private readonly ats: Array<number> = []
  private readonly types: Array<number> = []
  private readonly data: Array<string> = []
  private readonly metas: Array<string | undefined> = []
  private readonly commits: Array<string> = []
  private readonly digests: Array<string> = []
  private puts: PutRows | undefined
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
    if (commit.identity === undefined || !(this.addEvent(commit) || this.addPut(commit))) return false
    this.keep(commit.identity, place(commit, this.head, this.standing.lastSeq, nobody))
    return true
  }

  hasPuts(): boolean {
    return this.puts !== undefined
  }

  arrays(): ReadonlyArray<Value> {
    const commits = [texts(this.commits), texts(this.digests)]
    const events = [
      int8s(this.ids),
      int8s(this.seqs),
      int8s(this.ats),
      int4s(this.types),
      texts(this.data),
      unlessEmpty(texts(this.metas))
    ]
    if (this.puts === undefined) return [...events, ...commits]
    const placed = this.places.length === 0 ? [null, ...events.map(() => null)] : [int4s(this.places), ...events]
    return [...commits, ...placed, ...this.puts.arrays()]
  }

  private addEvent(commit: Commit): boolean {
    const only = onlyEvent(commit)
    if (only === undefined) return false
    const { event, stream: name } = only
    const { at, data, id, meta } = event
    if (typeof data !== "string" || id !== undefined) return false
    const stream = this.known(name)
    const type = this.memory.type(event.type)
    if (stream === undefined || type === undefined) return false
    for (const one of commit.expect) if (one._tag !== "Stream" || one.stream !== name) return false
    if (commit.expect.length > 0 && judge(commit, this.standing) !== undefined) return false
    this.places.push(this.outcomes.length + 1)
    this.ids.push(stream.id)
    this.seqs.push(stream.last + 1)
    this.ats.push(at)
    this.types.push(type)
    this.data.push(data)
    this.metas.push(meta)
    return true
  }

  private addPut(commit: Commit): boolean {
    const puts = this.puts ??= new PutRows(this.memory)
    return puts.add(commit, this.outcomes.length + 1)
  }

  private keep({ digest, id }: Identity, placed: Committed): void {
    const [appended] = placed.appended
    const stream = appended && this.known(appended.stream)
    if (appended !== undefined && stream !== undefined) {
      this.streams.set(appended.stream, { id: stream.id, last: appended.last })
    }
    this.head = placed.position
    this.outcomes.push(placed)
    this.commits.push(id)
    this.digests.push(digest)
  }

  private known(stream: string): KnownStream | undefined {
    return this.streams.get(stream) ?? this.memory.stream(stream)
  }
}

const nobody = (): number => 0

/** A commit of one event for a remembered stream as the parameters of `append_one_1`. */
import { texts } from "./arrays.ts"
import type { Value } from "./asking.ts"
import type { Assumption } from "./assume.ts"
import { onlyEvent, type Placed } from "./encode.ts"
import type { Memory } from "./memory.ts"
import type { Played } from "./play.ts"
import { toStored } from "./text.ts"

/** The parameters, and what will be remembered of the stream. */
export interface EncodedOne {
  readonly values: ReadonlyArray<Value>
  readonly stream: string
  readonly id: number
  readonly last: number
}

/**
 * Encodes the one commit of a batch that happens; `undefined` where `append_one_1` can't do it: it does more than
 * append one event, has no id, or touches what isn't remembered.
 */
export const encodeOne = (
  { commit, placed }: Placed,
  { head, keys, streams }: Assumption,
  { conflicting }: Played,
  memory: Memory,
  patience: number | undefined
): EncodedOne | undefined => {
  const { identity } = commit
  const only = onlyEvent(commit)
  const [at] = placed.appended
  if (only === undefined || at === undefined || identity === undefined || keys.size > 0) return undefined
  const { event, stream } = only
  if (memory.server === undefined || memory.head !== head) return undefined
  const type = memory.type(event.type)
  const id = streams.get(stream)?.id
  if (type === undefined || id === undefined) return undefined
  for (const assumed of streams.values()) if (assumed.id === 0) return undefined
  const { data, id: own, meta } = event
  const isText = typeof data === "string"
  const values = [
    patience?.toString() ?? null,
    memory.server,
    head,
    id,
    at.first,
    event.at,
    type,
    isText ? toStored(data) : null,
    isText ? null : Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    meta === undefined ? null : toStored(meta),
    own === undefined ? null : toStored(own),
    toStored(identity.id),
    toStored(identity.digest),
    conflicting.length === 0 ? null : texts(conflicting)
  ]
  return { values, stream, id, last: at.last }
}

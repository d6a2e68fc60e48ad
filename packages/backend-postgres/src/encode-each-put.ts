/** The puts among commits of one event or put each, as parameters of `write_each_1`. */
import type { Commit, Payload } from "@persist/core"
import { byteArrays, int4s, int8s, texts, unlessEmpty } from "./arrays.ts"
import type { Value } from "./asking.ts"
import { keyName } from "./assume.ts"
import { anyRevision, onlyPut } from "./encode-put.ts"
import type { Memory } from "./memory.ts"

/** Puts of different keys. */
export class PutRows {
  private readonly memory: Memory
  private readonly names = new Set<string>()
  private readonly places: Array<number> = []
  private readonly spaces: Array<number> = []
  private readonly keys: Array<string> = []
  private readonly revisions: Array<number> = []
  private readonly ats: Array<number> = []
  private readonly values: Array<Payload> = []
  private readonly metas: Array<string | undefined> = []

  constructor(memory: Memory) {
    this.memory = memory
  }

  /** Takes the commit at a place of the batch, and says whether it could. */
  add(commit: Commit, at: number): boolean {
    const only = onlyPut(commit)
    if (only === undefined) return false
    const { key, meta, namespace, value } = only.put
    const space = this.memory.space(namespace)
    const name = keyName(namespace, key)
    if (space === undefined || this.names.has(name)) return false
    this.names.add(name)
    this.places.push(at)
    this.spaces.push(space)
    this.keys.push(key)
    this.revisions.push(only.expected)
    this.ats.push(only.at)
    this.values.push(value)
    this.metas.push(meta)
    return true
  }

  arrays(): ReadonlyArray<Value> {
    return [
      int4s(this.places),
      int4s(this.spaces),
      texts(this.keys),
      this.revisions.every((one) => one === anyRevision) ? null : int8s(this.revisions),
      int8s(this.ats),
      unlessEmpty(texts(this.values.map((value) => typeof value === "string" ? value : undefined))),
      unlessEmpty(byteArrays(this.values.map((value) => typeof value === "string" ? undefined : value))),
      unlessEmpty(texts(this.metas))
    ]
  }
}

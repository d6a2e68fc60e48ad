/** Six functions over maps, as somebody would write them: at once, or by Promises. */
import type { SixEvent, SixFunctions } from "@persist/backend-minimal"

/** What the functions keep. */
export interface Kept {
  readonly streams: Map<string, Array<SixEvent>>
  readonly keys: Map<string, string>
  readonly snapshots: Map<string, string>
}

/** Six functions, and what they keep for a test to look at. */
export interface Six extends SixFunctions {
  readonly kept: Kept
}

/** Functions that answer at once. */
export const atOnce = (): Six => {
  const kept: Kept = { streams: new Map(), keys: new Map(), snapshots: new Map() }
  return {
    kept,
    append: (stream, event) => kept.streams.set(stream, [...kept.streams.get(stream) ?? [], { ...event }]),
    read: (stream) => kept.streams.get(stream)?.map((event) => ({ ...event })),
    kvGet: (key) => kept.keys.get(key),
    kvPut: (key, value) => kept.keys.set(key, value),
    snapshotRead: (name) => kept.snapshots.get(name) ?? null,
    snapshotWrite: (name, snapshot) => kept.snapshots.set(name, snapshot)
  }
}

/** The same, answering a few turns later. */
export const later = (): Six => {
  const { kept, ...six } = atOnce()
  const turns = async <A>(use: () => A): Promise<A> => {
    for (let i = 0; i < 3; i++) await Promise.resolve()
    return use()
  }
  return {
    kept,
    append: (stream, event) => turns(() => six.append(stream, event)),
    read: async (stream) => turns(() => six.read(stream)),
    kvGet: async (key) => turns(() => six.kvGet(key)),
    kvPut: (key, value) => turns(() => six.kvPut(key, value)),
    snapshotRead: async (name) => turns(() => six.snapshotRead(name)),
    snapshotWrite: (name, snapshot) => turns(() => six.snapshotWrite(name, snapshot))
  }
}

/** Verifies the kv: every namespace, every key in its order, every value; and what the store itself keeps there. */
import type { Position, StoredEntry, StoreError, StoreShape } from "@persist/core"
import { compareUtf8, listReaders, nameFault, snapshotNamespace } from "@persist/core"
import { infoOf, readSnapshot } from "@persist/core/snapshot"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { importNamespace, importRecords } from "../import-record.ts"
import type { Findings } from "./finding.ts"
import { payloadFault } from "./payload.ts"

const pageSize = 1000

/** Reads every key; what doesn't fit goes to the findings. */
export const verifyKv = Effect.fnUntraced(function*(
  store: StoreShape,
  head: Position,
  findings: Findings
): Effect.fn.Return<void, StoreError> {
  const revisions = new Map<number, string>()
  const namespaces = yield* Stream.runCollect(store.namespaces())
  findings.counts.namespaces = namespaces.length
  for (const { keys, namespace } of namespaces) {
    const found = yield* verifyNamespace(store, namespace, head, revisions, findings)
    // Keys that were written meanwhile have revisions above the head as it was.
    const where = `namespace ${JSON.stringify(namespace)}`
    if (found.keys !== keys && !found.changed) {
      findings.add(where, `it is listed with ${keys} keys and has ${found.keys}`)
    }
  }
  yield* verifyReaders(store, findings)
  yield* verifyImports(store, findings)
})

const verifyNamespace = Effect.fnUntraced(function*(
  store: StoreShape,
  namespace: string,
  head: Position,
  revisions: Map<number, string>,
  findings: Findings
) {
  const { backend, reading } = store.engine
  const found = { keys: 0, changed: false }
  let last: string | undefined
  while (true) {
    const gte = last === undefined ? undefined : `${last}\u0000`
    const range = { namespace, gte, lt: undefined, limit: pageSize, reverse: false }
    const entries = yield* reading(undefined, backend.scan(range))
    for (const entry of entries) {
      if (last !== undefined && compareUtf8(last, entry.key) >= 0) {
        findings.add(placeOf(entry), `it comes after key ${JSON.stringify(last)}`)
      }
      last = entry.key
      if (entry.revision > head) found.changed = true
      else verifyEntry(store, entry, revisions, findings)
    }
    found.keys += entries.length
    findings.counts.keys += entries.length
    if (entries.length < pageSize) return found
  }
})

const placeOf = ({ key, namespace }: StoredEntry): string =>
  `key ${JSON.stringify(key)} of namespace ${JSON.stringify(namespace)}`

const verifyEntry = (
  store: StoreShape,
  entry: StoredEntry,
  revisions: Map<number, string>,
  findings: Findings
): void => {
  const where = placeOf(entry)
  const other = revisions.get(entry.revision)
  if (other !== undefined) findings.add(where, `its revision ${entry.revision} is also that of ${other}`)
  revisions.set(entry.revision, where)
  const fault = nameFault("key", entry.key, store.about.limits.nameBytes)
  if (fault !== undefined) findings.add(where, fault.message)
  const payload = payloadFault("value", entry.value) ?? payloadFault("meta", entry.meta)
  if (payload !== undefined) findings.add(where, payload)
  if (entry.namespace === snapshotNamespace) verifySnapshot(store, entry, findings)
}

const verifySnapshot = (store: StoreShape, entry: StoredEntry, findings: Findings): void => {
  findings.counts.snapshots++
  const snapshot = readSnapshot(store, entry)
  if (Result.isFailure(snapshot)) return findings.add(placeOf(entry), `it is no snapshot: ${snapshot.failure.reason}`)
  const { position } = infoOf(entry, snapshot.success)
  if (snapshot.success.incarnation === store.about.incarnation && position >= entry.revision) {
    findings.add(placeOf(entry), `it was saved at revision ${entry.revision} and holds events up to ${position}`)
  }
}

const verifyReaders = (store: StoreShape, findings: Findings): Effect.Effect<void, StoreError> =>
  listReaders(store).pipe(
    Effect.map((readers) => {
      findings.counts.readers = readers.length
      for (const { lag, name, position } of readers) {
        if (lag !== undefined) continue
        findings.add(
          `reader ${JSON.stringify(name)}`,
          `its checkpoint, position ${position}, is beyond the head or of another history of the store`
        )
      }
    }),
    Effect.catchTag("Corrupt", ({ reason, where }) => Effect.sync(() => findings.add(where, reason)))
  )

const verifyImports = (store: StoreShape, findings: Findings): Effect.Effect<void, StoreError> =>
  Stream.runDrain(importRecords(store).records.scan()).pipe(
    Effect.catchTag(
      "Corrupt",
      ({ reason, where }) =>
        Effect.sync(() => findings.add(where, `it is no record of an import (${importNamespace}): ${reason}`))
    )
  )

/** A snapshot as JSON and as a row for people. */
import type { SnapshotInfo } from "@persist/core"
import { timeText } from "persist/effect"
import { printable, sized } from "./printable.ts"
import { scopeText } from "./projection-scope.ts"

/** What a snapshot is of, as JSON. */
export const snapshotJson = (snapshot: SnapshotInfo): { readonly [name: string]: unknown } => ({
  ...snapshot,
  savedAt: timeText(snapshot.savedAt)
})

/** What a snapshot is of, on one line. */
export const snapshotRow = ({ position, projection, savedAt, scope, seq, size, version }: SnapshotInfo): string => {
  const place = seq === undefined ? `position ${position}` : `seq ${seq}`
  return printable(`${projection}@${version}  ${scopeText(scope)}  ${place}  ${sized(size)}  ${timeText(savedAt)}`)
}

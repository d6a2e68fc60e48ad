/** Verifies the files beneath a store, where it consists of files of our own: every byte of them. */
import * as Effect from "effect/Effect"
import { verifyFiles } from "persist/effect"
import { Json } from "../output.ts"
import { counted, sized } from "../printable.ts"
import { startProgress } from "../progress.ts"
import { storeUrl } from "../store-url.ts"
import type { Findings } from "./finding.ts"

/** What else is to be said of a store's files: as lines, and as members of the JSON. */
export interface FilesLooked {
  /** The first and the last position that damage is about. */
  readonly damaged: { readonly first: number; readonly last: number } | undefined
  readonly lines: ReadonlyArray<string>
  readonly json: { readonly files?: { readonly [name: string]: number | ReadonlyArray<string> } }
}

interface Span {
  readonly position: number | undefined
  readonly through: number | undefined
}

const spanOf = (damages: ReadonlyArray<Span>): FilesLooked["damaged"] => {
  let span: FilesLooked["damaged"]
  for (const { position, through = position } of damages) {
    if (position === undefined || through === undefined) continue
    span = { first: Math.min(span?.first ?? position, position), last: Math.max(span?.last ?? through, through) }
  }
  return span
}

/** Looks at a store's files, where it has any of our own; what is damaged goes to the findings. */
export const verifyStoredFiles = Effect.fnUntraced(function*(findings: Findings) {
  const url = yield* storeUrl
  const progress = startProgress({ verb: "verified", noun: "file", whole: undefined, json: yield* Json })
  const found = yield* verifyFiles(url, (done, whole) => progress.update({ amount: done / whole, things: done })).pipe(
    Effect.ensuring(Effect.sync(() => progress.clear()))
  )
  if (found === undefined) return { damaged: undefined, lines: [], json: {} }
  const { damages, ...files } = found
  for (const { offset, path, position, reason } of damages) {
    findings.add(`${path}, at byte ${offset}${position === undefined ? "" : `, position ${position}`}`, reason)
  }
  const { entries, frames, kept, records, runs, segments, unfinished } = files
  const lines = [
    `files: ${counted(segments, "segment")} of ${counted(frames, "frame")} and ${counted(records, "record")}, ` +
    `${counted(runs, "run")} of ${counted(entries, "index key")}`,
    ...unfinished === 0 ? [] : [`the log ends in ${sized(unfinished)} that are no whole frame: being written, or torn`],
    ...kept.map((path) => `${path} keeps what was cut off the log when the store was opened`)
  ]
  return { damaged: spanOf(damages), lines, json: { files } } satisfies FilesLooked
})

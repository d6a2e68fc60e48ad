/** What is left at each moment of a script by kill -9 and by a loss of power, and whether that is enough. */
import * as Effect from "effect/Effect"
import { closeSync, cpSync, openSync, readFileSync, statSync, writeSync } from "node:fs"
import { join } from "node:path"
import type { Breach } from "./breach.ts"
import { makeDice } from "./dice.ts"
import type { Message } from "./message.ts"
import { describeMoment, type Moment } from "./moments.ts"
import { writeRemainder } from "./remains.ts"
import type { Call } from "./shim.ts"
import { survey } from "./survey.ts"
import { briefDirectory, type Files } from "./target.ts"

/** How a process ends: killed between two calls, in the middle of a write, or with the machine's power. */
export type Ending =
  | { readonly _tag: "Killed" }
  /** After so many bytes of the write it was about to do. */
  | { readonly _tag: "Torn"; readonly bytes: number }
  /** Of what wasn't synced nothing is left; with a seed any part of it. */
  | { readonly _tag: "Unpowered"; readonly seed: string | undefined }

/** A breach, and when it came about. */
export interface Found extends Breach {
  readonly when: string
}

/** Which endings to look at, at a moment; `next` is the one after it. */
export type Endings = (moment: Moment, next: Moment | undefined) => ReadonlyArray<Ending>

/** All of them: killed before a call, in the middle of a write, and with the power, in two ways. */
export const everyEnding: Endings = (moment, next) => [
  { _tag: "Killed" },
  ...tears(moment, next),
  { _tag: "Unpowered", seed: undefined },
  { _tag: "Unpowered", seed: `${moment.nth}` }
]

/** One at each moment, another one each time; of a row of writes only at some. */
export const inTurn: Endings = (moment, next) => {
  if (isWrite(moment) && next !== undefined && isWrite(next) && moment.nth % 3 > 0) return []
  const all = everyEnding(moment, next)
  return all.slice(moment.nth % all.length).slice(0, 1)
}

const isWrite = ({ call }: Moment): boolean => call?.name === "write"

// Where a write was done is only seen right after it.
const tears = ({ call, nth }: Moment, next: Moment | undefined): ReadonlyArray<Ending> =>
  call?.name === "write" && call.length > 1 && next?.nth === nth + 1
    ? [{ _tag: "Torn", bytes: Math.floor(call.length / 2) }]
    : []

/** Puts into an empty directory what an ending at a moment leaves; `next` is the moment after it. */
const leave = (to: string, moment: Moment, next: Moment | undefined, ending: Ending): void => {
  if (ending._tag === "Unpowered") {
    return writeRemainder(moment.remainder, to, ending.seed === undefined ? undefined : makeDice(ending.seed))
  }
  cpSync(moment.image, to, { recursive: true })
  if (ending._tag === "Torn" && next !== undefined && moment.call !== undefined) {
    tear(join(to, moment.call.path), join(next.image, moment.call.path), moment.call, ending.bytes)
  }
}

/** Does the first bytes of a write, which are found where it was done. */
const tear = (path: string, written: string, { offset }: Call, bytes: number): void => {
  // A write that names no place appends.
  const at = offset < 0 ? statSync(path).size : offset
  const part = readFileSync(written).subarray(at, at + bytes)
  const fd = openSync(path, "r+")
  writeSync(fd, part, 0, part.length, at)
  closeSync(fd)
}

/** What is wrong with a store, given what had been said of it. */
export type Check = (url: string, messages: ReadonlyArray<Message>) => Effect.Effect<ReadonlyArray<Breach>>

/** Checks what endings leave. Gives every breach, and how many endings there were by scene. */
export const sweep = Effect.fnUntraced(function*(
  files: Files,
  moments: ReadonlyArray<Moment>,
  endings: Endings,
  check: Check = survey
) {
  const found: Array<Found> = []
  const counts = new Map<string, number>()
  for (const [n, moment] of moments.entries()) {
    for (const ending of endings(moment, moments[n + 1])) {
      const breaches = yield* Effect.scoped(Effect.flatMap(briefDirectory, (directory) => {
        leave(directory, moment, moments[n + 1], ending)
        return check(files.urlIn(directory), moment.messages)
      }))
      const when = `${JSON.stringify(ending)} in ${describeMoment(moment)}`
      found.push(...breaches.map((breach) => ({ ...breach, when })))
      counts.set(moment.scene, (counts.get(moment.scene) ?? 0) + 1)
    }
  }
  return { found, counts }
})

/** Every moment of a script between two of its system calls, with a copy of what lies on the disk then. */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { cpSync } from "node:fs"
import { join } from "node:path"
import type { SceneName, ScriptCommand } from "./child/script.ts"
import type { Message } from "./message.ts"
import { type Remainder, Remains } from "./remains.ts"
import { start } from "./running.ts"
import { type Call, describeCall, go } from "./shim.ts"
import { type Files, newDirectory } from "./target.ts"

/** A moment: what had been said until then, and what was there. */
export interface Moment {
  /** Which of the script's moments it is; some may have been passed over. */
  readonly nth: number
  /** What the script was at. */
  readonly scene: string
  /** The call that was about to be made; `undefined` at the end. */
  readonly call: Call | undefined
  readonly messages: ReadonlyArray<Message>
  /** A copy of the store's directory. */
  readonly image: string
  readonly remainder: Remainder
}

/** Which script, on which store. */
export interface ScriptOptions {
  readonly files: Files
  /** The shim's. */
  readonly library: string
  readonly name: string
  readonly scenes: ReadonlyArray<SceneName>
  /** The moment at which the store was left to the script; without one the directory is new. */
  readonly from?: Moment
  /** At which calls to take a copy; at all of them by default. */
  readonly at?: (call: Call, nth: number) => boolean
}

/** A moment in words. */
export const describeMoment = ({ call, scene }: Moment): string =>
  `${scene}, before ${call === undefined ? "nothing more" : describeCall(call)}`

/** Runs a script and gives its moments in order; their copies are removed with the scope. */
export const momentsOf = (options: ScriptOptions): Effect.Effect<ReadonlyArray<Moment>, never, Scope> =>
  Effect.gen(function*() {
    const { at = () => true, files: { directory, urlIn }, from, library, name, scenes } = options
    const images = yield* newDirectory
    if (from !== undefined) cpSync(from.image, directory, { recursive: true })
    const remains = new Remains(directory, from?.remainder)
    const messages = [...from?.messages ?? []]
    const moments: Array<Moment> = []
    let scene = "start"
    let nth = 0
    const take = (call: Call | undefined) => {
      const image = join(images, String(moments.length))
      cpSync(directory, image, { recursive: true })
      moments.push({ nth, scene, call, messages: messages.slice(), image, remainder: remains.at(image) })
    }
    const command: ScriptCommand = { url: urlIn(directory), name, scenes }
    const child = yield* start("script.ts", command, {
      onMessage: (message) => {
        messages.push(message)
        if (message._tag === "Mark") scene = message.name
      },
      watch: {
        library,
        directory,
        onCall: (call) => {
          if (at(call, nth)) take(call)
          nth++
          remains.onCall(call)
          return go
        }
      }
    })
    const end = yield* child.ended
    if (end.code !== 0) return yield* Effect.die(new Error(`the script failed: ${end.complaints}`))
    take(undefined)
    return moments
  })

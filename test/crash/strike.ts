/** Failpoints met by real processes: one for each system call of a script and each thing that can become of it. */
import * as Effect from "effect/Effect"
import type { SceneName, ScriptCommand } from "./child/script.ts"
import type { Message } from "./message.ts"
import { start } from "./running.ts"
import { type Call, describeCall, go, type Verdict } from "./shim.ts"
import { survey } from "./survey.ts"
import type { Found } from "./sweep.ts"
import type { TargetInFiles } from "./target.ts"

/** What may become of a call: a name for it, and the verdict where it can. */
export interface Blow {
  readonly name: string
  readonly on: (call: Call) => Verdict | undefined
}

const grows = new Set<Call["name"]>(["write", "truncate", "open", "mkdir", "link", "rename"])

/** All there is: an end before a call, in the middle of a write and after it, and errors. */
export const blows: ReadonlyArray<Blow> = [
  { name: "killed before", on: () => ({ _tag: "Kill" }) },
  {
    name: "killed in the middle",
    on: ({ length, name }) =>
      name === "write" && length > 1 ? { _tag: "Torn", bytes: Math.floor(length / 2) } : undefined
  },
  { name: "killed after", on: () => ({ _tag: "Last" }) },
  { name: "EIO", on: () => ({ _tag: "Fail", errno: "EIO" }) },
  { name: "ENOSPC", on: ({ name }) => grows.has(name) ? { _tag: "Fail", errno: "ENOSPC" } : undefined }
]

/** Which failpoint of which script, on which kind of store. */
export interface Strike {
  readonly target: TargetInFiles
  readonly library: string
  readonly scenes: ReadonlyArray<SceneName>
  /** At which call, from 0. */
  readonly at: number
  readonly blow: Blow
}

/** What came of it: `struck` is false where there was no such call, or it can't be struck so. */
export interface Struck {
  readonly struck: boolean
  readonly found: ReadonlyArray<Found>
}

/** Lets a process do a script until it's struck, and surveys what it leaves. */
export const strike = ({ at, blow, library, scenes, target }: Strike): Effect.Effect<Struck, unknown> =>
  Effect.scoped(Effect.gen(function*() {
    const { files, url } = yield* target.place
    const messages: Array<Message> = []
    let nth = 0
    let when: string | undefined
    const onCall = (call: Call): Verdict => {
      const verdict = nth++ === at ? blow.on(call) : undefined
      if (verdict !== undefined) when = `${blow.name} ${describeCall(call)}, call ${at}`
      return verdict ?? go
    }
    const command: ScriptCommand = { url, name: "s", scenes }
    const child = yield* start("script.ts", command, {
      onMessage: (message) => messages.push(message),
      watch: { library, directory: files.directory, onCall }
    })
    yield* child.ended
    if (when === undefined) return { struck: false, found: [] }
    const described = when
    const breaches = yield* survey(url, messages)
    return { struck: true, found: breaches.map((breach) => ({ ...breach, when: described })) }
  }))

/** How many system calls a script makes. */
export const countCalls = ({ library, scenes, target }: Omit<Strike, "at" | "blow">): Effect.Effect<number, unknown> =>
  Effect.scoped(Effect.gen(function*() {
    const { files, url } = yield* target.place
    let calls = 0
    const onCall = (): Verdict => {
      calls++
      return go
    }
    const command: ScriptCommand = { url, name: "s", scenes }
    const watch = { library, directory: files.directory, onCall }
    const child = yield* start("script.ts", command, { onMessage: () => undefined, watch })
    yield* child.ended
    return calls
  }))

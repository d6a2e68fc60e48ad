/** What befalls one writer: drawn from dice, then carried out as it works. */
import type { Dice } from "./dice.ts"
import type { Message } from "./message.ts"
import type { Hold } from "./running.ts"
import { type Call, go, type Verdict } from "./shim.ts"

/** Which calls an error befalls. */
export type Among = "writes" | "syncs" | "any"

/** What is in store for a writer. */
export type Fate =
  /** It ends by itself, having been asked to after so many messages. */
  | { readonly _tag: "Stop"; readonly messages: number }
  /** It is killed after so many messages: at a random moment, since it goes on meanwhile. */
  | { readonly _tag: "Kill"; readonly messages: number }
  /** It ends at its nth system call: before it, after it, or in the middle of a write. */
  | { readonly _tag: "Cut"; readonly call: number; readonly how: "before" | "middle" | "after"; readonly part: number }
  /** From its nth system call on, so many fail; then it is stopped or killed after some more messages. */
  | {
    readonly _tag: "Fail"
    readonly call: number
    readonly among: Among
    readonly errno: "EIO" | "ENOSPC"
    readonly times: number
    readonly finally: "Stop" | "Kill"
    readonly messages: number
  }
  /** Every nth write does only a part of what it should, and says so. */
  | { readonly _tag: "Shorten"; readonly every: number; readonly part: number; readonly messages: number }

/** Small numbers as often as large ones: what happens at the start is as interesting as what happens later. */
const some = (dice: Dice, most: number): number => dice.below(dice.pick([10, 100, most, most]))

/** Draws a fate. Without a shim to watch system calls it is an end at some moment. */
export const drawFate = (dice: Dice, watched: boolean): Fate => {
  const messages = 10 + some(dice, 1200)
  const call = some(dice, 3000)
  const part = dice.below(1000) / 1000
  const kind = watched ? dice.below(100) : dice.below(40)
  if (kind < 5) return { _tag: "Stop", messages }
  if (kind < 40) return { _tag: "Kill", messages }
  if (kind < 70) return { _tag: "Cut", call, how: dice.pick(["before", "middle", "middle", "after"]), part }
  if (kind < 75) return { _tag: "Shorten", every: 1 + dice.below(20), part, messages }
  const times = dice.pick([1, 1, 1 + dice.below(5), 1 + dice.below(200), Infinity])
  const end = dice.pick<"Stop" | "Kill">(["Stop", "Kill"])
  return dice.percent(50)
    ? { _tag: "Fail", call, among: dice.pick(["writes", "syncs", "any"]), errno: "EIO", times, finally: end, messages }
    : { _tag: "Fail", call, among: "writes", errno: "ENOSPC", times, finally: end, messages }
}

/** A fate in words. */
export const describeFate = (fate: Fate): string => {
  switch (fate._tag) {
    case "Stop":
    case "Kill":
      return `${fate._tag} after ${fate.messages} messages`
    case "Cut":
      return `end ${fate.how} call ${fate.call}`
    case "Fail":
      return `${fate.errno} ${fate.times} times among ${fate.among} from call ${fate.call}, then ${fate.finally}`
    case "Shorten":
      return `every ${fate.every}th write cut short`
  }
}

const grows = new Set<Call["name"]>(["write", "truncate", "open", "mkdir", "link", "rename"])

const isAmong = ({ name }: Call, among: Among): boolean =>
  among === "any" || (among === "syncs" ? name === "fsync" || name === "fdatasync" : grows.has(name))

/** Carries out a fate. */
export class Doom {
  /** Injected errors by name, and writes that were cut short. */
  readonly injected: Array<string> = []
  private readonly fate: Fate
  private heard = 0
  private calls = 0
  /** From how many messages on it is stopped or killed. */
  private end: number

  constructor(fate: Fate) {
    this.fate = fate
    this.end = "messages" in fate && fate._tag !== "Fail" ? fate.messages : Infinity
  }

  /** Takes note of a message, and ends the writer where it's time. */
  onMessage({ _tag }: Message, hold: Hold): void {
    const { fate } = this
    this.heard++
    // A fate that waits for a call that never comes would wait for ever.
    const most = this.end === Infinity ? 1500 : this.end
    if (this.heard !== most || _tag === "Mark") return
    if (fate._tag === "Kill" || (fate._tag === "Fail" && fate.finally === "Kill")) hold.kill()
    else hold.nudge()
  }

  /** Decides on a system call. */
  onCall(call: Call): Verdict {
    const { fate } = this
    const nth = this.calls++
    switch (fate._tag) {
      case "Cut": {
        if (nth < fate.call) return this.pass(fate.call - nth - 1)
        if (fate.how === "middle" && call.name === "write") return { _tag: "Torn", bytes: part(call, fate.part) }
        return { _tag: fate.how === "after" ? "Last" : "Kill" }
      }
      case "Fail": {
        if (nth < fate.call) return this.pass(fate.call - nth - 1)
        if (this.injected.length >= fate.times || !isAmong(call, fate.among)) return go
        if (this.injected.length === 0) this.end = this.heard + fate.messages
        this.injected.push(`${fate.errno} ${call.name}`)
        return { _tag: "Fail", errno: fate.errno }
      }
      case "Shorten": {
        if (call.name !== "write" || call.length < 2 || nth % fate.every !== 0) return go
        this.injected.push("short write")
        return { _tag: "Short", bytes: Math.max(1, part(call, fate.part)) }
      }
      default:
        return this.pass(Number.MAX_SAFE_INTEGER)
    }
  }

  private pass(more: number): Verdict {
    this.calls += more
    return { _tag: "Go", passing: more }
  }
}

const part = ({ length }: Call, of: number): number => Math.min(length - 1, Math.floor(length * of))

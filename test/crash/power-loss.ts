/**
 * A real loss of power, as far as a running machine can have one: the store lies on a file system of its own, in an
 * image file, and the image is copied while the store is written to. What the kernel had not written to it by then
 * isn't in the copy, which is then mounted and compared with all that had been said.
 */
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Breach } from "./breach.ts"
import type { WriterCommand } from "./child/writer.ts"
import { makeDice } from "./dice.ts"
import type { Message } from "./message.ts"
import { start } from "./running.ts"
import { free, go } from "./shim.ts"
import { survey } from "./survey.ts"
import { newDirectory, type TargetInFiles } from "./target.ts"

const imageBytes = 96 * 1024 * 1024

/** Why there can be no loss of power here; `undefined` where there can. */
export const powerLossFault = (): string | undefined => {
  if (process.platform !== "linux") return "loop devices need Linux"
  if (process.getuid?.() !== 0) return "mounting a file system needs root"
  try {
    execFileSync("mkfs.ext4", ["-V"], { stdio: "ignore" })
    execFileSync("losetup", ["--find"], { stdio: "ignore" })
    return undefined
  } catch {
    return "mkfs.ext4 or a free loop device is missing"
  }
}

/** Mounts an image at a new directory until the scope ends. */
const mount = (image: string, at: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      mkdirSync(at)
      execFileSync("mount", ["-o", "loop", image, at])
      return at
    }),
    () => Effect.sync(() => execFileSync("umount", ["--lazy", at]))
  )

/** What is copied, and what had been said by then. */
interface Copy {
  readonly image: string
  readonly messages: number
}

/**
 * Lets a writer at a store on an image of its own, which is copied so many times on the way; gives what is wrong with
 * the copies. Each is made while the writer is about to make a system call, and waits.
 */
export const losePower = Effect.fnUntraced(function*(
  target: TargetInFiles,
  options: { readonly library: string; readonly seed: string; readonly copies: number }
) {
  const { copies, library, seed } = options
  const dice = makeDice(`${seed} power`)
  const directory = yield* newDirectory
  const image = join(directory, "image")
  writeFileSync(image, "")
  truncateSync(image, imageBytes)
  execFileSync("mkfs.ext4", ["-q", "-F", image])
  const mounted = yield* mount(image, join(directory, "mounted"))
  const store = join(mounted, "store")
  mkdirSync(store)
  execFileSync("sync", ["--file-system", mounted])
  const { files: { urlIn } } = yield* target.place
  const messages: Array<Message> = []
  const made: Array<Copy> = []
  let left = dice.below(200)
  const command: WriterCommand = { url: urlIn(store), name: "w", seed, clients: 3, moves: 2000 }
  const child = yield* start("writer.ts", command, {
    onMessage: (message) => messages.push(message),
    watch: {
      library,
      directory: store,
      onCall: () => {
        if (left-- > 0) return go
        left = dice.below(400)
        const copy = join(directory, `copy-${made.length}`)
        execFileSync("cp", ["--sparse=always", image, copy])
        made.push({ image: copy, messages: messages.length })
        if (made.length < copies) return go
        child.nudge()
        return free
      }
    }
  })
  yield* child.ended
  const found: Array<Breach> = []
  for (const [n, { image: copied, messages: heard }] of made.entries()) {
    found.push(
      ...yield* Effect.scoped(
        Effect.flatMap(
          mount(copied, join(directory, `at-${n}`)),
          (at) => survey(urlIn(join(at, "store")), messages.slice(0, heard))
        )
      )
    )
  }
  return { copies: made.length, found }
}, Effect.scoped)

/** Makes one system call after another in a directory, and tells what came of each: `calls.ts JSON`. */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeSync,
  writevSync
} from "node:fs"
import { join } from "node:path"
import { tell } from "../message.ts"
import { commandOf } from "./command.ts"

/** Where it makes them. */
export interface CallsCommand {
  readonly directory: string
}

const { directory } = await commandOf<CallsCommand>()
const path = (name: string) => join(directory, name)

/** Tells what a call gave, or the code of its error. */
const attempt = (call: () => unknown): void => {
  try {
    tell({ _tag: "Mark", name: String(call()) })
  } catch (error) {
    tell({ _tag: "Mark", name: error instanceof Error && "code" in error ? String(error.code) : "?" })
  }
}

const fd = openSync(path("file"), "w+")
const bytes = Buffer.from("0123456789")
attempt(() => writeSync(fd, bytes))
attempt(() => writeSync(fd, bytes, 0, 10, 20))
attempt(() => writevSync(fd, [bytes, bytes], 40))
attempt(() => ftruncateSync(fd, 55))
attempt(() => fsyncSync(fd))
attempt(() => fdatasyncSync(fd))
attempt(() => mkdirSync(path("inner")))
attempt(() => linkSync(path("file"), path("inner/link")))
attempt(() => renameSync(path("inner/link"), path("renamed")))
attempt(() => unlinkSync(path("renamed")))
attempt(() => rmSync(path("inner"), { recursive: true }))
attempt(() => rmSync(path("file")))
closeSync(fd)
process.stdin.destroy()

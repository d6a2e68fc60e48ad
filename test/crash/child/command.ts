/** How every child starts: it takes its command, says that it is ready, and waits until it is let go. */
import { once } from "node:events"
import { flushCompileCache } from "node:module"
import { tell } from "../message.ts"

/** The command in the arguments, once the parent says go. */
export const commandOf = async <A>(): Promise<A> => {
  const command: A = JSON.parse(process.argv[2] ?? "")
  // For those who come after: one that is killed leaves nothing behind.
  flushCompileCache()
  tell({ _tag: "Mark", name: "ready" })
  await once(process.stdin, "data")
  return command
}

/** The start of every child: it says that it is ready and waits until it is let go. */
import { once } from "node:events"

/** Waits for the parent's word. */
export const letGo = async (): Promise<void> => {
  console.log("ready")
  await once(process.stdin, "data")
  process.stdin.pause()
}

/**
 * Follows a store from its end and tells of each order how many milliseconds it took here: by a subscription that keeps
 * its checkpoint in the store; on files, where only one process writes, by one without.
 */
import { anyEvents, open, type Store } from "persist"
import { microseconds } from "../../payload.ts"
import { orderIn } from "../persist-log.ts"

const tell = (event: { readonly data: unknown }): void => {
  const { sent } = orderIn(event)
  if (sent > 0) process.send?.((microseconds() - sent) / 1000)
}

/** Under a name of its own, since what this one hasn't saved is nobody's afterwards. */
const subscribed = async (store: Store): Promise<unknown> => {
  const name = `follower-${process.pid}`
  const { ended } = store.runSubscription({ name, events: anyEvents, from: "end", handle: tell })
  // It stands at the end once it has its checkpoint.
  const standing = async () => {
    while (await store.readCheckpoint(name) === undefined) await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.race([standing(), ended])
  process.send?.("follows")
  return await ended
}

const read = async (store: Store): Promise<void> => {
  const following = store.subscribe({ events: anyEvents, from: "end" })
  process.send?.("follows")
  for await (const event of following) tell(event)
}

process.on("disconnect", () => process.exit())
const [, , url = ""] = process.argv
await using store = await open(url)
await (url.startsWith("file:") ? read(store) : subscribed(store))

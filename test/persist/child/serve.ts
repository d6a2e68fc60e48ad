/** Prints what is appended to a store as a subscription hands it over: `serve.ts URL`. Ends by a line of input. */
import { anyEvents, open } from "persist"

const store = await open(process.argv[2])
const run = store.runSubscription({
  name: "serve",
  events: anyEvents,
  handle: ({ data }) => console.log(JSON.stringify(data))
})
process.stdin.once("data", () => void run.stop().then(() => console.log("stopped")))
// Nothing but the subscription keeps the process alive.
process.stdin.unref()

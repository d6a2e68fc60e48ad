/** `persist init`: makes a store, or shows that there is one. */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { writeResult } from "../output.ts"
import { printable } from "../printable.ts"
import { openStore, shownUrl } from "../store-url.ts"

const run = Effect.fnUntraced(function*() {
  const store = yield* openStore("write")
  const { about: { durability, incarnation, name: backend } } = store
  const [url, head] = [yield* shownUrl, yield* store.head]
  yield* writeResult(
    { store: url, backend, durability, incarnation, head },
    [printable(`${url} is a store: ${backend}, durability ${durability}, ${head === 0 ? "empty" : `head ${head}`}`)]
  )
}, Effect.scoped)

/** The command. */
export const initCommand = Command.make("init", {}, run).pipe(
  Command.withDescription(
    "Make an empty store where there is none; a store that is there already stays as it is. Every command that " +
      "writes does the same by itself."
  ),
  Command.withShortDescription("Make a store"),
  Command.withExamples([
    { command: "persist init", description: "Make sqlite:./persist.db" },
    { command: "persist init --store sqlite:/var/lib/app.db --json", description: "Make another, and say what it is" }
  ])
)

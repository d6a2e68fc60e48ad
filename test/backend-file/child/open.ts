/** Opens the store at a path and says where its head is, or what was wrong: `open.ts PATH READONLY`. */
import { make } from "@persist/backend-file"
import * as Effect from "effect/Effect"
import { letGo } from "../../backend-sqlite/child/ready.ts"

const [path = "", readonly] = process.argv.slice(2)

await letGo()
const said = make({ path, readonly: readonly === "true" }).pipe(
  Effect.flatMap(({ about, head }) => Effect.map(head, (at) => `opened at ${at}, ${about.incarnation}`)),
  Effect.scoped,
  Effect.catch((error) => Effect.succeed(`${error._tag} ${error.message}`))
)
console.log(await Effect.runPromise(said))

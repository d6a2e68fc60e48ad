/** Where a store is when nobody says: in the environment, or else beside the program. */
import * as Config from "effect/Config"

/** The URL of the store: `PERSIST_URL`, or `sqlite:./persist.db` where that isn't set or empty. */
export const storeUrl: Config.Config<string> = Config.withDefault(
  Config.String("PERSIST_URL"),
  "sqlite:./persist.db"
)

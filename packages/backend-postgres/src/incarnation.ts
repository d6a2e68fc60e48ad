/** What an operator says of a store that was restored, copied or moved: that its history is another, or the same. */
import { Invalid, isStoreError, type StoreError } from "@persist/core"
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import { headSql } from "./append-function.ts"
import { channelOf, notifyStatement } from "./changes.ts"
import { type Config, type Settings, settle } from "./config.ts"
import { classify } from "./error.ts"
import { Handle } from "./handle.ts"
import type { Link } from "./link.ts"
import { lockSql } from "./lock-sql.ts"
import { findCurrent } from "./migrate.ts"
import { literal } from "./quote.ts"

/**
 * Gives the store another incarnation, which it answers, and makes it at home in the database that it now lies in;
 * everything else stays as it is. From then on every checkpoint saved before is told to be of another history, so that
 * no reader goes on in one that it never read. For a store whose backup was restored, and for a copy that goes its own
 * way.
 *
 * Whoever has the store open is refused the next commit and the next connection (`Corrupt`: open it again). Fails with
 * `Invalid` for `readonly` and where there is no store, otherwise as opening does; then it may be called again.
 */
export const renewIncarnation = (config: Config): Effect.Effect<string, StoreError> => operate(config, randomUUID())

/**
 * Makes the store at home in the database that it now lies in, and keeps its incarnation, which it answers: for a store
 * that was moved as it is, nothing having been committed to the old one since. Fails as {@link renewIncarnation} does.
 */
export const keepIncarnation = (config: Config): Effect.Effect<string, StoreError> => operate(config, undefined)

const operate = (config: Config, incarnation: string | undefined): Effect.Effect<string, StoreError> =>
  Effect.tryPromise({
    try: async () => {
      const settings = settle(config)
      if (settings.readonly) {
        throw new Invalid({ field: "readonly", reason: "the identity is written", remedy: "leave it out" })
      }
      const handle = new Handle(settings)
      try {
        return await settleHere(await handle.connectOnce(), settings, incarnation)
      } finally {
        await handle.close()
      }
    },
    catch: (cause) => isStoreError(cause) ? cause : classify("open", cause)
  })

// The head moves, so that whoever remembers it looks again and finds the new identity.
const settleHere = async (link: Link, settings: Settings, incarnation: string | undefined): Promise<string> => {
  const { quotedSchema: schema } = settings
  try {
    const found = await findCurrent(link, settings)
    const { cluster, database } = link.facts
    const next = incarnation ?? found.incarnation
    await link.run(
      {
        text: `DO ${
          literal(`DECLARE patience text := ${settings.lockTimeout}; kept bigint; head bigint; BEGIN
      ${lockSql(schema)} ${headSql(schema)}
      UPDATE ${schema}.head h SET position = head + 1 WHERE h.position = kept;
      UPDATE ${schema}.store SET incarnation = ${literal(next)}, cluster = ${
            cluster === undefined ? "NULL" : literal(cluster)
          }, database = ${literal(database)};
      END`)
        }`
      },
      [],
      true
    )
    await link.run(notifyStatement, [channelOf(found.incarnation)])
    return next
  } finally {
    await link.close()
  }
}

/** Asking what became of a commit, so that the answer stays true. */
import type { CommitId, Committed } from "@persist/core"
import { Unavailable } from "@persist/core"
import * as Option from "effect/Option"
import type { Handle, Identity } from "./handle.ts"
import type { Session } from "./link.ts"
import { readRecorded } from "./recorded.ts"
import { toStored } from "./text.ts"

/**
 * What became of a commit. Where nothing is recorded under its id, whatever was sent under it before and may still be
 * on its way is made void first, by a server that may be written to; a handle opened with `readonly` can't do that, and
 * rejects with `Unavailable` instead of answering that it never happened.
 */
export const makeResolve = (handle: Handle, identity: Identity) => (id: CommitId): Promise<Option.Option<Committed>> =>
  handle.again("resolve", async (session) => {
    const { quotedSchema, readonly } = handle.settings
    if (!readonly && !(await ask(session, quotedSchema, identity, handle.settings.lockTimeout, id))) {
      return Option.none()
    }
    const recorded = (await readRecorded(session, handle.queries, [id])).get(id)
    if (recorded !== undefined) return Option.some(recorded.committed)
    throw new Unavailable({
      operation: "resolve",
      reason: "nothing is recorded under this id here, and a handle that only reads can't make sure that it stays so",
      remedy: "ask a handle that writes"
    })
  })

/** Whether something is recorded under an id. If not, nothing that was sent under it until now ever will be. */
export const ask = async (
  session: Session,
  schema: string,
  identity: Identity,
  patience: number | undefined,
  id: CommitId
): Promise<boolean> => {
  const statement = { name: "resolve", text: `SELECT * FROM ${schema}.resolve_1($1, $2, $3)` }
  const [row] = await session.run(statement, [identity.incarnation, patience?.toString() ?? null, toStored(id)], true)
  return row?.[0] === "t"
}

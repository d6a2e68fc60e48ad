/** Opening: whether the server will do, which store is there, whether it belongs there, and what it then promises. */
import type { About, Durability } from "@persist/core"
import { defaultLimits, Denied, Unsupported } from "@persist/core"
import type { SchemaName, Settings } from "./config.ts"
import type { Facts } from "./facts.ts"
import type { Link, Session } from "./link.ts"
import { findCurrent, type Found, prepareStore } from "./migrate.ts"

const oldestVersion = 140_000

/**
 * Finds or makes the store. Throws `Unsupported` for a server that won't do, `Denied` for a store that was made in
 * another database than this, and what {@link prepareStore} throws.
 */
export const openStore = async (link: Link, settings: Settings): Promise<Found> => {
  demandServer(link.facts)
  return atHome(await prepareStore(link, settings), link.facts, settings)
}

/** Finds the store as it is; never makes or migrates one. Throws as {@link openStore}, and `Invalid` where none is. */
export const enterStore = async (session: Session, facts: Facts, name: SchemaName): Promise<Found> => {
  demandServer(facts)
  return atHome(await findCurrent(session, name), facts, name)
}

const atHome = (found: Found, facts: Facts, name: SchemaName): Found => {
  if (isElsewhere(found, facts)) throw copied(name)
  return found
}

/** Whether a store was made in another cluster or database than the one that answers, as far as either is known. */
export const isElsewhere = (found: Found, { cluster, database }: Facts): boolean =>
  found.database !== database ||
  (found.cluster !== undefined && cluster !== undefined && found.cluster !== cluster)

const copied = ({ schema }: SchemaName): Denied =>
  new Denied({
    operation: "open",
    reason: `the store in the schema ${schema} was made in another database, and came here by a dump or a copy`,
    remedy:
      "if it may lack commits that readers have seen, call renewIncarnation; if it was moved as it is, keepIncarnation"
  })

const demandServer = ({ encoding, isolation, version }: Facts): void => {
  if (version < oldestVersion) {
    throw unsupported(`the server's version ${Math.floor(version / 10_000)}`, "use PostgreSQL 14 or later")
  }
  if (encoding !== "UTF8") {
    throw unsupported(
      `the database's encoding ${encoding}`,
      "create a database WITH ENCODING 'UTF8' TEMPLATE template0"
    )
  }
  if (isolation !== "read committed") {
    throw unsupported(
      `the default isolation ${isolation}`,
      "ALTER ROLE (or DATABASE) … SET default_transaction_isolation = 'read committed'"
    )
  }
}

const unsupported = (ability: string, remedy: string): Unsupported =>
  new Unsupported({ backend: "postgres", ability, remedy })

/** What a store says of itself on a server with these settings. */
export const describe = (facts: Facts, incarnation: string): About => ({
  name: "postgres",
  durability: durabilityOf(facts),
  shared: true,
  ambiguous: true,
  lacks: new Set(),
  limits: defaultLimits,
  incarnation
})

// Without its flushes the server may lose what it acknowledged, though not by our own end.
const durabilityOf = ({ fsync, standbys, synchronousCommit }: Facts): Durability => {
  if (!fsync || synchronousCommit === "off") return "process"
  return standbys === "" || synchronousCommit === "local" ? "disk" : "replicated"
}

/** Views by which people read the log in SQL: one for each event type, made on request. */
import type { StoreError } from "@persist/core"
import { isStoreError } from "@persist/core"
import * as Effect from "effect/Effect"
import type { Row } from "./asking.ts"
import { type Config, settle, settleSchema } from "./config.ts"
import { classify } from "./error.ts"
import { Handle } from "./handle.ts"
import type { Link } from "./link.ts"
import { enterStore } from "./open.ts"
import { literal, quoted } from "./quote.ts"
import { fromStored } from "./text.ts"

/** Which views are made, and where. */
export interface ViewsOptions {
  /** The schema for the views, made where it isn't there. Default: the store's, with `_events` behind it. */
  readonly views?: string
  /** The event types; by default all that were ever appended. A type that never was gets no view. */
  readonly types?: ReadonlyArray<string>
}

/** A view that was made. */
export interface View {
  readonly type: string
  /** Its name without the schema, such as `order_placed` for the type `OrderPlaced`. */
  readonly name: string
}

/**
 * Makes a view for each event type, or makes it again: `stream`, `seq`, `position`, `at` (a timestamp; null for a time
 * that SQL hasn't got), `data` and `meta` (json, exactly as they were given), `bytes` and `id`. Names are the types'
 * own in small letters and underscores; where two types come to the same, the later one has a number behind it. Fails
 * as opening does, with `Invalid` where there is no store, and with `Denied` where the role may not make views.
 */
export const createViews = (
  config: Config,
  options: ViewsOptions = {}
): Effect.Effect<ReadonlyArray<View>, StoreError> =>
  Effect.tryPromise({
    try: async () => {
      const settings = settle(config)
      const { quotedSchema: views } = settleSchema(options.views ?? `${settings.schema.slice(0, 50)}_events`)
      const handle = new Handle(settings)
      try {
        const link = await handle.connectOnce()
        handle.adopt(link)
        await enterStore(link, link.facts, settings)
        return await createAll(link, settings.quotedSchema, views, options.types)
      } finally {
        await handle.close()
      }
    },
    catch: (cause) => isStoreError(cause) ? cause : classify("createViews", cause)
  })

const createAll = async (
  link: Link,
  schema: string,
  views: string,
  types: ReadonlyArray<string> | undefined
): Promise<ReadonlyArray<View>> => {
  const rows = await link.run({ text: `SELECT id, name FROM ${schema}.type ORDER BY id` }, [])
  const wanted = named(rows).filter(({ type }) => types === undefined || types.includes(type))
  const statements = wanted.map(({ id, name, type }) => {
    const view = `${views}.${quoted(name)}`
    return `CREATE OR REPLACE VIEW ${view} AS ${viewOf(schema, id)};
      COMMENT ON VIEW ${view} IS ${literal(`Events of the type ${type.replaceAll("\0", "\ufffd")}`)};`
  })
  const [there] = await link.run({ text: `SELECT to_regnamespace(${literal(views)})` }, [])
  await link.run({
    text: [there?.[0] === null ? `CREATE SCHEMA ${views};` : "", ...statements, "SELECT"].join("\n")
  }, [])
  return wanted.map(({ name, type }) => ({ type, name }))
}

const viewOf = (schema: string, type: string): string => `
  SELECT s.name AS stream, e.seq, e.position,
    CASE WHEN e.at BETWEEN -62135596800000 AND 253402300799999 THEN to_timestamp(e.at / 1000.0) END AS at,
    e.data::json AS data, e.meta::json AS meta, e.bytes, e.id
  FROM ${schema}.event e JOIN ${schema}.stream s ON s.id = e.stream
  WHERE e.type = ${type}`

interface Named extends View {
  readonly id: string
}

// In the order of the types' first use, so that a view keeps its name whatever types come later.
const named = (rows: ReadonlyArray<Row>): ReadonlyArray<Named> => {
  const taken = new Set<string>()
  return rows.map(([id, stored]) => {
    const type = fromStored(stored ?? "")
    const plain = plainName(type)
    let name = plain
    for (let tail = `_${id}`; taken.has(name); tail += `_${id}`) name = plain.slice(0, 63 - tail.length) + tail
    taken.add(name)
    return { id: id ?? "", type, name }
  })
}

// 63 bytes are the longest name PostgreSQL keeps; what isn't a letter or a digit of ASCII becomes an underscore.
const plainName = (type: string): string => {
  const words = type.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
  const plain = words.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "").slice(0, 63)
  return plain === "" ? "event" : /^\d/.test(plain) ? `event_${plain}`.slice(0, 63) : plain
}

/** Fingerprints of a schema and of a stored event, by which a snapshot knows what it was made with and from. */
import * as Schema from "effect/Schema"
import type { StoredEvent } from "./backend.ts"
import type { PureSchema } from "./codec.ts"
import { textDigest } from "./digest.ts"

/**
 * Fingerprint of what a schema describes and of how it is written: another one where either changes, the same where
 * only descriptions do. Of a check without a name it is known only that there is one; reading asks it anyway.
 */
export const schemaFingerprint = (schema: PureSchema): string =>
  textDigest(JSON.stringify([shapeOf(Schema.toType(schema)), shapeOf(Schema.toCodecJson(schema))]))

const shapeOf = (schema: PureSchema): string =>
  JSON.stringify(Schema.toRepresentation(schema), (key, value: unknown) =>
    key === "annotations"
      ? undefined
      : typeof value === "bigint" || typeof value === "symbol" || value instanceof RegExp
      ? String(value)
      : value)

/** Fingerprint of an event at its place: two histories that differ in it are not the same. */
export const eventFingerprint = ({ at, data, id, meta, position, seq, stream, type }: StoredEvent): string =>
  textDigest(
    JSON.stringify([
      stream,
      seq,
      position,
      type,
      at,
      typeof data === "string" ? data : Array.from(data),
      meta ?? null,
      id ?? null
    ])
  )

/** The meta of an event as it is stored: the user's own keys, and ours, which start with `$`. */
import * as Result from "effect/Result"
import { Corrupt, Invalid } from "./error.ts"
import type { Meta } from "./event.ts"
import { parseJson, stringifyJson } from "./json.ts"
import { isReserved } from "./name.ts"
import { pathOf } from "./path.ts"

/** Where the version of an event's data is kept; absent for version 1. */
export const versionKey = "$version"

/** Stored meta, taken apart. */
export interface StoredMeta {
  readonly version: number
  readonly meta: Meta | undefined
}

/** Writes meta and version as JSON text, `undefined` for neither; `Invalid` at `field.meta` for a key with a `$`. */
export const encodeMeta = (
  field: string,
  meta: Meta | undefined,
  version: number
): Result.Result<string | undefined, Invalid> => {
  if (meta === undefined) return Result.succeed(version === 1 ? undefined : `{"${versionKey}":${version}}`)
  const own = encodeOwn(`${field}.meta`, meta, isReserved)
  if (Result.isFailure(own)) return Result.fail(own.failure)
  const parts = version === 1 ? own.success : [`"${versionKey}":${version}`, own.success].filter(Boolean).join(",")
  return Result.succeed(parts === "" ? undefined : `{${parts}}`)
}

/** Writes meta that was read raw: the version stays, any other key of ours is `Invalid`. */
export const encodeRawMeta = (
  field: string,
  meta: Meta | undefined
): Result.Result<string | undefined, Invalid> => {
  if (meta === undefined) return Result.succeed(undefined)
  const path = `${field}.meta`
  const own = encodeOwn(path, meta, (key) => isReserved(key) && key !== versionKey)
  if (Result.isFailure(own)) return Result.fail(own.failure)
  const version = versionOf(meta)
  if (version === undefined) {
    return Result.fail(
      new Invalid({ field: pathOf(path, [versionKey]), reason: notVersion, remedy: "pass it as it was read" })
    )
  }
  return Result.succeed(own.success === "" ? undefined : `{${own.success}}`)
}

/** The members of the JSON object that meta is written as. */
const encodeOwn = (
  field: string,
  meta: Meta,
  refused: (key: string) => boolean
): Result.Result<string, Invalid> => {
  if (!isMeta(meta)) return Result.fail(noObject(field))
  for (const key in meta) if (refused(key)) return Result.fail(reservedKey(field, key))
  return Result.map(stringifyJson(field, meta), (text) => text.slice(1, -1))
}

/** Reads stored meta: the user's keys and the version; `Corrupt` where it isn't what `encodeMeta` writes. */
export const decodeMeta = (where: string, text: string | undefined): Result.Result<StoredMeta, Corrupt> => {
  if (text === undefined) return Result.succeed(plain)
  const stored = parseMeta(where, text)
  if (Result.isFailure(stored)) return Result.fail(stored.failure)
  const version = versionOf(stored.success)
  if (version === undefined) return Result.fail(corrupt(pathOf(where, [versionKey]), notVersion))
  return Result.succeed({ version, meta: ownOf(stored.success) })
}

/** The user's keys; the object itself where there are no others, which is what most events have. */
const ownOf = (meta: Meta): Meta | undefined => {
  const keys = Object.keys(meta)
  if (!keys.some(isReserved)) return keys.length === 0 ? undefined : meta
  const own = Object.entries(meta).filter(([key]) => !isReserved(key))
  return own.length === 0 ? undefined : Object.fromEntries(own)
}

/** Reads stored meta with our keys left in; `Corrupt` where it is no JSON object. */
export const decodeRawMeta = (where: string, text: string | undefined): Result.Result<Meta | undefined, Corrupt> =>
  text === undefined ? Result.succeed(undefined) : parseMeta(where, text)

const parseMeta = (where: string, text: string): Result.Result<Meta, Corrupt> => {
  const parsed = parseJson(where, text)
  if (Result.isFailure(parsed)) return Result.fail(parsed.failure)
  return isMeta(parsed.success) ? Result.succeed(parsed.success) : Result.fail(corrupt(where, "expected a JSON object"))
}

const versionOf = (meta: Meta): number | undefined => {
  if (!Object.hasOwn(meta, versionKey)) return 1
  const version = meta[versionKey]
  return typeof version === "number" && Number.isSafeInteger(version) && version >= 1 ? version : undefined
}

const notVersion = "expected a version, which is an integer from 1"

const isMeta = (value: unknown): value is Meta => typeof value === "object" && value !== null && !Array.isArray(value)

const corrupt = (where: string, reason: string): Corrupt =>
  new Corrupt({ where, reason, remedy: "restore it from a backup or another copy" })

const plain: StoredMeta = { version: 1, meta: undefined }

const noObject = (field: string): Invalid =>
  new Invalid({ field, reason: "expected an object of JSON values", remedy: "pass an object, or leave it out" })

const reservedKey = (field: string, key: string): Invalid =>
  new Invalid({
    field: pathOf(field, [key]),
    reason: "keys that start with $ are the store's own",
    remedy: "use a key that doesn't start with $"
  })

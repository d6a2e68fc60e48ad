/** Objects in a tree's files, member by member: each value stays the text it is. */
import type { Payload } from "@persist/core"
import { Invalid } from "@persist/core"
import * as Result from "effect/Result"
import { compact, jsonFault, members } from "./json-text.ts"

/** A fault of a tree's file. */
export const wrong = (path: string, reason: string, remedy: string): Invalid =>
  new Invalid({ field: path, reason, remedy: `${remedy}, then import again` })

/** The refusal of a file that holds something whose file is called otherwise. */
export const misplaced = (path: string, right: string, what: string): Invalid =>
  wrong(path, `isn't where ${what} belongs`, `move it to ${right}`)

/** A payload as a member of a JSON object: bytes under another name, as base64. */
export const payloadMember = (name: string, payload: Payload): string =>
  typeof payload === "string"
    ? `"${name}":${compact(payload)}`
    : `"${name}_base64":"${Buffer.from(payload).toString("base64")}"`

/** The text of a file that holds JSON; a byte order mark is passed over. */
export const jsonText = (path: string, content: Uint8Array): Result.Result<string, Invalid> => {
  const text = utf8Text(content)
  const fault = text === undefined ? "is no UTF-8 text" : jsonFault(text)
  return text === undefined || fault !== undefined
    ? Result.fail(wrong(path, fault ?? "", "mend it"))
    : Result.succeed(text)
}

const decoder = new TextDecoder("utf-8", { fatal: true })

/** Decodes UTF-8, without its byte order mark; `undefined` where it is none. */
export const utf8Text = (content: Uint8Array): string | undefined => {
  try {
    return decoder.decode(content)
  } catch {
    return undefined
  }
}

/** Reads an object of known members, each of them once; the values are the text they are. */
export const readObject = (
  path: string,
  text: string,
  known: ReadonlyArray<string>
): Result.Result<ReadonlyMap<string, string>, Invalid> => {
  const found = members(text)
  if (found === undefined) return Result.fail(wrong(path, "is no JSON object", `write ${known.join(", ")}`))
  const byName = new Map<string, string>()
  for (const [name, value] of found) {
    if (!known.includes(name)) {
      return Result.fail(wrong(path, `${JSON.stringify(name)} is unknown here`, `write only ${known.join(", ")}`))
    }
    if (byName.has(name)) return Result.fail(wrong(path, `"${name}" stands there twice`, "leave one of the two"))
    byName.set(name, value)
  }
  return Result.succeed(byName)
}

/** The payload among an object's members, under its name or as base64. */
export const payloadOf = (
  path: string,
  name: string,
  found: ReadonlyMap<string, string>
): Result.Result<Payload, Invalid> => {
  const [text, base64] = [found.get(name), found.get(`${name}_base64`)]
  if ((text === undefined) === (base64 === undefined)) {
    const reason = text === undefined ? `"${name}" is missing` : `"${name}" is given beside "${name}_base64"`
    return Result.fail(wrong(path, reason, `write one of "${name}" and "${name}_base64"`))
  }
  if (text !== undefined) return Result.succeed(text)
  const encoded: unknown = JSON.parse(base64 ?? "")
  const bytes = typeof encoded === "string" ? Buffer.from(encoded, "base64") : undefined
  return bytes !== undefined && bytes.toString("base64") === encoded
    ? Result.succeed(new Uint8Array(bytes))
    : Result.fail(wrong(path, `"${name}_base64" is no base64 text`, "encode the bytes as base64 with its padding"))
}

/** The metadata among an object's members, as the text it is. */
export const metaOf = (
  path: string,
  found: ReadonlyMap<string, string>
): Result.Result<string | undefined, Invalid> => {
  const meta = found.get("meta")
  return meta === undefined || meta.startsWith("{")
    ? Result.succeed(meta)
    : Result.fail(wrong(path, `"meta" is no object`, "write an object, or leave it out"))
}

/** The text among an object's members under this name; `undefined` where it isn't there. */
export const textOf = (
  path: string,
  name: string,
  found: ReadonlyMap<string, string>
): Result.Result<string | undefined, Invalid> => {
  const value: unknown = JSON.parse(found.get(name) ?? "null")
  return typeof value === "string" || !found.has(name)
    ? Result.succeed(typeof value === "string" ? value : undefined)
    : Result.fail(wrong(path, `"${name}" is no string`, "write a string"))
}

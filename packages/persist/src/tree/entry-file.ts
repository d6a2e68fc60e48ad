/** A key's value as a file: what is in it, and what it says when it's read. */
import { Corrupt, type Invalid } from "@persist/core"
import * as Result from "effect/Result"
import { meantBy } from "./file-name.ts"
import { jsonText, metaOf, misplaced, payloadMember, payloadOf, readObject, textOf, wrong } from "./file-object.ts"
import { compact, jsonFault, pretty } from "./json-text.ts"
import { formOf, keyPath, type KeyPlace, type ValueFile, valueFileOf } from "./tree-path.ts"

/** A file of a tree: where it is, and all that's in it. */
export interface TreeFile {
  readonly path: string
  readonly content: string | Uint8Array
}

/** The file of a key; `Corrupt` where what is stored isn't the JSON that it says it is. */
export const entryFile = (entry: KeyPlace): Result.Result<TreeFile, Corrupt> => {
  const { key, meta, namespace, value } = entry
  for (const text of [value, meta]) {
    const fault = typeof text === "string" ? jsonFault(text) : undefined
    if (fault !== undefined) return Result.fail(notJson(entry, fault))
  }
  const { path, whole } = keyPath(entry)
  const form = formOf(entry, whole)
  if (form !== ",entry.json") {
    return Result.succeed({ path: path + form, content: typeof value === "string" ? `${pretty(value)}\n` : value })
  }
  const names = whole ? [] : [`"namespace":${JSON.stringify(namespace)},"key":${JSON.stringify(key)}`]
  const text = [...names, ...(meta === undefined ? [] : [`"meta":${meta}`]), payloadMember("value", value)].join()
  return Result.succeed({ path: path + form, content: `${pretty(`{${text}}`)}\n` })
}

const notJson = ({ key, namespace }: KeyPlace, fault: string): Corrupt =>
  new Corrupt({
    where: `key ${JSON.stringify(key)} of namespace ${JSON.stringify(namespace)}`,
    reason: `what is stored ${fault}`,
    remedy: "put it again, or restore it from a backup"
  })

/** Reads a key's file; `Invalid`, naming it, where it isn't one. White space between JSON's tokens means nothing. */
export const readEntryFile = (path: string, content: Uint8Array): Result.Result<KeyPlace, Invalid> => {
  const file = valueFileOf(path)
  if (file === undefined) return Result.fail(misnamed(path))
  const { form, key = "", namespace = "" } = file
  if (form === ".bin") return Result.succeed({ namespace, key, value: new Uint8Array(content), meta: undefined })
  const text = jsonText(path, content)
  if (Result.isFailure(text)) return Result.fail(text.failure)
  return form === ".json"
    ? Result.succeed({ namespace, key, value: compact(text.success), meta: undefined })
    : Result.flatMap(readObject(path, text.success, known), (found) => readEntry(path, file, found))
}

const known = ["namespace", "key", "meta", "value", "value_base64"]

const readEntry = (
  path: string,
  file: ValueFile,
  found: ReadonlyMap<string, string>
): Result.Result<KeyPlace, Invalid> =>
  Result.gen(function*() {
    const namespace = (yield* textOf(path, "namespace", found)) ?? file.namespace
    const key = (yield* textOf(path, "key", found)) ?? file.key
    if (namespace === undefined || key === undefined) return yield* Result.fail(misnamed(path))
    const entry = {
      namespace,
      key,
      value: yield* payloadOf(path, "value", found),
      meta: yield* metaOf(path, found)
    }
    const place = keyPath(entry)
    const right = place.path + formOf(entry, place.whole)
    return right === path ? entry : yield* Result.fail(misplaced(path, right, `the key ${JSON.stringify(key)}`))
  })

const misnamed = (path: string): Invalid => {
  const [, directory = "", rest = "", form = ""] = /^[^/]*\/([^/]+)\/(.+?)((?:\.json|\.bin)?)$/s.exec(path) ?? []
  const [namespace, key] = [meantBy(directory), meantBy(rest)]
  if (form === "" || !namespace || !key) {
    return wrong(path, "is no value's file", "remove it, or name it namespace/key.json")
  }
  return misplaced(path, keyPath({ namespace, key }).path + form, `the key ${JSON.stringify(key)}`)
}

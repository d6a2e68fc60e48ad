/** Where things are in a tree: one file for each key's value, one for each thousand events of a stream. */
import type { Payload } from "@persist/core"
import { directoryOf, nameOf, namespaceOf, pathOf } from "./file-name.ts"

/** Where the values are, a directory for each namespace. */
export const valuesDirectory = "kv"

/** Where the streams are. */
export const streamsDirectory = "log"

/** What tells a tree from other directories, and how far it has come. */
export const markerPath = "persist-tree.json"

/** Where files are written before they get their names; nothing that stays is in it. */
export const deskDirectory = ".persist"

/** How many seqs share a file: what's rewritten for one more event, and what a reviewer opens. */
export const seqsPerFile = 1000

/** How a file holds a value: as the JSON it is, as the bytes it is, or as an object with whatever else there is. */
export type Form = ".json" | ".bin" | ",entry.json"

const forms: ReadonlyArray<Form> = [",entry.json", ".json", ".bin"]

/** What decides where a key's file is. */
export interface KeyPlace {
  readonly namespace: string
  readonly key: string
  readonly value: Payload
  readonly meta: string | undefined
}

/** The directory of a namespace's values. */
export const namespacePath = (namespace: string): string => `${valuesDirectory}/${directoryOf(namespace).path}`

/** The path of a key's file without its form, and whether both names can be read from it. */
export const keyPath = ({ key, namespace }: { readonly namespace: string; readonly key: string }) => {
  const directory = directoryOf(namespace)
  const file = pathOf(key)
  return { path: `${namespacePath(namespace)}/${file.path}`, whole: directory.whole && file.whole }
}

/** How a key's file holds it: names that don't fit into its path, and metadata, need an object around the value. */
export const formOf = ({ meta, value }: KeyPlace, whole: boolean): Form =>
  meta !== undefined || !whole ? ",entry.json" : typeof value === "string" ? ".json" : ".bin"

/** The paths that a key's file may have had, but for the one of its form; without a form, all of them. */
export const otherForms = (form: Form | undefined, path: string): ReadonlyArray<string> =>
  forms.filter((other) => other !== form).map((other) => path + other)

/** The first seq of the file that a seq is in. */
export const fileStart = (seq: number): number => seq - (seq - 1) % seqsPerFile

/** The path of the file that holds a stream's events from a {@link fileStart} on, and whether it tells the name. */
export const eventsPath = (stream: string, start: number) => {
  const { path, whole } = pathOf(stream)
  return { path: `${streamsDirectory}/${path}${start === 1 ? "" : `,from${start}`}.ndjson`, whole }
}

/** A value's file by its path; names that don't stand in it are `undefined`. */
export interface ValueFile {
  readonly namespace: string | undefined
  readonly key: string | undefined
  readonly form: Form
}

/** What the path of a file among the values says; `undefined` where no value's file is called like that. */
export const valueFileOf = (path: string): ValueFile | undefined => {
  const [, directory = "", rest = ""] = /^[^/]*\/([^/]+)\/(.+)$/s.exec(path) ?? []
  const form = forms.find((one) => rest.endsWith(one))
  if (form === undefined) return undefined
  const [namespace, key] = [namespaceOf(directory), nameOf(rest.slice(0, -form.length))]
  const readable = namespace !== undefined && key !== undefined
  return readable || form === ",entry.json" ? { namespace, key, form } : undefined
}

/** A stream's file by its path: what it has in common with the stream's other files, and its first seq. */
export interface EventsFile {
  readonly streamPath: string
  /** `undefined` where the name doesn't stand in the path. */
  readonly stream: string | undefined
  readonly start: number
}

/** What the path of a file among the streams says; `undefined` where no stream's file is called like that. */
export const eventsFileOf = (path: string): EventsFile | undefined => {
  const [, streamPath, from = "1"] = /^[^/]*\/(.+?)(?:,from([1-9]\d{0,15}))?\.ndjson$/s.exec(path) ?? []
  const start = Number(from)
  return streamPath === undefined || fileStart(start) !== start
    ? undefined
    : { streamPath, stream: nameOf(streamPath), start }
}

/** Lines of a history as rows with numbers for names: the same wherever they are kept by hand. */
import { readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"

/** As many as the importer flushes at once where they are small. */
const batch = 1000

/** Cuts a file of lines, which may be gzipped, into what is flushed at once. */
export const batchesOf = function*(path: string): Generator<ReadonlyArray<string>> {
  const file = readFileSync(path)
  const lines = (path.endsWith(".gz") ? gunzipSync(file) : file).toString().trimEnd().split("\n")
  for (let n = 0; n < lines.length; n += batch) yield lines.slice(n, n + batch)
}

/** What is done with a name that is met for the first time, and with its number. */
type Naming = (id: number, name: string) => void

/** An event as it's kept: its stream and its type by their numbers. */
export interface EventRow {
  readonly position: number
  readonly stream: number
  readonly seq: number
  readonly type: number
  readonly at: number
  readonly data: string
}

const numbersOf = (add: Naming) => {
  const ids = new Map<string, number>()
  return (name: string): number => {
    const known = ids.get(name)
    if (known !== undefined) return known
    const id = ids.size + 1
    ids.set(name, id)
    add(id, name)
    return id
  }
}

/** Makes rows of the lines for an empty store, in their order: nothing checked. Calls back for names it hasn't met. */
export const rowsFor = (addStream: Naming, addType: Naming): (line: string) => EventRow => {
  const [streamId, typeId] = [numbersOf(addStream), numbersOf(addType)]
  const last = new Map<number, number>()
  let position = 0
  return (line) => {
    const { at, data, stream: name, type } = JSON.parse(line)
    const stream = streamId(name)
    const seq = (last.get(stream) ?? 0) + 1
    last.set(stream, seq)
    return { position: ++position, stream, seq, type: typeId(type), at: Date.parse(at), data: JSON.stringify(data) }
  }
}

/** Files of results: whole at every moment, and what is to be done where one can't be read. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { basename } from "node:path"
import { Unusable } from "../harness/unusable.ts"

/** What a file of JSON holds; `undefined` where there is none. Throws `Unusable` where it isn't JSON of an object. */
export const readKept = <A extends object>(path: string): A | undefined => {
  if (!existsSync(path)) return undefined
  const remedy = "restore it (git checkout bench), or remove it"
  try {
    const kept: unknown = JSON.parse(readFileSync(path, "utf8"))
    if (typeof kept === "object" && kept !== null && !Array.isArray(kept)) return kept as A // Only the bench writes it.
  } catch (cause) {
    throw new Unusable(`bench/${basename(path)} can't be read: ${remedy}`, { cause })
  }
  throw new Unusable(`bench/${basename(path)} isn't what the bench writes: ${remedy}`)
}

/** Writes a file in place of what is there, which stays whole even where this process ends while it writes. */
export const replaceFile = (path: string, text: string): void => {
  const next = `${path}.${process.pid}.new`
  try {
    writeFileSync(next, text)
    renameSync(next, path)
  } catch (error) {
    rmSync(next, { force: true })
    throw error
  }
}

/** Loads libraries that the bench compares with: from here, so that what is installed beside this file is found. */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"

/** A library by its name, as the caller knows it; rejects where it isn't installed. */
export const loadPeer = async <Library>(name: string): Promise<Library> => await import(name) as Library // its own word

/** The URL of a file of a library; throws where it isn't installed. */
export const peerFile = (name: string): URL => pathToFileURL(createRequire(import.meta.url).resolve(name))

/** The version of a library that is found from here; `undefined` where it isn't installed. */
export const versionOf = (name: string): string | undefined => {
  // Not by `resolve`: a package need not let others see its package.json.
  for (const directory of ["node_modules", "../../node_modules"]) {
    try {
      const { version } = JSON.parse(
        readFileSync(new URL(`${directory}/${name}/package.json`, import.meta.url), "utf8")
      )
      return version
    } catch {
      // It may lie further up.
    }
  }
  return undefined
}

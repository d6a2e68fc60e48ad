/** Files that are whole at every moment. */
import { renameSync, writeFileSync } from "node:fs"

/** Writes a file in place of what is there, which stays whole even where this process ends while it writes. */
export const replaceFile = (path: string, text: string): void => {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

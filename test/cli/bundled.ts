/**
 * The program in a few files instead of a thousand modules, which takes a third of the time to start; that Node runs it
 * from its many files, as users do, is what test/tidy/packaging.test.ts is for.
 */
import { createHash } from "node:crypto"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { rolldown } from "rolldown"
import { root } from "../tidy/tree.ts"

const cli = join(root, "packages/cli")
const parent = join(root, ".cache/cli")

const sourcesOf = (home: string): ReadonlyArray<string> =>
  readdirSync(join(home, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => join(home, "src", path))

// Whatever of the project can be in it, and the lock for all the rest.
const fingerprint = (): string => {
  const packages = readdirSync(join(root, "packages")).map((name) => join(root, "packages", name))
  const sources = [...packages, join(root, "conformance")].flatMap(sourcesOf).toSorted()
  const hash = createHash("sha256")
  for (const path of [join(root, "package-lock.json"), import.meta.filename, ...sources]) {
    hash.update(path).update("\0").update(readFileSync(path))
  }
  return hash.digest("hex").slice(0, 20)
}

// Another process may be about to start one that has just been replaced.
const lingers = 3_600_000

const removeOld = (): void => {
  for (const name of readdirSync(parent)) {
    const path = join(parent, name)
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity)
    if (age > lingers) rmSync(path, { recursive: true, force: true })
  }
}

const make = async (directory: string): Promise<void> => {
  mkdirSync(parent, { recursive: true })
  removeOld()
  const made = mkdtempSync(join(parent, "making-"))
  cpSync(join(cli, "package.json"), join(made, "package.json"))
  const bundle = await rolldown({
    input: join(cli, "src/bin.ts"),
    platform: "node",
    external: ["better-sqlite3", "pg"], // They load parts of themselves by paths of their own.
    resolve: { conditionNames: ["source", "import", "node", "default"] }
  })
  const names = { entryFileNames: "bin.mjs", chunkFileNames: "[name]-[hash].mjs" }
  await bundle.write({ dir: join(made, "bin"), format: "esm", ...names })
  try {
    renameSync(made, directory)
  } catch {
    rmSync(made, { recursive: true, force: true }) // Somebody else made the same one meanwhile.
  }
}

/** The path of the program's first file; made where these sources' isn't there yet. */
export const bundledProgram = async (): Promise<string> => {
  const directory = join(parent, fingerprint())
  if (statSync(directory, { throwIfNoEntry: false }) === undefined) await make(directory)
  return join(directory, "bin/bin.mjs")
}

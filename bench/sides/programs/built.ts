/** Programs of the bench as JavaScript in files of their own, as a published package has it: nothing strips types. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { rolldown } from "rolldown"

// Below the root, where what isn't the project's own is found.
const parent = fileURLToPath(new URL("../../../.cache/bench", import.meta.url))

const isOurs = (id: string): boolean => /^([./]|@persist\/|persist$)/.test(id)

const build = async (names: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  mkdirSync(parent, { recursive: true })
  const directory = mkdtempSync(join(parent, "programs-"))
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }))
  const input = names.map((name) => fileURLToPath(new URL(`${name}.ts`, import.meta.url)))
  const sources = await rolldown({
    input,
    platform: "node",
    treeshake: false,
    external: (id) => !isOurs(id),
    resolve: { conditionNames: ["source", "import", "node", "default"] }
  })
  const { output } = await sources.write({
    dir: directory,
    format: "esm",
    preserveModules: true,
    entryFileNames: "[name].mjs"
  })
  await sources.close()
  return input.map((path) => {
    const made = output.find((chunk) => chunk.type === "chunk" && chunk.facadeModuleId === path)
    if (made === undefined) throw new Error(`nothing was made of ${path}`)
    return join(directory, made.fileName)
  })
}

const built = new Map<string, Promise<ReadonlyArray<string>>>()

/** Writes programs of this directory, once; their paths, which are there as long as this process. */
export const buildPrograms = (...names: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const known = built.get(names.join()) ?? build(names)
  built.set(names.join(), known)
  return known
}

/** The project as the house rules see it: paths, texts and what a parser makes of them. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, posix } from "node:path"
import { fileURLToPath } from "node:url"
import { parseSync } from "rolldown/utils"

/** Files by their path from the project's root, with forward slashes. */
export interface Tree {
  readonly paths: ReadonlySet<string>
  readonly text: (path: string) => string
}

/** What a parser makes of one TypeScript file. */
export type Source = ReturnType<typeof parseSync> & { readonly path: string; readonly text: string }

/** Where the project is. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "../..")

const passedOver = new Set(["node_modules", "dist", "coverage", ".git", ".cache"])

const walk = (directory: string): Array<string> =>
  readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry) => {
    if (passedOver.has(entry.name)) return []
    const path = posix.join(directory, entry.name)
    return entry.isDirectory() ? walk(path) : [path]
  })

/** The project's own tree, as it is on disk. */
export const projectTree = (): Tree => {
  const texts = new Map<string, string>()
  return {
    paths: new Set(walk("")),
    text: (path) => {
      const text = texts.get(path) ?? readFileSync(join(root, path), "utf8")
      texts.set(path, text)
      return text
    }
  }
}

/** A tree made of the texts given. */
export const treeOf = (files: Readonly<Record<string, string>>): Tree => ({
  paths: new Set(Object.keys(files)),
  text: (path) => files[path] ?? ""
})

/** Whether a path of the project names a file or directory of the tree, or one that a build or an install makes. */
export const exists = (tree: Tree, path: string): boolean =>
  tree.paths.has(path) || [...tree.paths].some((other) => other.startsWith(`${path}/`)) ||
  path.split("/").some((part) => passedOver.has(part)) && existsSync(join(root, path))

const parsed = new WeakMap<Tree, Map<string, Source>>()

/** Parses one file of the tree, once. Throws where it isn't TypeScript. */
export const sourceOf = (path: string, tree: Tree): Source => {
  const sources = parsed.get(tree) ?? new Map<string, Source>()
  parsed.set(tree, sources)
  const known = sources.get(path)
  if (known !== undefined) return known
  const text = tree.text(path)
  const { comments, errors, module, program } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path} can't be parsed: ${errors[0]?.message}`)
  const source = { path, text, comments, errors, module, program }
  sources.set(path, source)
  return source
}

/** The line, from 1, of an offset. */
export const lineAt = (text: string, offset: number): number => {
  let line = 1
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line++
  return line
}

/** One module that a file asks for: `specifier` as written. */
export interface Import {
  readonly specifier: string
  readonly line: number
}

/** Every module a file names: imports, re-exports, literal `import()` and `new URL("./x.ts", import.meta.url)`. */
export const importsOf = ({ module, text }: Source): ReadonlyArray<Import> => {
  const found: Array<Import> = []
  const add = (specifier: string, start: number) => found.push({ specifier, line: lineAt(text, start) })
  for (const { moduleRequest, start } of module.staticImports) add(moduleRequest.value, start)
  for (const { entries, start } of module.staticExports) {
    const request = entries.find(({ moduleRequest }) => moduleRequest !== null)?.moduleRequest
    if (request) add(request.value, start)
  }
  for (const { moduleRequest, start } of module.dynamicImports) {
    const literal = /^"([^"]+)"$/.exec(text.slice(moduleRequest.start, moduleRequest.end))?.[1]
    if (literal !== undefined) add(literal, start)
  }
  for (const match of text.matchAll(/new URL\("(\.[^"]+\.ts)", import\.meta\.url\)/g)) add(match[1] ?? "", match.index)
  return found
}

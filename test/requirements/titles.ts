/** The titles of a test file as its source has them, without running it. */
import { Visitor } from "rolldown/utils"
import { sourceOf, type Tree } from "../tidy/tree.ts"

/** The titles that stand in one file; places to fill (`%s`, `$name`, `${name}`) are left as they are written. */
export interface Titles {
  readonly tests: ReadonlySet<string>
  readonly groups: ReadonlySet<string>
}

const call = /^(describe|it|test)((?:\.\w+)*)(?:<.*>)?(?:\(.*\))?$/s
const leftOut = /\.(skip|todo|only|skipIf|runIf|fails)\b/

/** Finds the titles of a file; those of what is skipped, or still to be written, aren't among them. */
export const titlesOf = (path: string, tree: Tree): Titles => {
  const tests = new Set<string>()
  const groups = new Set<string>()
  const source = sourceOf(path, tree)
  const { text } = source
  new Visitor({
    CallExpression: ({ arguments: [title], callee }) => {
      const [, verb, modifiers = ""] = call.exec(text.slice(callee.start, callee.end)) ?? []
      if (verb === undefined || title === undefined || leftOut.test(modifiers)) return
      const written = title.type === "Literal" && typeof title.value === "string"
        ? title.value
        : title.type === "TemplateLiteral"
        ? text.slice(title.start + 1, title.end - 1)
        : undefined
      if (written !== undefined) (verb === "describe" ? groups : tests).add(written)
    }
  }).visit(source.program)
  return { tests, groups }
}

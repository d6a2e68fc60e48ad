/** What a house rule is: a sentence, the files it is about, how it finds fault, and samples that prove that it can. */
import type { Source, Tree } from "./tree.ts"
import { lineAt } from "./tree.ts"

/** One thing that is wrong with a file, at a line from 1. */
export interface Fault {
  readonly line: number
  readonly what: string
}

/** Texts by path, small enough to be read at a glance. */
export type Sample = Readonly<Record<string, string>>

/** A rule over the whole project, told file by file. */
export interface Rule {
  /** The rule itself, in one sentence. */
  readonly name: string
  /** Whether the file at this path is one the rule is about. */
  readonly covers: (path: string) => boolean
  /** What is wrong with one covered file. */
  readonly faults: (path: string, tree: Tree) => ReadonlyArray<Fault>
  /** Each of these must be found fault with. */
  readonly bad: ReadonlyArray<Sample>
  /** None of these may be. */
  readonly good: ReadonlyArray<Sample>
}

/** A fault at an offset of a source. */
export const faultAt = ({ text }: Pick<Source, "text">, offset: number, what: string): Fault => ({
  line: lineAt(text, offset),
  what
})

/** Every fault a rule finds in a tree, as `path:line what`. */
export const findings = (rule: Rule, tree: Tree): ReadonlyArray<string> =>
  [...tree.paths].filter(rule.covers).sort().flatMap((path) =>
    rule.faults(path, tree).map(({ line, what }) => `${path}:${line} ${what}`)
  )

/** Whether a path is that of TypeScript somebody installs. */
export const isPublished = (path: string): boolean => /^(packages\/[^/]+|conformance)\/src\/.+\.ts$/.test(path)

/** Whether a path is that of TypeScript written here, published or not. */
export const isCode = (path: string): boolean =>
  /^((packages|conformance|test|examples|bench|\.ci)\/.+|[^/]+)\.ts$/.test(path)

/** Whether a path is that of a test or of something a test uses. */
export const isProof = (path: string): boolean => /^(test|conformance\/(src|test))\/.+\.ts$/.test(path)

/** Whether a path is that of prose. */
export const isProse = (path: string): boolean => path.endsWith(".md")

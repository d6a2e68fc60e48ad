/** What is written beside the code: plans with a status, links that lead somewhere, and nothing of one machine. */
import { posix } from "node:path"
import type { Rule } from "./rule.ts"
import { faultAt, isCode, isProse } from "./rule.ts"
import type { Tree } from "./tree.ts"
import { exists } from "./tree.ts"

const isPlan = (path: string): boolean => /^plans\/\d[^/]*\.md$/.test(path)

const planStatus: Rule = {
  name: "every plan says its status: Draft, Accepted, Landed or Withdrawn",
  covers: isPlan,
  faults: (path, tree) =>
    /^\**Status:\**\s*(Draft|Accepted|Landed|Withdrawn)\b/m.test(tree.text(path))
      ? []
      : [{ line: 1, what: "has no line `Status: Draft | Accepted | Landed | Withdrawn`" }],
  bad: [{ "plans/001-a.md": "# A\n" }, { "plans/001-a.md": "# A\n\nStatus: maybe\n" }],
  good: [{ "plans/001-a.md": "# A\n\nStatus: Accepted, 2026\n" }, { "plans/001-a.md": "**Status:** Landed" }]
}

const planIndex: Rule = {
  name: "every file in plans/ is linked from plans/README.md",
  covers: (path) => /^plans\/[^/]+\.md$/.test(path) && path !== "plans/README.md",
  faults: (path, tree) =>
    tree.paths.has("plans/README.md") && tree.text("plans/README.md").includes(`](${posix.basename(path)})`)
      ? []
      : [{ line: 1, what: "isn't in the index, plans/README.md" }],
  bad: [{ "plans/001-a.md": "" }, { "plans/001-a.md": "", "plans/README.md": "# Plans\n001-a.md\n" }],
  good: [{ "plans/001-a.md": "", "plans/README.md": "- [A](001-a.md)" }]
}

/** Prose without its code, every character kept in its place. */
const withoutCode = (text: string): string =>
  text.replace(/^(`{3,})[^]*?^\1|`[^`\n]*`/gm, (code) => code.replace(/[^\n]/g, " "))

/** The anchor a heading gets: lower case, punctuation gone, spaces as dashes. */
const anchorOf = (heading: string): string =>
  heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").trim().replaceAll(" ", "-")

const hasAnchor = (text: string, anchor: string): boolean =>
  [...text.matchAll(/^#+ (.*)$/gm)].some(([, heading]) => anchorOf(heading ?? "") === anchor)

const brokenLink = (path: string, target: string, tree: Tree): string | undefined => {
  if (/^[a-z]+:/.test(target)) return undefined
  const [file = "", anchor] = target.split("#")
  const full = file === "" ? path : posix.join(posix.dirname(path), decodeURI(file)).replace(/\/$/, "")
  if (!exists(tree, full)) return `${target} leads nowhere`
  if (anchor === undefined || !isProse(full)) return undefined
  return hasAnchor(tree.text(full), anchor) ? undefined : `${target}: no such heading`
}

const links: Rule = {
  name: "every link within the project leads somewhere",
  covers: isProse,
  faults: (path, tree) => {
    const text = withoutCode(tree.text(path))
    return [...text.matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]:\s*(\S+)/gm)].flatMap((match) => {
      const what = brokenLink(path, match[1] ?? match[2] ?? "", tree)
      return what === undefined ? [] : [faultAt({ text }, match.index, what)]
    })
  },
  bad: [
    { "README.md": "[a](docs/a.md)" },
    { "docs/b.md": "[a](a.md)", "a.md": "" },
    { "README.md": "[a](#nowhere)\n# Here" },
    { "README.md": "[a](a.md#nowhere)", "a.md": "# Here" },
    { "README.md": "See [a].\n\n[a]: docs/a.md" }
  ],
  good: [
    {
      "README.md": "[a](docs/a.md#the-laws) [b](docs/) [c](https://example.org/x) `[d](e)`",
      "docs/a.md": "## The laws"
    },
    { "docs/b.md": "[a](../README.md)\n```ts\nx[0](y)\n```", "README.md": "" }
  ]
}

const ownMachine: Rule = {
  name: "nothing names a place on somebody's machine",
  covers: (path) => isCode(path) || isProse(path) || /\.(json|ya?ml)$/.test(path),
  faults: (path, tree) => {
    const text = tree.text(path)
    return [...text.matchAll(/(?<=^|[\s"'`(:])\/(home|root|work|Users)\/[\w.]/gm)].map(({ index }) =>
      faultAt({ text }, index, "names a place on somebody's machine")
    )
  },
  bad: [{ "docs/a.md": "see /hom\u0065/ada/persist" }, { "test/a.ts": `const data = "/wor\u006b/data"` }],
  good: [{ "docs/a.md": "sqlite:/var/lib/app.db, https://example.org/home/x" }]
}

/** The rules about what is written beside the code. */
export const documentRules: ReadonlyArray<Rule> = [planStatus, planIndex, links, ownMachine]

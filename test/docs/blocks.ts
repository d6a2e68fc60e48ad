/** The code blocks of a Markdown text, each with what its page says it prints. */

/** One fenced block: its info string (`ts`, `sh run`), its code and the line, from 1, its code starts at. */
export interface Block {
  readonly info: string
  readonly code: string
  readonly line: number
  /** What the page says the block prints, line by line; `undefined` where it says nothing. */
  readonly output: ReadonlyArray<string> | undefined
}

const fence = /^(`{3,})([^`\n]*)\n([^]*?)^\1[ \t]*$/gm

const linesOf = (text: string): ReadonlyArray<string> => text.trimEnd().split("\n")

/** What follows `// =>` at the end of a line or on a line of its own, in order. */
const promises = (code: string): ReadonlyArray<string> =>
  [...code.matchAll(/\/\/ => ?(.*)$/gm)].map(([, text]) => (text ?? "").trimEnd())

/** Every fenced block of a page. One with the info `text` right after another is the output of that one. */
export const blocksOf = (markdown: string): ReadonlyArray<Block> => {
  const matches = [...markdown.matchAll(fence)]
  return matches.map((match, n) => {
    const [whole, , info = "", code = ""] = match
    const next = matches[n + 1]
    const follows = next !== undefined && next[2]?.trim() === "text" &&
      markdown.slice(match.index + whole.length, next.index).trim() === ""
    const promised = promises(code)
    return {
      info: info.trim(),
      code,
      line: markdown.slice(0, match.index).split("\n").length + 1,
      output: follows ? linesOf(next[3] ?? "") : promised.length > 0 ? promised : undefined
    }
  })
}

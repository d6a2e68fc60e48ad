/** JSON text laid out for people and back, token by token: no number, string or order of properties is touched. */

/** Deeper levels stay on one line: their indentation could take more room than all the rest. */
const deepest = 32

/** Lays out JSON text as `JSON.stringify` with two spaces does. The text must be JSON. */
export const pretty = (text: string): string => {
  let out = ""
  let depth = 0
  let opened = false
  scan(text, (token) => {
    if (token === "}" || token === "]") {
      if (!opened && depth <= deepest) out += lineAt(depth - 1)
      depth--
      opened = false
      out += token
      return
    }
    if (opened) out += lineAt(depth)
    opened = token === "{" || token === "["
    if (opened) depth++
    out += token === "," ? `,${lineAt(depth)}` : token === ":" ? ": " : token
  })
  return out
}

const lineAt = (level: number): string => level > deepest ? "" : `\n${"  ".repeat(level)}`

/** The same text without white space between its tokens. The text must be JSON. */
export const compact = (text: string): string => {
  if (!/[ \t\n\r]/.test(text)) return text
  let out = ""
  scan(text, (token) => {
    out += token
  })
  return out
}

/** The members of the object that JSON text holds, each value as the text it is; `undefined` where it is no object. */
export const members = (text: string): ReadonlyArray<readonly [name: string, value: string]> | undefined => {
  const found: Array<readonly [string, string]> = []
  let isObject: boolean | undefined
  let depth = 0
  let name = ""
  let value = ""
  scan(text, (token) => {
    isObject ??= token === "{"
    if (depth === 1 && token === ":") {
      name = value
      value = ""
    } else if (depth === 1 && (token === "," || token === "}")) {
      if (name !== "") found.push([JSON.parse(name), value])
      name = value = ""
      if (token === "}") depth = 0
    } else {
      if (depth > 0) value += token
      if (token === "{" || token === "[") depth++
      if (token === "}" || token === "]") depth--
    }
  })
  return isObject === true ? found : undefined
}

/** Why text is no JSON, in words that follow a file's name, repeating nothing of it; `undefined` where it is. */
export const jsonFault = (text: string): string | undefined => {
  try {
    JSON.parse(text)
    return undefined
  } catch (cause) {
    const place = cause instanceof Error ? /position (\d+)/.exec(cause.message)?.[1] : undefined
    if (place === undefined) return text.trim() === "" ? "is empty" : "is no JSON, it ends too early"
    const before = text.slice(0, Number(place)).split("\n")
    return `is no JSON from line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1} on`
  }
}

/** Gives each token of JSON text, in order. */
const scan = (text: string, each: (token: string) => void): void => {
  let at = 0
  while (at < text.length) {
    const unit = text.charCodeAt(at)
    if (unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09) {
      at++
      continue
    }
    const end = unit === quote ? stringEnd(text, at) : isMark(unit) ? at + 1 : wordEnd(text, at)
    each(text.slice(at, end))
    at = end
  }
}

const quote = 0x22
const backslash = 0x5c

// { } [ ] , :
const isMark = (unit: number): boolean =>
  unit === 0x7b || unit === 0x7d || unit === 0x5b || unit === 0x5d || unit === 0x2c || unit === 0x3a

const stringEnd = (text: string, start: number): number => {
  for (let at = text.indexOf("\"", start + 1); at >= 0; at = text.indexOf("\"", at + 1)) {
    let slashes = 0
    while (text.charCodeAt(at - 1 - slashes) === backslash) slashes++
    if (slashes % 2 === 0) return at + 1
  }
  return text.length
}

const wordEnd = (text: string, start: number): number => {
  let at = start + 1
  for (; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit <= 0x20 || unit === quote || isMark(unit)) break
  }
  return at
}

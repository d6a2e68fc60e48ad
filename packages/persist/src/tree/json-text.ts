/** JSON text laid out for people and back, token by token: no number, string or order of properties is touched. */

/** Deeper levels stay on one line: their indentation could take more room than all the rest. */
const deepest = 32

/** Lays out JSON text as `JSON.stringify` with two spaces does. The text must be JSON. */
export const pretty = (text: string): string => {
  const parts: Array<string> = []
  let depth = 0
  let opened = false
  find(text, (start, end) => {
    const token = text.slice(start, end)
    if (token === "}" || token === "]") {
      if (!opened && depth <= deepest) parts.push(lineAt(depth - 1))
      depth--
      opened = false
      parts.push(token)
      return false
    }
    if (opened) parts.push(lineAt(depth))
    opened = token === "{" || token === "["
    if (opened) depth++
    parts.push(token === ":" ? ": " : token)
    if (token === ",") parts.push(lineAt(depth))
    return false
  })
  return parts.join("")
}

const lineAt = (level: number): string => level > deepest ? "" : `\n${"  ".repeat(level)}`

/** The same text without white space between its tokens. The text must be JSON. */
export const compact = (text: string): string => {
  if (!/[ \t\n\r]/.test(text)) return text
  const parts: Array<string> = []
  let [from, to] = [0, 0]
  find(text, (start, end) => {
    if (start > to) {
      parts.push(text.slice(from, to))
      from = start
    }
    to = end
    return false
  })
  return parts.length === 0 ? text.slice(0, to) : [...parts, text.slice(from, to)].join("")
}

/** The members of the object that JSON text holds, each value as the text it is; `undefined` where it is no object. */
export const members = (text: string): ReadonlyArray<readonly [name: string, value: string]> | undefined => {
  const found: Array<readonly [string, string]> = []
  let depth = 0
  let name: string | undefined
  let [from, to] = [0, 0]
  const isNone = find(text, (start, end) => {
    const unit = text.charCodeAt(start)
    if (depth === 0) return unit !== openBrace || ++depth > 1
    const closes = unit === closeBrace || unit === closeBracket
    if (depth > 1 || !(closes || unit === comma || unit === colon)) {
      if (to === 0) from = start
      to = end
      if (closes) depth--
      else if (unit === openBrace || unit === openBracket) depth++
      return false
    }
    if (unit === colon) name = JSON.parse(text.slice(from, to))
    else if (name !== undefined) found.push([name, compact(text.slice(from, to))])
    if (unit !== colon) name = undefined
    to = 0
    return false
  })
  return isNone === undefined ? found : undefined
}

/** Why text is no JSON, in words that follow a file's name, repeating nothing of it; `undefined` where it is. */
export const jsonFault = (text: string): string | undefined => {
  if (isJson(text)) return undefined
  const place = faultPlace(text)
  if (place === undefined) return text.trim() === "" ? "is empty" : "is no JSON, it ends too early"
  const before = text.slice(0, place).split("\n")
  return `is no JSON from line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1} on`
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Where the first token begins that can't follow those before it; `undefined` where there is none. */
const faultPlace = (text: string): number | undefined => {
  // What is open, and what may come: a value, a name, or what follows either of them.
  const open: Array<"{" | "["> = []
  let awaited: "value" | "name" | "colon" | "next" = "value"
  let before = ""
  return find(text, (start, end) => {
    const token = text.slice(start, end)
    const [within] = open.slice(-1)
    const follows = before === "{" || before === "["
    before = token
    if (token === "}" || token === "]") {
      const closes = within === (token === "}" ? "{" : "[") && (awaited === "next" || follows)
      open.pop()
      awaited = "next"
      return !closes
    }
    if (awaited === "next" || awaited === "colon") {
      const right = awaited === "colon" ? token === ":" : token === "," && within !== undefined
      awaited = awaited === "next" && within === "{" ? "name" : "value"
      return !right
    }
    if (awaited === "value" && (token === "{" || token === "[")) {
      open.push(token)
      awaited = token === "{" ? "name" : "value"
      return false
    }
    const right = (awaited === "value" || token.startsWith("\"")) && !isMark(token.charCodeAt(0)) && isJson(token)
    awaited = awaited === "name" ? "colon" : "next"
    return !right
  })
}

/** Goes from token to token until one is what's looked for; answers where that begins. */
const find = (text: string, looked: (start: number, end: number) => boolean): number | undefined => {
  let at = 0
  while (at < text.length) {
    const unit = text.charCodeAt(at)
    if (unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09) {
      at++
      continue
    }
    const end = unit === quote ? stringEnd(text, at) : isMark(unit) ? at + 1 : wordEnd(text, at)
    if (looked(at, end)) return at
    at = end
  }
  return undefined
}

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

const isMark = (unit: number): boolean =>
  unit === openBrace || unit === closeBrace || unit === openBracket || unit === closeBracket || unit === comma ||
  unit === colon

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

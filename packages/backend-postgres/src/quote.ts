/** Names and strings as SQL has them, with whatever is in them. */

/** A name as SQL has it. */
export const quoted = (name: string): string => `"${name.replaceAll("\"", "\"\"")}"`

/** A string as SQL has it, whatever the server takes a backslash for. */
export const literal = (text: string): string =>
  `${text.includes("\\") ? " E" : ""}'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`

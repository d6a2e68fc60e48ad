/**
 * Text as PostgreSQL can hold it: its `text` knows every character but U+0000, so that one is written as two others.
 * Injective, in the same order by UTF-8 bytes, and a prefix stays a prefix; what has neither of the first two control
 * characters, as all JSON, is itself.
 */

/** The text as it is stored: U+0000 becomes U+0001 U+0001, and U+0001 becomes U+0001 U+0002. */
export const toStored = (text: string): string =>
  text.includes("\0") || text.includes("\x01")
    ? text.replaceAll("\x01", "\x01\x02").replaceAll("\0", "\x01\x01")
    : text

/** The text that was stored by {@link toStored}. */
export const fromStored = (stored: string): string =>
  stored.includes("\x01") ? stored.replaceAll("\x01\x01", "\0").replaceAll("\x01\x02", "\x01") : stored

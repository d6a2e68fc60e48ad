/** Numbers, sizes and times as people read them. */
import { counted, lasting, printable, sized } from "@persist/cli/printable"
import * as Result from "effect/Result"
import { parseTime, timeText } from "persist/effect"
import { expect, test } from "vitest"

test.each([
  [counted(1, "event"), "1 event"],
  [counted(0, "event"), "0 events"],
  [counted(38_945, "event"), "38,945 events"],
  [sized(0), "0 B"],
  [sized(1023), "1023 B"],
  [sized(1024), "1.0 KiB"],
  [sized(6_695_069), "6.4 MiB"],
  [sized(2 ** 60), "1048576.0 TiB"],
  [lasting(0), "0.00 s"],
  [lasting(9994), "9.99 s"],
  [lasting(59_000), "59 s"],
  [lasting(200_000), "3 min 20 s"],
  [printable("a\tb\u001b[1m\u2028ä😀"), "a\\u0009b\\u001b[1m\\u2028ä😀"]
])("%s", (shown, expected) => expect(shown).toBe(expected))

test.each([0, -1, 1_580_472_000_000, 8.64e15, 8.64e15 + 1, -62_198_755_200_001])(
  "the time %d is read as written",
  (at) => {
    expect(Result.getOrThrow(parseTime("at", timeText(at)))).toBe(at)
  }
)

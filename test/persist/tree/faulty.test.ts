/** What isn't right in a tree, refused with file and remedy, before anything happens. */
import { mkdirSync, renameSync } from "node:fs"
import { join } from "node:path"
import { open } from "persist"
import { importTree } from "persist/tree"
import { describe, expect, test } from "vitest"
import { contentsOf, type Place } from "./place.ts"
import { exported, order, shipped, theme } from "./sample.ts"

describe("what isn't right is refused with file and remedy, and nothing happens", () => {
  const long = "x".repeat(9 * 1024 * 1024)
  test.each<[string, string, string, (place: Place) => void]>([
    ["no JSON", theme, "line 2, column 11", (place) => place.write(theme, `{\n  "dark": tru\n}`)],
    ["JSON with more behind it", theme, "line 1, column 9", (place) => place.write(theme, `{"a":1} 2`)],
    ["a string without an end", theme, "line 1, column 2", (place) => place.write(theme, `["a`)],
    ["an object without an end", theme, "ends too early", (place) => place.write(theme, `{"a":1`)],
    ["a comma too many", theme, "line 3, column 1", (place) => place.write(theme, `{"a": 1,\n"b": [1, 2],\n}`)],
    ["an empty file", theme, "is empty", (place) => place.write(theme, "")],
    ["no UTF-8", theme, "UTF-8", (place) => place.write(theme, new Uint8Array([0x22, 0xff, 0x22]))],
    ["too large a value", theme, "over the store's limit", (place) => place.write(theme, `"${long}"`)],
    [
      "a stray file",
      "kv/settings/theme.json.orig",
      "no value's file",
      (place) => place.write("kv/settings/theme.json.orig", "")
    ],
    [
      "capitals that aren't counted",
      "kv/settings/pageSize.json",
      "isn't where",
      (place) => place.write("kv/settings/pageSize.json", "1")
    ],
    [
      "a second file of a key",
      "kv/settings/theme.json",
      "second file",
      (place) => place.write("kv/settings/theme.bin", "")
    ],
    [
      "an entry without need",
      "kv/settings/theme,entry.json",
      "isn't where",
      (place) => place.write("kv/settings/theme,entry.json", `{"value":1}`)
    ],
    [
      "an unknown member",
      "kv/settings/size,entry.json",
      `"valeu" is unknown`,
      (place) => place.write("kv/settings/size,entry.json", `{"meta":{},"valeu":1}`)
    ],
    [
      "bad base64",
      "kv/settings/size,entry.json",
      "base64",
      (place) => place.write("kv/settings/size,entry.json", `{"meta":{},"value_base64":"A"}`)
    ],
    ["the store's own namespace", "kv/$x/k.json", "store's own", (place) => {
      mkdirSync(join(place.path, "kv/$x"))
      place.write("kv/$x/k.json", "1")
    }],
    ["a changed event", `${order}:1`, "was changed", (place) => place.edit(order, (text) => text.replace("12", "13"))],
    [
      "a missing line",
      `${order}:2`,
      "follows seq 1",
      (place) => place.edit(order, (text) => text.replace(/.*Paid.*\n/, shipped))
    ],
    ["a line that is no JSON", `${order}:3`, "column 2", (place) => place.edit(order, (text) => `${text}{x\n`)],
    [
      "an event without data",
      `${order}:3`,
      `"data" is missing`,
      (place) => place.edit(order, (text) => `${text}{"seq":3,"type":"A"}\n`)
    ],
    [
      "a wrong time",
      `${order}:3: at`,
      "is no time",
      (place) => place.edit(order, (text) => `${text}{"seq":3,"type":"A","data":1,"at":"noon"}\n`)
    ],
    [
      "an event in a wrong file",
      "log/order/1,from1001.ndjson:1",
      "isn't where",
      (place) => place.write("log/order/1,from1001.ndjson", shipped)
    ],
    [
      "a gap between files",
      "log/order/1,from1001.ndjson:1",
      "",
      (place) => place.write("log/order/1,from1001.ndjson", shipped.replace("3", "1001"))
    ],
    [
      "a stray file among streams",
      "log/order/1.txt",
      "no stream's file",
      (place) => place.write("log/order/1.txt", "")
    ],
    [
      "no marker",
      "",
      "holds no persist-tree.json",
      (place) => renameSync(join(place.path, "persist-tree.json"), join(place.path, "x"))
    ],
    ["another format", "persist-tree.json", "isn't the marker", (place) => place.write("persist-tree.json", "{}")],
    [
      "a newer format",
      "persist-tree.json",
      "newer",
      (place) => place.edit("persist-tree.json", (text) => text.replace(`"version": 1`, `"version": 2`))
    ],
    [
      "an unfinished export",
      "persist-tree.json",
      "never finished",
      (place) => place.edit("persist-tree.json", (text) => text.replace(/,\s*"position": \d+/, ""))
    ]
  ])("%s", async (_, where, reason, spoil) => {
    await using at = await exported()
    const { place, store } = at
    spoil(place)
    place.write("kv/settings/other.json", "1")
    const before = await contentsOf(store)
    const fault = await importTree(store, place.path).then(String, String)
    for (const part of [where, reason]) expect(fault).toContain(part)
    expect(await contentsOf(store)).toEqual(before)
  })

  test("a missing directory", async () => {
    await using store = await open("memory:")
    await expect(importTree(store, "/nowhere/at all")).rejects.toMatchObject({ _tag: "Invalid" })
  })
})

/** Which lines are events, and what is said of those that aren't. */
import { parseEventLine } from "@persist/cli/event-line"
import { defaultLimits } from "@persist/core"
import * as Result from "effect/Result"
import { expect, test } from "vitest"

const parse = (text: string) => parseEventLine({ limits: defaultLimits }, text)

const line = (more: object) => JSON.stringify({ stream: "a", type: "T", at: 1, data: 1, ...more })
const cloud = (more: object) => JSON.stringify({ specversion: "1.0", id: "1", source: "s", type: "t", ...more })
test.each([
  ["no JSON", `{"stream":"a",`, "line: is no JSON"],
  ["no object", "[1]", "line: is no JSON object"],
  ["no stream", `{"type":"T","data":1}`, "stream: is missing"],
  ["a type that is no text", line({ type: 3 }), "type: expected a string, got number"],
  ["a field unknown", line({ tipe: "T" }), "tipe: is no field of an event"],
  ["no data", `{"stream":"a","type":"T"}`, "data: is missing"],
  ["data twice", line({ data_base64: "AA==" }), "data_base64: is given beside data"],
  ["base64 that is none", line({ data: undefined, data_base64: "A" }), "data_base64: is no base64 text"],
  ["a time without its zone", line({ at: "2020-01-01T00:00:00" }), `at: "2020-01-01T00:00:00" is no time`],
  ["a time that is no moment", line({ at: 1.5 }), "at: 1.5 is no time"],
  ["a month that isn't", line({ at: "2020-13-01" }), `at: "2020-13-01" is no time`],
  ["meta that is no object", line({ meta: [] }), "meta: is no object"],
  ["meta of the store's own", line({ meta: { $x: 1 } }), "meta.$x: keys that start with $ are the store's own"],
  [
    "a number too long",
    `{"stream":"a","type":"T","data":{"n":9007199254740993}}`,
    "line: the number 9007199254740993"
  ],
  ["a number too large", `{"stream":"a","type":"T","data":1e999}`, "data: Infinity is no JSON number"],
  ["a lone surrogate", `{"stream":"\\ud800","type":"T","data":1}`, "stream: contains a lone surrogate"],
  ["a name too long", line({ stream: "x".repeat(1025) }), "stream: 1025 bytes is over the limit of 1024"],
  ["too much data", line({ data: "x".repeat(8 * 1024 * 1024) }), "data: 8388610 bytes is over the limit of 8388608"],
  ["another version of CloudEvents", cloud({ specversion: "0.3" }), `specversion: "0.3" isn't known`],
  ["a CloudEvent without id", cloud({ id: undefined }), "id: is missing or no text"]
])("%s is refused", (_, text, reason) => {
  const parsed = parse(text)
  expect(Result.isFailure(parsed) && parsed.failure.message).toContain(reason)
})

test.each([
  ["long numbers as JavaScript writes them", [9007199254740992, -12345678901234567000]],
  ["numbers with many decimals", 0.30000000000000004],
  ["digits within text", "12345678901234567891"],
  ["lone surrogates within data", "\ud800"],
  ["a key named __proto__", JSON.parse(`{"__proto__":1}`)]
])("%s is taken as it is", (_, data) => {
  const parsed = parse(`{"stream":"a","type":"T","at":0,"data":${JSON.stringify(data)}}`)
  expect(Result.isSuccess(parsed) && JSON.stringify(parsed.success.event.data)).toBe(JSON.stringify(data))
})

/** How failures are told: in the words of the command line, where the library has its own. */
import { tell } from "@persist/cli/failure"
import { Corrupt, Unavailable } from "@persist/core"
import { expect, test } from "vitest"

test("a remedy that the library has a call for names the command", () => {
  const remedy = "call renewIncarnation, then open the store again"
  const told = tell(new Corrupt({ where: "the schema", reason: "its history went back", remedy }))
  expect(told.json).toMatchObject({ tag: "Corrupt", remedy: "run persist renew, then open the store again" })
  expect(told.text).toMatch(/; run persist renew, then open the store again$/)
})

test("what else there is to say stays as it is", () => {
  const told = tell(new Unavailable({ operation: "read", reason: "it was busy", remedy: "try again" }))
  const message = "read: it was busy; try again"
  expect(told).toEqual({
    exitCode: 4,
    text: message,
    json: { tag: "Unavailable", message, operation: "read", reason: "it was busy", remedy: "try again" }
  })
})

test("a store that is to be opened again is what running the command again opens", () => {
  const remedy = "close it and open it again"
  const told = tell(new Unavailable({ operation: "commit", reason: "the store stopped", remedy, reopen: true }))
  expect(told).toMatchObject({
    exitCode: 4,
    text: "commit: the store stopped; run it again, which opens what is there",
    json: { remedy: "run it again, which opens what is there" }
  })
})

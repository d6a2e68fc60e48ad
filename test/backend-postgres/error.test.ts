/** Failures: how the driver's are told apart, and which of them leave a commit's outcome unknown. */
import { assert, describe, it } from "@effect/vitest"
import { classify, classifyCommit, Lost, stateOf } from "@persist/backend-postgres/error"
import { type BackendError, Unavailable } from "@persist/core"
import { DatabaseError } from "pg"

/** What the server says with this SQLSTATE, whatever its message. */
const said = (state: string): DatabaseError => {
  const error = new DatabaseError("the password is hunter2", 0, "error")
  error.code = state
  error.severity = "FEHLER"
  return error
}

type Row = readonly [state: string, tag: BackendError["_tag"], commit: BackendError["_tag"], said: RegExp]

describe("the server's errors", () => {
  // In the last but one column, what they mean for a commit: unknown wherever it could have been written before.
  const cases: ReadonlyArray<Row> = [
    ["08000", "Unavailable", "OutcomeUnknown", /the connection failed \(08000\); try again/],
    ["08006", "Unavailable", "OutcomeUnknown", /08006/],
    ["08007", "Unavailable", "OutcomeUnknown", /08007/],
    ["0A000", "Unsupported", "Unsupported", /PostgreSQL 14 or later/],
    ["22P02", "Corrupt", "Corrupt", /can't be read/],
    ["23505", "Corrupt", "Corrupt", /contradict each other \(23505\); look for who else writes/],
    ["25006", "Unavailable", "Unavailable", /only reads.*name the primary among the hosts/],
    ["25P02", "Unavailable", "Unavailable", /roll it back/],
    ["26000", "Unavailable", "Unavailable", /pooler/],
    ["28000", "Denied", "Denied", /correct the user, the password or sslmode/],
    ["28P01", "Denied", "Denied", /correct the user, the password/],
    ["3D000", "Denied", "Denied", /no such database.*create it, or correct the URL/],
    ["3F000", "Denied", "Denied", /no such schema/],
    ["40000", "Unavailable", "Unavailable", /try again/],
    ["40001", "Unavailable", "Unavailable", /try again/],
    ["40003", "Unavailable", "OutcomeUnknown", /40003/],
    ["40P01", "Unavailable", "Unavailable", /another transaction was in the way/],
    ["42501", "Denied", "Denied", /lacks a right.*GRANT USAGE ON SCHEMA/],
    ["42P01", "Corrupt", "Corrupt", /a table is missing/],
    ["42P05", "Unavailable", "Unavailable", /pooler/],
    ["42883", "Unsupported", "Unsupported", /another version's/],
    ["53000", "Unavailable", "Unavailable", /lacks resources/],
    ["53100", "Unavailable", "Unavailable", /disk is full.*free some space/],
    ["53200", "Unavailable", "Unavailable", /out of memory/],
    ["53300", "Unavailable", "Unavailable", /max_connections/],
    ["53400", "Unavailable", "Unavailable", /lacks resources/],
    ["54000", "Unsupported", "Unsupported", /use smaller values/],
    ["55000", "Unavailable", "Unavailable", /try again/],
    ["55006", "Unavailable", "Unavailable", /try again/],
    ["55P03", "Unavailable", "Unavailable", /held the store's lock for too long.*raise lockTimeout/],
    ["57014", "Unavailable", "OutcomeUnknown", /57014/],
    ["57P01", "Unavailable", "OutcomeUnknown", /57P01/],
    ["57P02", "Unavailable", "OutcomeUnknown", /57P02/],
    ["57P03", "Unavailable", "Unavailable", /starting, stopping/],
    ["57P05", "Unavailable", "OutcomeUnknown", /57P05/],
    ["58000", "Unavailable", "Unavailable", /look at its log and its disk/],
    ["58030", "Unavailable", "Unavailable", /look at its log and its disk/],
    ["58P01", "Unavailable", "OutcomeUnknown", /58P01/],
    ["P0001", "Denied", "Denied", /a trigger refused the write/],
    ["XX000", "Corrupt", "OutcomeUnknown", /XX000/],
    ["XX001", "Corrupt", "OutcomeUnknown", /XX001/],
    ["PST01", "Corrupt", "Corrupt", /another incarnation.*open it again/],
    ["PST02", "Corrupt", "Corrupt", /history went back.*renewIncarnation/],
    ["PST03", "Unsupported", "Unsupported", /READ COMMITTED.*default_transaction_isolation/]
  ]
  it.each(cases)("%s is %s, and %s for a commit", (state, tag, commit, message) => {
    const read = classify("get", said(state))
    assert.strictEqual(read._tag, tag)
    const written = classifyCommit("id", said(state))
    assert.strictEqual(written._tag, commit)
    assert.match(commit === "OutcomeUnknown" ? `${read.message} ${written.message}` : read.message, message)
    // What a server says may hold anything.
    assert.notInclude(read.message + written.message, "hunter2")
  })

  it("of a connection are Unavailable, or unknown for a commit that was sent", () => {
    for (const sent of [false, true]) {
      const lost = new Lost("the connection was lost", sent)
      assert.strictEqual(classify("get", lost)._tag, "Unavailable")
      const written = classifyCommit("id", lost)
      assert.strictEqual(written._tag, sent ? "OutcomeUnknown" : "Unavailable")
      if (written._tag === "OutcomeUnknown") assert.strictEqual(written.id, "id")
    }
  })

  it("that were told apart already stay what they are", () => {
    const known = new Unavailable({ operation: "get", reason: "busy", remedy: "wait" })
    assert.strictEqual(classify("get", known), known)
    assert.strictEqual(classifyCommit("id", known), known)
  })

  it.each([
    new TypeError("password authentication failed"),
    said("42601"),
    Object.assign(new Error("no"), { code: "ENOENT" }),
    said("not one")
  ])("%s is a bug, and stays one", (bug) => {
    assert.throws(() => classify("get", bug), bug.message)
  })

  it("are known by their SQLSTATE alone", () => {
    assert.strictEqual(stateOf(said("40001")), "40001")
    assert.isUndefined(stateOf(Object.assign(new Error("no"), { code: "40001" })))
    assert.isUndefined(stateOf(Object.assign(new Error("no"), { code: "ECONNRESET", severity: "ERROR" })))
    assert.isUndefined(stateOf("40001"))
  })
})

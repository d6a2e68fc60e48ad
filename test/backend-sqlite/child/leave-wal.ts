/** Tries to turn off the write-ahead log, which one must be alone for, and says what came: `leave-wal.ts PATH`. */
import Database from "better-sqlite3"
import * as Result from "effect/Result"
import { letGo } from "./ready.ts"

const [path = ""] = process.argv.slice(2)

await letGo()
const db = new Database(path, { timeout: 0 })
const mode = Result.try(() => db.pragma("journal_mode = DELETE", { simple: true }))
console.log(Result.isSuccess(mode) ? String(mode.success) : String(Object(mode.failure).code))
db.close()

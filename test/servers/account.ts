/** The account that servers run as: PostgreSQL and pgbouncer refuse to run as root, so root lends them another's. */
import { execFileSync } from "node:child_process"
import { chownSync } from "node:fs"

/** What `spawn` takes of it; nothing where the tests don't run as root. */
export interface Account {
  readonly uid?: number
  readonly gid?: number
}

const idOf = (flag: "-u" | "-g", name: string): number =>
  Number(execFileSync("id", [flag, name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }))

const lend = (): Account => {
  if (process.getuid?.() !== 0) return {}
  for (const name of ["postgres", "nobody"]) {
    try {
      return { uid: idOf("-u", name), gid: idOf("-g", name) }
    } catch {
      // There is no such user here.
    }
  }
  throw new Error("the tests run as root, and there is neither a user postgres nor a user nobody to run servers as")
}

let lent: Account | undefined

/** The account of every server that a test starts. */
export const serverAccount = (): Account => lent ??= lend()

/** Gives a file or directory to the account. */
export const handOver = (path: string): void => {
  const { gid, uid } = serverAccount()
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid)
}

/** What a server says of itself, and of the database and the role, when it is asked first. */
import type { Row } from "./asking.ts"

/** What a server says of itself. */
export interface Facts {
  readonly inRecovery: boolean
  /** As 140005 for 14.5. */
  readonly version: number
  readonly encoding: string
  readonly isolation: string
  readonly fsync: boolean
  readonly synchronousCommit: string
  readonly standbys: string
  readonly cluster: string | undefined
  readonly database: string
  readonly user: string
  /** Whether nobody stands between: the process that was named when the connection was made is the one that answers. */
  readonly direct: boolean
}

const factsText = `
  SELECT pg_is_in_recovery()::text, current_setting('server_version_num'), current_setting('server_encoding'),
    current_setting('default_transaction_isolation'), current_setting('fsync'),
    current_setting('synchronous_commit'), current_setting('synchronous_standby_names'), pg_backend_pid()::text,
    current_user,
    (SELECT oid::text FROM pg_database WHERE datname = current_database()),
    CASE WHEN has_function_privilege('pg_control_system()', 'EXECUTE')
      THEN (SELECT system_identifier::text FROM pg_control_system()) END`

/** Asks a server; `process` is the one it named when the connection was made, `direct` what the configuration says. */
export const askFacts = async (
  ask: (text: string) => Promise<ReadonlyArray<Row>>,
  process: number | undefined,
  direct: boolean | undefined
): Promise<Facts> => {
  const [row = []] = await ask(factsText)
  const [recovery, version, encoding, isolation, fsync, commits, standbys, pid, user, database, cluster] = row
  return {
    inRecovery: recovery === "true",
    version: Number(version),
    encoding: encoding ?? "",
    isolation: isolation ?? "",
    fsync: fsync === "on",
    synchronousCommit: commits ?? "",
    standbys: standbys ?? "",
    cluster: cluster ?? undefined,
    database: database ?? "",
    user: user ?? "",
    direct: direct ?? Number(pid) === process
  }
}

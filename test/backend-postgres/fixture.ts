/** PostgreSQL stores for the conformance kit: one server for a test file, and a schema in it for each place. */
import { make } from "@persist/backend-postgres"
import type { Fixture } from "@persist/conformance"
import * as Effect from "effect/Effect"
import { schemaIn, sharedPostgres, sql } from "../servers/postgres.ts"

// Fails whatever is written next, in the middle of its transaction, as a failing disk would.
const arm = (schema: string) => `
CREATE FUNCTION ${schema}.fuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the fuse' USING ERRCODE = 'io_error'; END $$;
CREATE TRIGGER fuse AFTER INSERT ON ${schema}.event FOR EACH ROW EXECUTE FUNCTION ${schema}.fuse();
CREATE TRIGGER fuse AFTER INSERT ON ${schema}.entry FOR EACH ROW EXECUTE FUNCTION ${schema}.fuse();`
const disarm = (schema: string) => `DROP FUNCTION ${schema}.fuse CASCADE`

/** A store in a schema of its own; a commit can be made to break in the middle. */
export const postgres: Fixture = {
  name: "postgres",
  place: Effect.gen(function*() {
    const { url } = yield* sharedPostgres
    const schema = yield* schemaIn(url)
    let armed = false
    const set = (to: boolean) =>
      Effect.tap(sql(url, to ? arm(schema) : disarm(schema)), () =>
        Effect.sync(() => {
          armed = to
        }))
    return {
      open: Effect.map(make({ url, schema }), (backend) => ({
        ...backend,
        commit: (batch) =>
          Effect.ensuring(backend.commit(batch), Effect.suspend(() => armed ? set(false) : Effect.void))
      })),
      breakNextCommit: Effect.asVoid(set(true))
    }
  })
}

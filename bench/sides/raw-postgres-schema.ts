/** Schemas of a database, each with what one import has made: connected to, analyzed and dropped. */
import { Client } from "pg"

/** Connects to the tables of one schema. */
export const connect = async (url: string, schema: string): Promise<Client> => {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(`SET search_path = ${schema}`)
  return client
}

/** Connects to them for as long as some work takes. */
export const connected = async <Answer>(url: string, schema: string, work: (client: Client) => Promise<Answer>) => {
  const client = await connect(url, schema)
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** Drops a schema, so that nothing is swept behind what is measured next. */
export const dropSchema = (url: string, schema: string): Promise<unknown> =>
  connected(url, schema, (client) => client.query(`DROP SCHEMA ${schema} CASCADE`))

/** Does what autovacuum does some time within the next minute: the same plans are measured from the first round on. */
export const analyze = (url: string, schema: string): Promise<unknown> =>
  connected(url, schema, (client) => client.query("ANALYZE"))

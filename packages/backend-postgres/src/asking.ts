/**
 * A statement put to a connection of the driver's, which takes anything that can submit itself. The driver's own query
 * copies its configuration, has the columns described each time, and builds a result by their types: some 20 µs of what
 * a single append costs its client, where all that's asked for is the columns as PostgreSQL writes them.
 */
import type { Connection, Submittable } from "pg"

/** A row's columns as PostgreSQL writes them. */
export type Row = ReadonlyArray<string | null>

/** A parameter: arrays in PostgreSQL's binary form, everything else as text. */
export type Value = string | number | boolean | Buffer | null

/** SQL, and the name it may be prepared under; what has none may be several statements, without parameters. */
export interface Statement {
  readonly name?: string | undefined
  readonly text: string
}

/** A statement on its way; one of the two that it's given to settle by is called, once or more often. */
export class Asking implements Submittable {
  /** What the driver takes down as prepared; `undefined` for what isn't to be. */
  readonly name: string | undefined
  readonly text: string
  /** What the driver puts here where it limits how long a query takes; it's called at the end, for its timer to go. */
  callback: (() => void) | undefined
  private readonly values: ReadonlyArray<Value>
  private readonly resolve: (rows: ReadonlyArray<Row>) => void
  private readonly reject: (cause: unknown) => void
  private readonly rows: Array<Row> = []

  constructor(
    { name, text }: Statement,
    values: ReadonlyArray<Value>,
    resolve: (rows: ReadonlyArray<Row>) => void,
    reject: (cause: unknown) => void
  ) {
    this.name = name
    this.text = text
    this.values = values
    this.resolve = resolve
    this.reject = reject
  }

  // From here on by the driver, under the names that it calls.

  submit(connection: Connection): void {
    const { name, text, values } = this
    // Several statements in one text are only understood so.
    if (name === undefined && values.length === 0) return connection.query(text)
    const { stream } = connection
    stream.cork()
    if (name === undefined || preparedOn(connection)[name] === undefined) {
      connection.parse({ name: name ?? "", text, types: [] }, true)
    }
    connection.bind({ statement: name, values: values.map(written) }, true)
    connection.execute(null, true)
    connection.sync()
    stream.uncork()
  }

  handleRowDescription(): void {}

  handleDataRow({ fields }: { readonly fields: Row }): void {
    this.rows.push(fields)
  }

  handleCommandComplete(): void {}

  handleEmptyQuery(): void {}

  handleReadyForQuery(): void {
    this.callback?.()
    this.resolve(this.rows)
  }

  handleError(cause: unknown): void {
    this.callback?.()
    this.reject(cause)
  }
}

const written = (value: Value): string | Buffer | null =>
  typeof value === "number" || typeof value === "boolean" ? String(value) : value

// The driver keeps them as soon as the server says that it understood.
const preparedOn = (connection: Connection): Readonly<Record<string, string>> =>
  "parsedStatements" in connection
    ? connection.parsedStatements as Readonly<Record<string, string>> // texts by names, which its types don't say
    : nothing

const nothing = {}

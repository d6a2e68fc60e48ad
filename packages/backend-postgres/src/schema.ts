/** The tables, the functions, their versions, and how an older schema becomes a current one. See docs/postgres.md. */
import { appendEachFunction } from "./append-each-function.ts"
import { appendFunction } from "./append-function.ts"
import { appendOneFunction } from "./append-one-function.ts"
import { commitFunction, resolveFunction } from "./commit-function.ts"
import type { SqlFunction } from "./plpgsql.ts"
import { putOneFunction } from "./put-one-function.ts"
import { literal } from "./quote.ts"
import { writeEachFunction } from "./write-each-function.ts"

// Format 1. Ids stand for names in every row. Nothing that commits append to is ever updated: a stream's last seq is
// that of its last event, or first - 1 where that is more; the head is the last event's position, or what `head` holds
// where that is more. That row is replaced rather than changed in place, and found by its index, so that a snapshot
// held open by somebody else costs the writers nothing.
const tables = (schema: string): string => `
CREATE TABLE ${schema}.store (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  format integer NOT NULL,
  incarnation text NOT NULL,
  cluster text,
  database text NOT NULL,
  created timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE ${schema}.head (position bigint PRIMARY KEY);
CREATE TABLE ${schema}.stream (
  id bigint PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE,
  first bigint NOT NULL DEFAULT 1
);
CREATE TABLE ${schema}.type (id integer PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE);
CREATE TABLE ${schema}.event (
  position bigint PRIMARY KEY,
  stream bigint NOT NULL,
  seq bigint NOT NULL,
  at bigint NOT NULL,
  type integer NOT NULL,
  data text,
  bytes bytea,
  meta text,
  id text,
  UNIQUE (stream, seq),
  CHECK ((data IS NULL) <> (bytes IS NULL))
);
CREATE TABLE ${schema}.namespace (id integer PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE);
CREATE TABLE ${schema}.entry (
  namespace integer NOT NULL,
  key text COLLATE "C" NOT NULL,
  revision bigint NOT NULL,
  at bigint NOT NULL,
  deleted boolean NOT NULL,
  value text,
  bytes bytea,
  meta text,
  PRIMARY KEY (namespace, key),
  CHECK (deleted OR (value IS NULL) <> (bytes IS NULL))
);
CREATE INDEX stream_shortened ON ${schema}.stream (name) WHERE first > 1;
CREATE UNIQUE INDEX entry_by_revision ON ${schema}.entry (namespace, revision) INCLUDE (deleted);
CREATE TABLE ${schema}.recorded (
  id text COLLATE "C" PRIMARY KEY,
  digest text NOT NULL,
  start bigint NOT NULL,
  position bigint NOT NULL,
  stream bigint,
  first bigint,
  events integer,
  appended bigint[],
  revisions integer[]
);
CREATE TABLE ${schema}.voided (
  id text COLLATE "C" PRIMARY KEY,
  attempts integer NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO ${schema}.head (position) VALUES (0);`

const comments: ReadonlyArray<readonly [what: string, comment: string]> = [
  ["TABLE store", "The store in this schema: one row."],
  ["COLUMN store.format", "The version of these tables and functions."],
  ["COLUMN store.incarnation", "Identity of the history: another after renewIncarnation, see docs/postgres.md."],
  ["COLUMN store.cluster", "Identifier of the cluster it was made in; null where it couldn't be read."],
  ["COLUMN store.database", "Identifier of the database it was made in."],
  ["TABLE head", "The last position given out, where no event has it. One row, replaced by commits that write keys."],
  ["TABLE stream", "Streams by name."],
  ["COLUMN stream.id", "The position of its first event."],
  ["COLUMN stream.name", "As given; U+0000 is written U+0001 U+0001, and U+0001 as U+0001 U+0002."],
  ["COLUMN stream.first", "The first seq that can be read: events below it were truncated."],
  ["TABLE type", "Event types by name."],
  ["TABLE event", "The log: only inserted into, and deleted from by truncations."],
  ["COLUMN event.position", "Place in the store's total order, in which commits become visible; has holes."],
  ["COLUMN event.seq", "Place in the stream, from 1, without holes."],
  ["COLUMN event.at", "When it happened, in milliseconds since 1970."],
  ["COLUMN event.data", "The payload where it is text: JSON, exactly as it was given."],
  ["COLUMN event.bytes", "The payload where it is bytes."],
  ["COLUMN event.meta", "What goes with it, as JSON text; null where there is nothing."],
  ["COLUMN event.id", "The caller's own id for the event; not unique."],
  ["TABLE namespace", "Namespaces of keys by name."],
  ["TABLE entry", "Keys and what they hold now, deleted ones included."],
  ["COLUMN entry.revision", "The position of the key's last write."],
  ["COLUMN entry.deleted", "Whether the last write deleted it; it has no value then."],
  [
    "TABLE recorded",
    "Commits by id, so that one sent again happens once. Old rows may be deleted, see docs/postgres.md."
  ],
  ["COLUMN recorded.digest", "Hash of what was asked for."],
  ["COLUMN recorded.start", "The head before it."],
  ["COLUMN recorded.position", "The head after it."],
  ["COLUMN recorded.stream", "Its first append: stream, first seq, number of events."],
  ["COLUMN recorded.appended", "Its further appends, three numbers each, as above."],
  ["COLUMN recorded.revisions", "Of each of its writes, how far above start it took its revision."],
  ["TABLE voided", "Ids of which somebody was told that nothing happened under them: what was sent before is void."]
]

const commented = (schema: string): string =>
  comments.map(([what, comment]) => {
    const [kind, name] = what.split(" ")
    return `COMMENT ON ${kind} ${schema}.${name} IS ${literal(comment)};`
  }).join("\n")

const format1 = (schema: string): string => [tables, commented].map((part) => part(schema)).join("\n")

/** What brings the tables of each format to the next, from nothing on; the schema's name is given as SQL has it. */
export const formats: ReadonlyArray<(schema: string) => string> = [format1]

/** The functions that this code calls. An older version may have made the store without some of them, or others. */
export const functionsOf = (schema: string): ReadonlyArray<SqlFunction> =>
  [
    appendFunction,
    appendOneFunction,
    appendEachFunction,
    putOneFunction,
    writeEachFunction,
    commitFunction,
    resolveFunction
  ].map((one) => one(schema))

/** The format that this code reads and writes. */
export const currentFormat = formats.length

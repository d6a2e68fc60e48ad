/** Every failure a caller can act on: seven tags that each say what to do next. A lost race is a value, no failure. */
import * as Schema from "effect/Schema"

/** The call was wrong: `field` names what, `remedy` says how to mend it. Nothing happened. */
export class Invalid extends Schema.TaggedError<Invalid>()("Invalid", {
  field: Schema.String,
  reason: Schema.String,
  remedy: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message(): string {
    return `${this.field}: ${this.reason}; ${this.remedy}`
  }
}

/**
 * The store could not answer. Nothing happened; trying again may succeed, but for where `reopen` says that this handle
 * is of no use any more: it was closed or stopped, or another store or history is where its own was.
 */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {
  operation: Schema.String,
  reason: Schema.String,
  remedy: Schema.String,
  reopen: Schema.optionalKey(Schema.Literal(true)),
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message(): string {
    return `${this.operation}: ${this.reason}; ${this.remedy}`
  }
}

/**
 * The commit may or may not have happened: ask `resolve(id)`, or send the same commit under the same id again.
 * `id` is absent only where the backend says that its acknowledgements can't be lost, or that it can't resolve.
 * Of a call that consists of several commits, `happened` tells how many did before; `id` is then the last one's.
 */
export class OutcomeUnknown extends Schema.TaggedError<OutcomeUnknown>()("OutcomeUnknown", {
  id: Schema.UndefinedOr(Schema.String),
  reason: Schema.String,
  happened: Schema.optionalKey(Schema.Number),
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message(): string {
    const way = this.happened !== undefined
      ? "look at what is there before you call again"
      : this.id === undefined
      ? "read the stream to learn the outcome"
      : `call resolve(${JSON.stringify(this.id)})`
    return `commit: the outcome is unknown, ${this.reason}; ${way}`
  }
}

/** A declared limit of the backend would be passed: `actual` is over `limit`, both in `unit`. Nothing happened. */
export class LimitExceeded extends Schema.TaggedError<LimitExceeded>()("LimitExceeded", {
  field: Schema.String,
  limit: Schema.Number,
  actual: Schema.Number,
  unit: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.field}: ${this.actual} ${this.unit} is over the limit of ${this.limit}; ${this.remedy}`
  }
}

/** Policy forbids the call. Nothing happened. */
export class Denied extends Schema.TaggedError<Denied>()("Denied", {
  operation: Schema.String,
  reason: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.operation}: ${this.reason}; ${this.remedy}`
  }
}

/** The store answered with something that can't be true. Trying again won't help; `where` names the place. */
export class Corrupt extends Schema.TaggedError<Corrupt>()("Corrupt", {
  where: Schema.String,
  reason: Schema.String,
  remedy: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message(): string {
    return `${this.where}: ${this.reason}; ${this.remedy}`
  }
}

/** This backend can't do that, and says so instead of pretending. Nothing happened. */
export class Unsupported extends Schema.TaggedError<Unsupported>()("Unsupported", {
  backend: Schema.String,
  ability: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.backend}: ${this.ability} is not supported; ${this.remedy}`
  }
}

/** What a backend may fail with. It never makes an `Invalid`: calls reach it well-formed. */
export type BackendError = Unavailable | OutcomeUnknown | Corrupt | Unsupported | Denied | LimitExceeded

/** What any call on a store may fail with. */
export type StoreError = BackendError | Invalid

const tags = new Set(["Invalid", "Unavailable", "OutcomeUnknown", "LimitExceeded", "Denied", "Corrupt", "Unsupported"])

/** Whether a failure says that the store is to be opened again: whoever goes on until it's ended ends with that. */
export const mustReopen = (error: StoreError): boolean => error._tag === "Unavailable" && error.reopen === true

/** Whether something thrown or failed is one of the store's errors. */
export const isStoreError = (u: unknown): u is StoreError =>
  u instanceof Error && "_tag" in u && typeof u._tag === "string" && tags.has(u._tag)

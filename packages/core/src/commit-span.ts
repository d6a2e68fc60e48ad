/** The span of a commit, for whoever traces: what appends is found again by those who handle what it appended. */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Tracer from "effect/Tracer"
import type { About } from "./backend.ts"
import type { Commit, Committed, Conflict } from "./commit.ts"
import type { Request } from "./committer.ts"
import type { StoreError } from "./error.ts"
import { carrying, isTraced, traceparentOf } from "./trace.ts"

type Caller = Fiber.Fiber<unknown, unknown>

type Answer = Effect.Effect<Committed | Conflict, StoreError>

/**
 * Whether a commit is to have a span of its own: where there is a tracer that anybody looks at, unless it appends
 * nothing and belongs to no trace, such as a sign of life.
 */
export const isSpanned = (fiber: Caller, { append }: Commit): boolean =>
  isTraced(fiber) && (append.length > 0 || fiber.cache.span !== undefined)

/** Submits a commit in a span of its own, and lets its events carry that span. */
export const inSpan = (about: About, request: Request, submit: (request: Request) => Answer): Answer =>
  Effect.useSpan(
    ...describe(request.commit),
    (span) =>
      Effect.tap(submit(carried(about, request, span)), (outcome) =>
        Effect.sync(() => {
          if (outcome._tag === "Conflict") span.attribute("persist.conflict", true)
          else span.attribute("persist.position", outcome.position)
        }))
  )

/** The same commit, its events carrying the caller's span: for one that the committer doesn't make. */
export const inCallersSpan = (fiber: Caller, about: About, request: Request): Request => {
  const span = isTraced(fiber) ? fiber.cache.span : undefined
  return span === undefined ? request : carried(about, request, span)
}

const carried = (about: About, request: Request, span: Tracer.AnySpan): Request => {
  const traceparent = request.commit.append.length === 0 || about.lacks.has("meta") ? undefined : traceparentOf(span)
  return traceparent === undefined ? request : carrying(request, traceparent, about.limits)
}

// Names and attributes as OpenTelemetry has them for messaging and for databases. Streams and keys are not among them:
// they are as many as there are things, and often name people.
const describe = (commit: Commit): readonly [name: string, options: Tracer.SpanOptionsNoTrace] => {
  const { append, write } = commit
  if (append.length === 0) {
    return ["commit", {
      kind: "client",
      attributes: {
        "db.system.name": "persist",
        "db.operation.name": "commit",
        "db.operation.batch.size": write.length
      }
    }]
  }
  const events = append.flatMap((one) => one.events)
  return ["append", {
    kind: "producer",
    attributes: {
      "messaging.system": "persist",
      "messaging.operation.name": "append",
      "messaging.operation.type": "send",
      "messaging.batch.message_count": events.length,
      "persist.event.types": Array.from(new Set(events.map(({ type }) => type))).slice(0, mostTypes)
    }
  }]
}

/** Most types that a span names. */
const mostTypes = 16

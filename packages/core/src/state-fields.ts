/** What a schema tells of the fields of a read model's states: their names, and the kinds of values they hold. */
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import type { PureSchema } from "./codec.ts"
import { Invalid } from "./error.ts"
import { type Kind, kindOf } from "./scalar.ts"
import { closest } from "./suggest.ts"

/** The kinds of values that a field holds, `"other"` for those without an order; `undefined` where that is unknown. */
export type Kinds = ReadonlySet<Kind | "other"> | undefined

/** The fields of a state by name; `undefined` where the schema doesn't tell which there are, as of classes. */
export type StateFields = ReadonlyMap<string, Kinds> | undefined

/** The fields of the states that a schema describes; none where they are no objects. */
export const stateFields = (schema: PureSchema): StateFields => fieldsOf(Schema.toType(schema).ast)

const fieldsOf = (ast: SchemaAST.AST): StateFields => {
  switch (ast._tag) {
    case "Objects": {
      if (ast.indexSignatures.length > 0) return undefined
      const named = ast.propertySignatures.filter(({ name }) => typeof name === "string")
      return new Map(named.map(({ name, type }) => [
        String(name),
        either(kindsOf(type), type.context?.isOptional === true ? only("absent") : only())
      ]))
    }
    case "Union":
      return ast.types.map(fieldsOf).reduce(eitherFields)
    case "Declaration":
    case "Suspend":
    case "Any":
    case "Unknown":
    case "ObjectKeyword":
      return undefined
    default:
      return new Map()
  }
}

// A field that only one of them has is absent in the other.
const eitherFields = (a: StateFields, b: StateFields): StateFields =>
  a === undefined || b === undefined ? undefined : new Map(
    Array.from(new Set([...a.keys(), ...b.keys()]), (name) => [
      name,
      either(a.has(name) ? a.get(name) : only("absent"), b.has(name) ? b.get(name) : only("absent"))
    ])
  )

const kindsOf = (ast: SchemaAST.AST): Kinds => {
  switch (ast._tag) {
    case "String":
    case "TemplateLiteral":
      return only("text")
    case "Number":
      return only("number")
    case "Boolean":
      return only("boolean")
    case "Null":
      return only("null")
    case "Undefined":
    case "Void":
      return only("absent")
    case "Literal":
      return only(kindOf(ast.literal) ?? "other")
    case "Enum":
      return only(...ast.enums.map(([, value]) => kindOf(value) ?? "other"))
    case "Union":
      return ast.types.map(kindsOf).reduce(either, only())
    case "Declaration":
      return isDate(ast) ? only("time") : undefined
    case "Suspend":
    case "Any":
    case "Unknown":
    case "ObjectKeyword":
      return undefined
    default:
      return only("other")
  }
}

const isDate = ({ annotations }: SchemaAST.Declaration): boolean => {
  const form = annotations?.["representation"]
  return typeof form === "object" && form !== null && "id" in form && form.id === "effect/schema/Date"
}

const only = (...kinds: ReadonlyArray<Kind | "other">): ReadonlySet<Kind | "other"> => new Set(kinds)

const either = (a: Kinds, b: Kinds): Kinds => a === undefined || b === undefined ? undefined : new Set([...a, ...b])

/** Why a state has no such field to be ordered by; `place` is the field of the call that names it. */
export const fieldFault = (fields: StateFields, place: string, field: unknown): Invalid | undefined => {
  if (typeof field !== "string") {
    return new Invalid({ field: place, reason: "is no name of a field", remedy: "pass the name of a field" })
  }
  if (fields === undefined) return undefined
  if (!fields.has(field)) {
    const [meant] = closest(field, fields.keys(), 1)
    return new Invalid({
      field: place,
      reason: `the states have no field ${JSON.stringify(field)}`,
      remedy: meant === undefined ? "name a field of the state" : `name a field of the state, such as ${meant}`
    })
  }
  const kinds = fields.get(field)
  return kinds?.has("other") === true
    ? new Invalid({
      field: place,
      reason: `${JSON.stringify(field)} may hold what has no order`,
      remedy: "name a field that holds text, numbers, truth values or dates, and keep others beside it"
    })
    : undefined
}

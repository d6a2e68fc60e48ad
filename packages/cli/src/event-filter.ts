/** The flags that say which events: of which streams, of which types, between which positions. */
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"

/** Only streams whose name starts with it. */
export const prefixFlag = Flag.String("prefix").pipe(
  Flag.withDescription("Only streams whose name starts with this"),
  Flag.optional
)

/** Only events of these types; every one of them when it isn't given. */
export const typeFlag = Flag.String("type").pipe(
  Flag.withDescription("Only events of this type; give it several times for several"),
  Flag.between(0, Number.MAX_SAFE_INTEGER)
)

/** Only events after this position. */
export const afterFlag = Flag.Int("after").pipe(Flag.withDescription("Only events after this position"), Flag.optional)

/** The last seq or position wanted. */
export const toFlag = Flag.Int("to").pipe(Flag.withDescription("The last seq (or position) wanted"), Flag.optional)

/** Most things to give. */
export const limitFlag = Flag.Int("limit").pipe(Flag.withDescription("At most so many"), Flag.optional)

/** Last first. */
export const reverseFlag = Flag.Boolean("reverse").pipe(Flag.withDescription("Last first"), Flag.withDefault(false))

/** What the flags say, as reads take it. */
export const eventFilter = ({ prefix, type }: {
  readonly prefix: Option.Option<string>
  readonly type: ReadonlyArray<string>
}): { readonly prefix: string | undefined; readonly types: ReadonlyArray<string> | undefined } => ({
  prefix: Option.getOrUndefined(prefix),
  types: type.length === 0 ? undefined : type
})

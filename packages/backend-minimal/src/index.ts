/** The minimal backend: six functions lifted into the protocol, with what they can't do declared and refused. */
export * from "./lift.ts"
export type { SixEvent, SixFunctions, Soon } from "./six-functions.ts"

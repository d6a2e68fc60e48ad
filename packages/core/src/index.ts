/** Everything core offers, by concept. */
export * from "./backend.ts"
export * from "./commit.ts"
export * from "./error.ts"
export * from "./judge.ts"
export * from "./name.ts"
export * from "./payload.ts"
export * from "./sequence.ts"
export * from "./signal.ts"

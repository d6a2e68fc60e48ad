/** The kit for users: the laws, fixtures to ask them of, the runner and the scoreboard. */
export * from "./fixture.ts"
export * from "./law.ts"
export * from "./laws.ts"
export * from "./runner.ts"
export * from "./scoreboard.ts"
export * from "./suite.ts"

/** The program as a function, for those who start it from their own. */
export * from "./command-line.ts"
export * from "./exit-code.ts"

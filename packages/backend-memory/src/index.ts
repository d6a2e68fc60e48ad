/** The memory backend: a store that lives as long as the object. */
export * from "./layer.ts"

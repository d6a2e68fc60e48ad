/** The file backend: a store in a directory, whose log is its own source of truth. */
export type { Config } from "./config.ts"
export { layer, make } from "./layer.ts"
export { renewIncarnation } from "./renew.ts"
export type { Damage } from "./verify/finding.ts"
export { type OnVerified, type Verified, verify } from "./verify/verify.ts"

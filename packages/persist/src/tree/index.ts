/** A store as a tree of files that people read and git keeps, for Effect: exported, kept up to date, imported. */
export { type Exported, exportTree, type ExportTreeOptions, followTree, type FollowTreeOptions } from "./export.ts"
export type { TreeConflict } from "./import-plan.ts"
export { type Imported, importTree, type ImportTreeOptions, type TreeConflicts } from "./import.ts"

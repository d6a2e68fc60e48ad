/** The files of a tree's directory: numbered, never written twice, removed once no list names them. */
import { join } from "node:path"
import type { RunInfo, TreePlace } from "./tree.ts"

const ending = ".run"
const digits = 10

/** A file that was made, and is open. */
export interface NewFile {
  readonly fd: number
  readonly file: string
}

/** Makes and removes files of runs. All throw what the disk throws. */
export class RunFiles {
  private readonly place: TreePlace
  private next: number

  constructor(place: TreePlace) {
    this.place = place
    this.next = 1 + Math.max(0, ...place.runs.map(({ file }) => Number.parseInt(file, 10)))
  }

  /** Makes a file that no list ever named: one of that number may have been left by somebody who was stopped. */
  create(): NewFile {
    const { directory, disk } = this.place
    for (;;) {
      const file = String(this.next++).padStart(digits, "0") + ending
      try {
        return { fd: disk.create(join(directory, file)), file }
      } catch (cause) {
        if (!(cause instanceof Error && "code" in cause && cause.code === "EEXIST")) throw cause
      }
    }
  }

  remove(runs: ReadonlyArray<Pick<RunInfo, "file">>): void {
    for (const { file } of runs) this.place.disk.remove(join(this.place.directory, file))
  }

  /** Removes what a stopped process left: files of runs that aren't in the list. */
  sweep(): void {
    const { directory, disk, runs } = this.place
    const listed = new Set(runs.map(({ file }) => file))
    const left = disk.list(directory).filter((file) => file.endsWith(ending) && !listed.has(file))
    this.remove(left.map((file) => ({ file })))
  }

  /** Makes durable which files there are. */
  sync(): void {
    this.place.disk.syncDirectory(this.place.directory)
  }
}

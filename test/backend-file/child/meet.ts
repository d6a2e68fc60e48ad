/** A thread that makes the directories 0, 1, 2 and so on, each when another thread does; counts what fails. */
import { disk } from "@persist/backend-file/disk"
import { join } from "node:path"
import { workerData } from "node:worker_threads"

/** Where the directories go, and for each how many threads have come to it. */
export interface Meeting {
  readonly path: string
  readonly arrived: Int32Array
  /** How often it failed, in its one place. */
  readonly failed: Int32Array
}

const { arrived, failed, path }: Meeting = workerData

for (let round = 0; round < arrived.length; round++) {
  Atomics.add(arrived, round, 1)
  while (Atomics.load(arrived, round) < 2);
  try {
    disk.makeDirectory(join(path, String(round)))
  } catch {
    Atomics.add(failed, 0, 1)
  }
}

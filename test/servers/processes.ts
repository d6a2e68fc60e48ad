/** Processes by their numbers: whether one lives and what it is, and signals to it and all its children. */
import { spawnSync } from "node:child_process"

const ps = (...args: ReadonlyArray<string>): string => spawnSync("ps", args, { encoding: "utf8" }).stdout

/** Whether a process with this number lives. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return Object(error).code === "EPERM"
  }
}

/** Whether a process was started on this directory, and isn't another that got the number of one long gone. */
export const isOf = (pid: number, directory: string): boolean =>
  ps("-o", "command=", "-p", String(pid)).includes(directory)

const childrenOf = (pid: number): ReadonlyArray<number> =>
  ps("-A", "-o", "pid=,ppid=").split("\n").flatMap((line) => {
    const [child, parent] = line.trim().split(/\s+/).map(Number)
    return child !== undefined && parent === pid ? [child] : []
  })

/** Sends a signal to a process and all its children. */
export const signalAll = (pid: number, signal: "SIGSTOP" | "SIGCONT" | "SIGKILL"): void => {
  // The parent is stopped first, so that it makes no more children, and goes on last.
  process.kill(pid, "SIGSTOP")
  for (const child of childrenOf(pid)) {
    try {
      process.kill(child, signal)
    } catch {
      // It ended by itself.
    }
  }
  process.kill(pid, signal)
}

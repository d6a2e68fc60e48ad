/** What takes a group of commits back out of memory, where it didn't get to the disk. */

/** Steps that each take one change back. */
export class Undo {
  private steps: Array<() => void> = []
  private recording = false

  /** From now on every change has a step back. */
  begin(): void {
    this.recording = true
  }

  /** Notes how a change is taken back, while that's recorded. */
  add(step: () => void): void {
    if (this.recording) this.steps.push(step)
  }

  /** Keeps what was done. */
  keep(): void {
    this.recording = false
    this.steps = []
  }

  /** Takes back what was done since the beginning, the last change first. */
  takeBack(): void {
    this.recording = false
    for (const step of this.steps.reverse()) step()
    this.steps = []
  }
}

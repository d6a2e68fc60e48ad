/** Judging a batch by core's rules, each commit as the ones before it left what was assumed. */
import type { Commit, Committed, Outcome, Recorded, Standing } from "@persist/core"
import { judge, place, Position, Seq } from "@persist/core"
import { type Assumption, keyName } from "./assume.ts"

/** A judged batch. */
export interface Played {
  /** One for each commit, in order, with the numbers that follow from the assumption. */
  readonly outcomes: ReadonlyArray<Outcome>
  /** Whether a key's revision was asked for that the batch itself had given: such a judgement rests on the head. */
  readonly headMatters: boolean
  /** Ids of the commits that conflict: unless one has happened before, as nobody has told yet. */
  readonly conflicting: ReadonlyArray<string>
}

/** Judges and places every commit of a batch. The numbers are right where the assumption is. */
export const play = (batch: ReadonlyArray<Commit>, assumption: Assumption): Played => {
  const stage = new Stage(assumption)
  const outcomes = batch.map((commit) => stage.decide(commit))
  const conflicting = batch.flatMap(({ identity }, n) =>
    identity !== undefined && outcomes[n]?._tag === "Conflict" ? [identity.id] : []
  )
  return { outcomes, headMatters: stage.headMatters, conflicting }
}

class Stage {
  headMatters = false
  private head: Position
  private readonly assumption: Assumption
  private readonly lasts = new Map<string, Seq>()
  private readonly revisions = new Map<string, Position>()
  private readonly counts = new Map<string, number>()
  private readonly recorded = new Map<string, Recorded>()
  private readonly standing: Standing

  constructor(assumption: Assumption) {
    this.assumption = assumption
    this.head = Position(assumption.head)
    this.standing = {
      lastSeq: (stream) => this.lasts.get(stream) ?? Seq(assumption.streams.get(stream)?.value ?? 0),
      revision: (namespace, key) => {
        const own = this.revisions.get(keyName(namespace, key))
        if (own !== undefined && own > 0) this.headMatters = true
        return own ?? this.assumed(namespace, key)
      },
      recorded: (id) => this.recorded.get(id) ?? assumption.recorded.get(id)
    }
  }

  decide(commit: Commit): Outcome {
    const verdict = judge(commit, this.standing)
    if (verdict !== undefined) return verdict
    const placed = place(commit, this.head, this.standing.lastSeq, (namespace) => this.living(namespace))
    this.head = placed.position
    for (const { last, stream } of placed.appended) this.lasts.set(stream, last)
    this.write(commit, placed)
    if (commit.identity !== undefined) {
      this.recorded.set(commit.identity.id, { digest: commit.identity.digest, committed: placed })
    }
    return placed
  }

  private write({ write }: Commit, { revisions }: Committed): void {
    write.forEach((one, n) => {
      const { namespace } = one
      if (one._tag === "Clear") {
        this.counts.set(namespace, 0)
        for (const [name, assumed] of this.assumption.keys) {
          if (assumed.namespace === namespace) this.revisions.set(name, Position(0))
        }
        return
      }
      const name = keyName(namespace, one.key)
      const before = this.revisions.get(name) ?? this.assumed(namespace, one.key)
      const after = one._tag === "Put" ? revisions[n] ?? this.head : Position(0)
      if (this.assumption.counts.has(namespace)) {
        this.counts.set(namespace, this.living(namespace) + Number(after > 0) - Number(before > 0))
      }
      this.revisions.set(name, after)
    })
  }

  private assumed(namespace: string, key: string): Position {
    return Position(this.assumption.keys.get(keyName(namespace, key))?.value ?? 0)
  }

  private living(namespace: string): number {
    return this.counts.get(namespace) ?? this.assumption.counts.get(namespace) ?? 0
  }
}

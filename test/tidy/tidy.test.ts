/** The house rules over the whole project, and the proof that each of them can find fault. */
import { describe, expect, test } from "vitest"
import { documentRules } from "./documents.ts"
import { escapeRules } from "./escapes.ts"
import { layerRules } from "./layers.ts"
import { lockRules } from "./lock.ts"
import { proofRules } from "./proof.ts"
import { findings } from "./rule.ts"
import { shapeRules } from "./shape.ts"
import { projectTree, treeOf } from "./tree.ts"

const rules = [...layerRules, ...shapeRules, ...escapeRules, ...proofRules, ...documentRules, ...lockRules]
const project = projectTree()

describe.each(rules)("$name", (rule) => {
  test("holds", () => {
    expect([...project.paths].filter(rule.covers), "files the rule is about").not.toEqual([])
    expect(findings(rule, project)).toEqual([])
  })

  test("finds fault with each bad sample, and with no good one", () => {
    expect(rule.bad).not.toEqual([])
    expect(rule.good).not.toEqual([])
    for (const sample of rule.bad) expect(findings(rule, treeOf(sample)), JSON.stringify(sample)).not.toEqual([])
    for (const sample of rule.good) expect(findings(rule, treeOf(sample)), JSON.stringify(sample)).toEqual([])
  })
})

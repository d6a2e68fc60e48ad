/** Prints what the house rules find fault with: `node --conditions=source test/tidy/findings.ts`. */
import { documentRules } from "./documents.ts"
import { escapeRules } from "./escapes.ts"
import { layerRules } from "./layers.ts"
import { lockRules } from "./lock.ts"
import { proofRules } from "./proof.ts"
import { findings } from "./rule.ts"
import { shapeRules } from "./shape.ts"
import { projectTree } from "./tree.ts"

const project = projectTree()
for (const rule of [...layerRules, ...shapeRules, ...escapeRules, ...proofRules, ...documentRules, ...lockRules]) {
  for (const finding of findings(rule, project)) console.log(`${rule.name}: ${JSON.stringify(finding)}`)
}

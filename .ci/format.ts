/** Formats TypeScript files, the named ones or all; with `--check` it changes nothing and names those that differ. */
import { createContext } from "@dprint/formatter"
import { getPath } from "@dprint/typescript"
import { globSync, readFileSync, writeFileSync } from "node:fs"
import { parseArgs } from "node:util"

const context = createContext({ indentWidth: 2, lineWidth: 120, newLineKind: "lf" })
context.addPlugin(readFileSync(getPath()), {
  "semiColons": "asi",
  "quoteStyle": "alwaysDouble",
  "trailingCommas": "never",
  "operatorPosition": "maintain",
  "conditionalExpression.operatorPosition": "nextLine",
  "arrowFunction.useParentheses": "force"
})

const { positionals, values } = parseArgs({ allowPositionals: true, options: { check: { type: "boolean" } } })
const everywhere = ["*.ts", "{packages,conformance,test,examples,bench,.ci}/**/*.ts"]
const files = globSync(positionals.length > 0 ? positionals : everywhere, {
  exclude: (path) => /(^|\/)(node_modules|dist)(\/|$)/.test(path)
})
if (files.length === 0) throw new Error("no file to format")

const differing = files.filter((filePath) => {
  const fileText = readFileSync(filePath, "utf8")
  const formatted = context.formatText({ filePath, fileText })
  if (formatted !== fileText && values.check !== true) writeFileSync(filePath, formatted)
  return formatted !== fileText
})
for (const path of differing.sort()) console.log(path)
if (values.check === true && differing.length > 0) {
  console.error(`${differing.length} of ${files.length} files differ: npm run format`)
  process.exitCode = 1
}

/** Mails every invoice to its customer. */
import { subscription } from "@persist/runner"
import * as Effect from "effect/Effect"
import { appendFileSync } from "node:fs"
import { Schema } from "persist/effect"
import { Shop } from "./events.ts"

/** A mail as it's handed over. */
export const Mail = Schema.Struct({
  /** Whoever takes mails to deliver ignores what comes again under the same key. */
  key: Schema.String,
  to: Schema.String,
  invoice: Schema.Natural,
  text: Schema.String
})

/**
 * The file stands for a service that delivers mails, and that no commit of the store can include. So after a crash it
 * may be given a mail again: under the same key, as every serious service of that kind asks for.
 */
export const mailer = (file: string) =>
  subscription({
    name: "mailer",
    events: Shop.only("InvoiceIssued"),
    partitions: 2,
    key: ({ data }) => data.customer,
    handle: ({ data: { cents, customer, order }, seq }, { key }) =>
      Effect.sync(() => {
        const text = `invoice ${seq} for order ${order}: ${(cents / 100).toFixed(2)} EUR`
        const mail: typeof Mail.Type = { key, to: customer, invoice: seq, text }
        appendFileSync(file, `${JSON.stringify(mail)}\n`)
      })
  })

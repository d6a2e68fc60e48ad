/** All that runs behind the shop. */
import { readModel } from "@persist/runner"
import { fulfilment } from "./fulfilment.ts"
import { mailer } from "./mailer.ts"
import { orderList, sales, stock, timeline } from "./read-models.ts"
import { warehouse } from "./warehouse.ts"

/** The processors of the shop: every process runs all of them, and they share the partitions. */
export const processors = (mails: string) => [
  fulfilment,
  warehouse,
  mailer(mails),
  readModel(stock),
  readModel(orderList),
  readModel(timeline),
  readModel(sales)
]

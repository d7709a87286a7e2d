/** A durable pull consumer with explicit acknowledgements, as a hand-written service makes it. */
import { AckPolicy, connect, nanos } from "nats"

export const ACK_WAIT_SECONDS = 5

export const messagesOf = async (maxInFlight) => {
  const nc = await connect({ servers: process.env.NATS_URL })
  const manager = await nc.jetstreamManager()
  const name = process.env.DURABLE
  await manager.consumers.add("ERP", {
    durable_name: name,
    filter_subject: process.env.JOB === "invoices" ? "erp.be01.invoice.>" : "erp.be01.timesheet.>",
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ACK_WAIT_SECONDS * 1_000),
    max_ack_pending: maxInFlight,
  })
  const consumer = await nc.jetstream().consumers.get("ERP", name)
  return consumer.consume({ max_messages: maxInFlight })
}

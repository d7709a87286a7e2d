/** `@moleculer/channels` with its NATS adapter and its defaults: eight in flight, retries. */
import channels from "@moleculer/channels"
import { ServiceBroker } from "moleculer"
import { bring } from "./odoo.mjs"

const broker = new ServiceBroker({
  logger: false,
  middlewares: [
    channels.Middleware({
      adapter: {
        type: "NATS",
        options: {
          maxInFlight: 8,
          maxRetries: 1_000,
          nats: {
            url: process.env.NATS_URL,
            streamConfig: { name: "ERP" },
            consumerOptions: {
              config: { deliver_policy: "all", ack_wait: 5_000_000_000 },
            },
          },
        },
      },
    }),
  ],
})
broker.createService({
  name: "timesheets",
  channels: {
    "erp.be01.timesheet.approved": {
      group: process.env.DURABLE,
      handler: (payload) => bring(payload),
    },
  },
})
await broker.start()

/** NestJS with the JetStream transport: an event handler that acknowledges when it is done. */
import "reflect-metadata"
import { Controller, Module } from "@nestjs/common"
import { NestFactory } from "@nestjs/core"
import { Ctx, EventPattern, Payload } from "@nestjs/microservices"
import { NatsJetStreamServer } from "@nestjs-plugins/nestjs-nats-jetstream-transport"
import { bring } from "./odoo.mjs"

class Timesheets {
  async approved(payload, context) {
    await bring(payload)
    context.message.ack()
  }
}
// Decorators as functions: this file needs no compiler.
Controller()(Timesheets)
Payload()(Timesheets.prototype, "approved", 0)
Ctx()(Timesheets.prototype, "approved", 1)
EventPattern("erp.be01.timesheet.approved")(
  Timesheets.prototype,
  "approved",
  Object.getOwnPropertyDescriptor(Timesheets.prototype, "approved"),
)

class App {}
Module({ controllers: [Timesheets] })(App)

const app = await NestFactory.createMicroservice(App, {
  logger: false,
  strategy: new NatsJetStreamServer({
    connectionOptions: { servers: process.env.NATS_URL },
    consumerOptions: {
      durable: process.env.DURABLE,
      deliverTo: process.env.DURABLE,
      deliverGroup: process.env.DURABLE,
      deliverPolicy: "All",
      ackPolicy: "Explicit",
      manualAck: true,
      ackWait: 5_000,
      maxAckPending: 8,
    },
  }),
})
await app.listen()

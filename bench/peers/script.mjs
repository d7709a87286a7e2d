/** One event after the other: look, make, acknowledge. */
import { messagesOf } from "./consume.mjs"
import { bring } from "./odoo.mjs"

for await (const message of await messagesOf(1)) {
  await bring(message.json())
  message.ack()
}

/** The same with a pool of promises: as many at once as Odoo has workers, and a few that wait. */
import { messagesOf } from "./consume.mjs"
import { bring } from "./odoo.mjs"

const POOL = 8
const running = new Set()
for await (const message of await messagesOf(POOL)) {
  const done = bring(message.json()).then(
    () => message.ack(),
    () => message.nak(200),
  ).finally(() => running.delete(done))
  running.add(done)
  if (running.size >= POOL) await Promise.race(running)
}

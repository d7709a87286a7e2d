import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { stepRedriveWhileReady } from "../sql/desk/redrives.ts"
import { settlePosting } from "../sql/settle.ts"

/** Nothing waits for what is there already: a draft for the mode that posts, a redrive for events that wait themselves. */
const statements = [
  settlePosting,
  stepRedriveWhileReady,
  `update weir.held h set state = 'ready', wait_flow = null, wait_key = null, deadline_millis = null
   from weir.lease l
   where l.entity = h.entity and l.mode in ('full', 'essential') and h.state = 'waiting' and h.wait_flow = 'mode'`,
]

export const waits = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
})

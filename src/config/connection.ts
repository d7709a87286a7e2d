/** How a process connects to the broker that the configuration names. */
import { Effect } from "effect"
import type { JetStreamOptions } from "../broker/JetStreamBroker.ts"
import type { Settings } from "./Configuration.ts"
import { resolve, type SecretMissing } from "./Secret.ts"

/** Options for the broker at `servers`, with its secrets read now. */
export const connectionOf = Effect.fnUntraced(function* ({ nats }: Settings, servers: string) {
  const secrets: Array<readonly [string, unknown]> = []
  for (const name of ["credentials", "token", "password", "nkey"] as const) {
    const reference = nats?.[name]
    if (reference !== undefined) secrets.push([name, yield* resolve(reference)])
  }
  const options: JetStreamOptions = {
    servers,
    ...(nats?.user === undefined ? {} : { user: nats.user }),
    ...(nats?.replicas === undefined ? {} : { replicas: nats.replicas }),
    ...(nats?.inbox === undefined ? {} : { inbox: nats.inbox }),
    ...(nats?.tls === undefined ? {} : { tls: nats.tls }),
    ...Object.fromEntries(secrets),
  }
  return options
}) satisfies (settings: Settings, servers: string) => Effect.Effect<JetStreamOptions, SecretMissing>

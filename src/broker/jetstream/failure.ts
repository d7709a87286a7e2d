/** What the NATS client throws, as the port's error. Decisions read types and codes, never a message text. */
import { JetStreamApiError } from "@nats-io/jetstream"
import { errors } from "@nats-io/transport-node"
import { BrokerError } from "../Broker.ts"

/** JetStream API error codes (nats-server `server/errors.json`). */
export const apiCode = {
  consumerNotFound: 10014,
  streamNotFound: 10059,
  streamNameInUse: 10058,
  notEnabledForAccount: 10039,
} as const

/** The client does not export these classes; their `name` is a constant. */
const isNamed = (cause: unknown, name: "InvalidNameError" | "JetStreamNotEnabled"): cause is Error =>
  cause instanceof Error && cause.name === name

const isRefusal = (cause: unknown): boolean =>
  // 5xx of the API: no leader, no resources, shutting down. They pass.
  (cause instanceof JetStreamApiError && cause.status < 500) ||
  (cause instanceof JetStreamApiError && cause.code === apiCode.notEnabledForAccount) ||
  isNamed(cause, "InvalidNameError") ||
  cause instanceof errors.AuthorizationError ||
  cause instanceof errors.UserAuthenticationExpiredError ||
  cause instanceof errors.PermissionViolationError ||
  cause instanceof errors.InvalidSubjectError ||
  cause instanceof errors.InvalidArgumentError ||
  cause instanceof errors.InvalidOperationError

/** Nobody answers on the API's or the stream's subject: JetStream is off, no stream is there, or it elects a leader. */
const isNoResponders = (cause: unknown): boolean =>
  cause instanceof errors.NoRespondersError ||
  (cause instanceof errors.RequestError && cause.isNoResponders()) ||
  (isNamed(cause, "JetStreamNotEnabled") && !(cause.cause instanceof JetStreamApiError))

const advice = (cause: unknown): string => {
  if (cause instanceof JetStreamApiError && cause.code === apiCode.streamNotFound) {
    return ". Provision the streams first."
  }
  if (
    cause instanceof errors.AuthorizationError || cause instanceof errors.PermissionViolationError ||
    cause instanceof errors.UserAuthenticationExpiredError
  ) return ". Correct the NATS credentials or permissions."
  return isNamed(cause, "JetStreamNotEnabled") ? ". Switch JetStream on for the account." : ""
}

const textOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause)
  // The client wraps what happened to a request: the inner cause is the telling one.
  const inner = cause instanceof errors.RequestError && cause.cause instanceof Error ? `: ${cause.cause.message}` : ""
  return `${cause.message}${inner}`
}

/**
 * A retryable failure unless the broker clearly says no. All consumers here are Weir's own, so one that is gone was lost
 * by a broker that restarted, or given up by it: a fresh one takes its place.
 */
export const failureOf = (operation: string, jetstreamIsOn: boolean) => (cause: unknown): BrokerError => {
  if (cause instanceof BrokerError) return cause
  if (isNoResponders(cause)) {
    return jetstreamIsOn
      ? new BrokerError({ reason: "Unreachable", operation, message: "no stream answers on this subject yet", cause })
      : new BrokerError({
        reason: "Refused",
        operation,
        message: "JetStream is off. Switch it on in the server and the account.",
      })
  }
  const inner = cause instanceof Error ? cause.cause : undefined
  const reason = isApiCode(cause, apiCode.consumerNotFound)
    ? "Interrupted"
    : isRefusal(cause) || isRefusal(inner)
    ? "Refused"
    : "Unreachable"
  return new BrokerError({ reason, operation, message: `${textOf(cause)}${advice(cause)}`, cause })
}

export const interrupted = (operation: string, message: string): BrokerError =>
  new BrokerError({ reason: "Interrupted", operation, message })

export const isApiCode = (cause: unknown, code: number): boolean =>
  cause instanceof JetStreamApiError && cause.code === code

/**
 * What the broker writes into the reply subject of a delivery (nats-server `ackReply`, ADR-15):
 *
 *     $JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<times delivered>.<stream sequence>.<delivery sequence>.<ns>.<left>
 */
export interface Place {
  readonly streamSequence: number
  /** Counts what the consumer delivers, redeliveries too, from 1 without gaps. */
  readonly deliverySequence: number
  /** When the broker stored the message, epoch milliseconds. */
  readonly storedAtMillis: number
}

const NANOS_DIGITS = 6

/** Reads the replies of one consumer. What stands before its name is the same in all of them and read once. */
export const placeReader = (stream: string, consumer: string): (reply: string) => Place => {
  const name = `.${stream}.${consumer}.`
  let start = 0
  return (reply) => {
    if (start === 0) start = reply.indexOf(name) + name.length
    const afterCount = reply.indexOf(".", start)
    const afterStream = reply.indexOf(".", afterCount + 1)
    const afterDelivery = reply.indexOf(".", afterStream + 1)
    const afterTime = reply.indexOf(".", afterDelivery + 1)
    return {
      streamSequence: Number(reply.slice(afterCount + 1, afterStream)),
      deliverySequence: Number(reply.slice(afterStream + 1, afterDelivery)),
      // Nanoseconds do not fit into a number.
      storedAtMillis: Number(reply.slice(afterDelivery + 1, afterTime - NANOS_DIGITS)),
    }
  }
}

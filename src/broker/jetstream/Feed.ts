/**
 * What one consumer is asked for, what arrives, and what the broker hears of it. Never more is asked for than there is
 * room for, here and in the whole process (`Places.ts`):
 *
 *     room ──pull──► asked ──arrives──► held ──ack──► room
 *      ▲               │ request over                  and when all before it are acknowledged: the broker's floor moves
 *      └───────────────┘
 *
 * The broker numbers what it delivers and tells its last number with every heartbeat. A number that is missing is a
 * message that is out and unknown here: the feed fails, and the owner opens a fresh consumer.
 *
 * No fiber, no promise and no closure per message.
 */
import { type Msg, nanos, type PermissionViolationError } from "@nats-io/transport-node"
import { Array as Arr, Cause, Effect } from "effect"
import type { BrokerError, ConsumeRequest, Delivery } from "../Broker.ts"
import type { Client } from "./Client.ts"
import { consumerName } from "./consumerName.ts"
import type { Doorbell } from "./Doorbell.ts"
import { failureOf, interrupted } from "./failure.ts"
import { Floor } from "./Floor.ts"
import { headersOf } from "./headers.ts"
import { OWN_PLACES } from "./Places.ts"
import { type Place, placeReader } from "./reply.ts"

/** Most messages of one pull. */
const MAX_PULL = 512
/** While a request is under way, the next one follows when there is room for this part of `maxInFlight`. */
const WORTH_A_PULL = 1 / 4
/** The broker ends a request that it cannot fill in so long; the next one follows at once. */
const EXPIRES_MILLIS = 30_000
/** The broker says that it is alive so often while it has nothing to deliver. */
const HEARTBEAT_MILLIS = 2_000
/** Asked and without a word for so long, the consumer is given up. */
const SILENCE_MILLIS = 3 * HEARTBEAT_MILLIS

const HEARTBEAT = 100
const REQUEST_OVER = 408
const CONFLICT = 409
const NO_RESPONDERS = 503

/** What the broker adds to a message without reply. */
const LAST_DELIVERY = "Nats-Last-Consumer"
const UNFILLED = "Nats-Pending-Messages"

class Held implements Delivery {
  readonly subject: string
  readonly headers: Delivery["headers"]
  readonly data: Uint8Array
  readonly streamSequence: number
  readonly storedAtMillis: number
  readonly redelivered = false
  readonly #feed: Feed
  readonly #position: number

  constructor(feed: Feed, position: number, message: Msg, reply: string, place: Place) {
    this.subject = message.subject
    this.data = message.data
    this.headers = headersOf(message, this.data, this.subject, reply)
    this.streamSequence = place.streamSequence
    this.storedAtMillis = place.storedAtMillis
    this.#feed = feed
    this.#position = position
  }

  ack(): void {
    this.#feed.acknowledge(this.#position)
  }
}

export class Feed {
  readonly inbox: string
  readonly #client: Client
  readonly #name: string
  readonly #maxInFlight: number
  readonly #next: string
  readonly #placeIn: ReturnType<typeof placeReader>
  readonly #doorbell: Doorbell
  readonly #floor = new Floor()
  #asked = 0
  #held = 0
  /** Of the next request. Doubles with each that is filled; who has nothing to deliver is asked for little. */
  #window = OWN_PLACES
  /** Places that the process counts as this feed's. */
  #counted = 0
  #lastDelivery = 0
  #lastStream: number
  #heardMillis = 0
  /** When something arrived, or the feed began. */
  #arrivedMillis = Date.now()
  #open = true
  #failure: BrokerError | undefined
  #isOver = false
  /** Not yet taken by the stream. */
  #arrived: Array<Delivery> = []
  #wake: (() => void) | undefined
  #isDue = false

  constructor(client: Client, stream: string, inbox: string, request: ConsumeRequest) {
    this.inbox = inbox
    this.#client = client
    this.#name = consumerName(request)
    this.#maxInFlight = request.maxInFlight
    this.#next = `${client.jsm.getOptions().apiPrefix ?? "$JS.API"}.CONSUMER.MSG.NEXT.${stream}.${this.#name}`
    this.#placeIn = placeReader(stream, this.#name)
    this.#doorbell = client.ofStream(stream).doorbell
    this.#lastStream = request.afterSequence
  }

  /** What has arrived, as soon as something has. Done when nothing came for so long that a consumer is not worth it. */
  readonly pull: Effect.Effect<Arr.NonEmptyReadonlyArray<Delivery>, BrokerError | Cause.Done> = Effect.suspend(() => {
    const arrived = this.#arrived
    if (Arr.isArrayNonEmpty(arrived)) {
      this.#arrived = []
      return Effect.succeed(arrived)
    }
    if (this.#failure !== undefined) return Effect.fail(this.#failure)
    return this.#isOver ? Cause.done() : Effect.andThen(this.#woken, this.pull)
  })

  readonly #woken = Effect.callback<void>((resume) => {
    this.#wake = () => resume(Effect.void)
    return Effect.sync(() => this.#wake = undefined)
  })

  /** Everything that comes to the inbox. */
  onMessage(message: Msg): void {
    if (!this.#open) return
    this.#heardMillis = Date.now()
    const reply = message.reply ?? ""
    if (reply === "") return this.#onStatus(message)
    const place = this.#placeIn(reply)
    if (place.deliverySequence !== this.#lastDelivery + 1) {
      return this.fail(`delivery ${place.deliverySequence} came after delivery ${this.#lastDelivery}`)
    }
    this.#lastDelivery = place.deliverySequence
    this.#asked--
    this.#later()
    // A message that is held, or acknowledged above the floor, came again after the ack wait: it is known.
    if (place.streamSequence <= this.#lastStream) return
    this.#lastStream = place.streamSequence
    this.#arrivedMillis = this.#heardMillis
    this.#held++
    this.#arrived.push(new Held(this, this.#floor.add(reply), message, reply, place))
  }

  acknowledge(position: number): void {
    if (!this.#floor.acknowledge(position)) return
    this.#held--
    this.#later()
  }

  /** Asks for as much as there is room for. */
  ask(): void {
    const own = this.#held + this.#asked
    const most = Math.min(this.#window, MAX_PULL, this.#maxInFlight)
    const room = Math.min(most, this.#maxInFlight - own, this.#client.places.roomFor(own))
    if (room <= 0 || (this.#asked > 0 && room < most * WORTH_A_PULL)) return
    if (this.#asked === 0) this.#heardMillis = Date.now()
    this.#asked += room
    this.#window = Math.min(2 * this.#window, MAX_PULL)
    this.#count(own + room)
    const request = { batch: room, expires: nanos(EXPIRES_MILLIS), idle_heartbeat: nanos(HEARTBEAT_MILLIS) }
    this.#send(this.#next, JSON.stringify(request), this.inbox)
  }

  /** To be called every now and then. */
  check(): void {
    const now = Date.now()
    if (this.#asked > 0 && now - this.#heardMillis > SILENCE_MILLIS) this.fail("the broker went silent")
    if (this.#held === 0 && now - this.#arrivedMillis > this.#client.quietMillis && this.#doorbell.mayListen) {
      this.#end()
    }
  }

  /** The last message that arrived. */
  get lastSequence(): number {
    return this.#lastStream
  }

  fail(message: string): void {
    this.#end(interrupted("consume", `${this.#name}: ${message}`))
  }

  /** The server does not let us do something; when it is the asking, nothing will ever come. */
  denied(denied: PermissionViolationError): void {
    if (denied.subject === this.#next || denied.subject === this.inbox) this.#end(failureOf("consume", true)(denied))
  }

  close(): void {
    this.#open = false
    this.#count(0)
  }

  #end(failure?: BrokerError): void {
    if (!this.#open) return
    this.#open = false
    this.#failure = failure
    this.#isOver = true
    this.#wake?.()
  }

  #onStatus(message: Msg): void {
    const { code, description } = message.headers ?? { code: NO_RESPONDERS, description: "" }
    if (code === HEARTBEAT) {
      const last = Number(message.headers?.get(LAST_DELIVERY))
      if (last > this.#lastDelivery) this.fail(`${last} deliveries went out, ${this.#lastDelivery} arrived`)
      return
    }
    const unfilled = message.headers?.get(UNFILLED) ?? ""
    if ((code === REQUEST_OVER || code === CONFLICT) && unfilled !== "") {
      this.#asked -= Number(unfilled)
      this.#window = OWN_PLACES
      return this.#later()
    }
    this.fail(code === NO_RESPONDERS ? "the consumer is gone" : `the broker says ${code} ${description}`)
  }

  /** Once per turn of the event loop instead of once per message: the floor is told, more is asked for. */
  #later(): void {
    if (this.#isDue) return
    this.#isDue = true
    queueMicrotask(() => {
      this.#isDue = false
      if (this.#arrived.length > 0) this.#wake?.()
      if (!this.#open) return
      const reply = this.#floor.moved()
      if (reply !== undefined) this.#send(reply, "+ACK")
      this.#count(this.#held + this.#asked)
      this.ask()
    })
  }

  #count(places: number): void {
    this.#client.places.moved(this.#counted, places)
    this.#counted = places
  }

  /** The client throws on a closed connection. What is not sent costs nothing: a reconnect ends this feed. */
  #send(subject: string, payload: string, reply?: string): void {
    try {
      this.#client.nc.publish(subject, payload, reply === undefined ? {} : { reply })
    } catch {
      // See above.
    }
  }
}

/**
 * How evenly hashing places entities over runners: the cluster's own ring of shards to runners, and its hash of an entity
 * to a shard, for many sets of host names. Computes; starts nothing.
 *
 *   deno run -A bench/placement.ts [--quick]
 *   deno run -A bench/placement.ts --hosts weir-0,weir-1 --entities be01,nl01,uk01 [--port 34431]
 *
 * The second one is about an installation: who gets what with the default number of shards, and which number is best.
 */
import { parseArgs } from "node:util"
import { Random } from "../fixtures/generator/Random.ts"
import { firm } from "../fixtures/generator/Firm.ts"
import { type Place, placed, skewOf } from "./ring.ts"

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    hosts: { type: "string" },
    entities: { type: "string" },
    port: { type: "string", default: "34431" },
  },
})
const SETS = values.quick ? 20 : 300
/** Numbers of shards that are tried: the default and those behind it. */
const TRIED = { from: 300, to: 400 }
const at = (host: string): Place => ({ host, port: Number(values.port) })

const many = (): void => {
  const random = new Random(1, "placement")
  console.log("entities  runners  shards  most of one runner, times its fair part: median  1 in 20")
  const results: Array<object> = []
  for (const count of [6, 20, 40, 400]) {
    const entities = firm(count, count).map(({ code }) => code)
    for (const runners of [2, 3, 5]) {
      for (const shards of [300, 3_000]) {
        const found = Array.from({ length: SETS }, () => {
          const hosts = Array.from({ length: runners }, () => `weir-${random.int(0, 999_999)}.example`)
          return skewOf(placed(hosts.map(at), entities, shards), runners)
        }).sort((a, b) => a - b)
        const part = (of: number) => found[Math.floor(of * (found.length - 1))]!.toFixed(2)
        results.push({ entities: count, runners, shards, median: Number(part(0.5)), oneInTwenty: Number(part(0.95)) })
        const cells = [String(count).padStart(8), String(runners).padStart(7), String(shards).padStart(6)]
        console.log(`${cells.join("  ")}  ${part(0.5).padStart(49)}  ${part(0.95).padStart(7)}`)
      }
    }
  }
  console.log(JSON.stringify(results))
}

const mine = (hosts: ReadonlyArray<string>, entities: ReadonlyArray<string>): void => {
  const places = hosts.map(at)
  const of = (shards: number) => ({ shards, skew: skewOf(placed(places, entities, shards), hosts.length) })
  const tried = Array.from({ length: TRIED.to - TRIED.from + 1 }, (_, n) => of(TRIED.from + n))
  const best = tried.reduce((least, each) => each.skew < least.skew ? each : least)
  for (const { shards, skew } of [tried[0]!, best]) {
    console.log(`${shards} shards: the runner with the most has ${skew.toFixed(2)} times its fair part`)
    for (const [{ host }, codes] of placed(places, entities, shards)) console.log(`  ${host}: ${codes.join(", ")}`)
  }
}

const list = (text: string): ReadonlyArray<string> => text.split(",").filter((one) => one !== "")
if (values.hosts === undefined || values.entities === undefined) many()
else mine(list(values.hosts), list(values.entities))

/** The seed of a randomised test: `WEIR_SEED` to see the same again, else another one every time. */
import process from "node:process"

const LARGEST = 2 ** 31

export const seedOf = (test: string): number => {
  const given = Number(process.env["WEIR_SEED"] ?? "")
  const seed = Number.isInteger(given) && given > 0 ? given : 1 + Math.floor(Math.random() * LARGEST)
  process.stderr.write(`${test}: WEIR_SEED=${seed}\n`)
  return seed
}

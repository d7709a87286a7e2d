/** What must never be. `rule` names it shortly, the same for the same kind of failure: shrinking compares it. */
export class Violation extends Error {
  readonly rule: string

  constructor(rule: string, detail: string) {
    super(`${rule}: ${detail}`)
    this.rule = rule
  }
}

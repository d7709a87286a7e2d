/** NATS subject patterns: `*` is one token, `>` at the end is one or more (https://docs.nats.io/nats-concepts/subjects). */

/** Whether a subject matches. Answers are kept: a stream has few subjects and many messages. */
export const matcher = (pattern: string): (subject: string) => boolean => {
  const wanted = pattern.split(".")
  const known = new Map<string, boolean>()
  const matches = (subject: string): boolean => {
    const tokens = subject.split(".")
    for (let i = 0; i < wanted.length; i++) {
      if (wanted[i] === ">") return tokens.length > i
      if (tokens[i] === undefined || (wanted[i] !== "*" && wanted[i] !== tokens[i])) return false
    }
    return tokens.length === wanted.length
  }
  return (subject) => {
    const answer = known.get(subject) ?? matches(subject)
    known.set(subject, answer)
    return answer
  }
}

/**
 * One question for all who ask it at about the same time. Whoever comes while one is on its way shares the next one, so that
 * every answer is younger than the question it is for.
 */
export const together = <A>(ask: () => Promise<A>): () => Promise<A> => {
  let running: Promise<unknown> = Promise.resolve()
  let next: Promise<A> | undefined
  return () => {
    if (next !== undefined) return next
    const asked = running.then(() => {
      next = undefined
      return ask()
    })
    // Whoever comes after a failure asks anew.
    running = asked.catch(() => undefined)
    next = asked
    return asked
  }
}

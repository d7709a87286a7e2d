/** `Access` in memory, step by step as `../sql/access.ts`. */
import { Access, type Reserved, type TokenRecord } from "../Access.ts"
import { printable } from "../text.ts"
import type { KeyEntry } from "./accessState.ts"
import { append } from "./governance.ts"
import type { Store } from "./Store.ts"

const MINUTE = 60_000

export const makeAccess = (store: Store): typeof Access.Service => {
  const { access, call, of } = store

  const keysOf = (caller: string): Map<string, KeyEntry> => {
    const known = access.keys.get(caller)
    if (known !== undefined) return known
    const fresh = new Map<string, KeyEntry>()
    access.keys.set(caller, fresh)
    return fresh
  }

  return Access.of({
    issue: (token) =>
      call("issue", () => {
        const kept: TokenRecord = {
          ...token,
          owner: printable(token.owner),
          createdBy: printable(token.createdBy),
          revokedAtMillis: null,
          revokedBy: null,
          lastUsedAtMillis: null,
        }
        access.tokens.set(token.id, kept)
      }),
    token: (id) => call("token", () => access.tokens.get(id) ?? null),
    tokens: ({ after, limit }) =>
      call("tokens", () =>
        [...access.tokens.values()].filter(({ id }) => id > after)
          .toSorted((a, b) => a.id < b.id ? -1 : 1).slice(0, limit)),
    revoke: (id, by) =>
      call("revoke", (now) => {
        const token = access.tokens.get(id)
        if (token === undefined || token.revokedAtMillis !== null) return false
        access.tokens.set(id, { ...token, revokedAtMillis: now, revokedBy: printable(by) })
        return true
      }),
    used: (id) =>
      call("used", (now) => {
        const token = access.tokens.get(id)
        if (token !== undefined && (token.lastUsedAtMillis === null || token.lastUsedAtMillis <= now - MINUTE)) {
          access.tokens.set(id, { ...token, lastUsedAtMillis: now })
        }
      }),
    reserve: ({ abandonedAtMillis, caller, expiresAtMillis, fingerprint, key, limit, nowMillis }) =>
      call("reserve", (): Reserved => {
        for (const keys of access.keys.values()) {
          for (const [name, entry] of keys) if (entry.expiresAtMillis <= nowMillis) keys.delete(name)
        }
        const keys = keysOf(printable(caller))
        const entry = keys.get(printable(key))
        if (entry === undefined) {
          if (keys.size >= limit) return { _tag: "Full" }
          keys.set(printable(key), { fingerprint, expiresAtMillis, abandonedAtMillis, answer: null })
          return { _tag: "Fresh" }
        }
        if (entry.fingerprint !== fingerprint) return { _tag: "Other" }
        if (entry.answer !== null) return { _tag: "Done", answer: entry.answer }
        if (entry.abandonedAtMillis > nowMillis) return { _tag: "Busy" }
        Object.assign(entry, { expiresAtMillis, abandonedAtMillis })
        return { _tag: "Fresh" }
      }),
    complete: (caller, key, answer) =>
      call("complete", () => {
        const entry = keysOf(printable(caller)).get(printable(key))
        if (entry !== undefined && entry.answer === null) entry.answer = { ...answer, body: answer.body.slice() }
      }),
    abandon: (caller, key) =>
      call("abandon", () => {
        const keys = keysOf(printable(caller))
        if (keys.get(printable(key))?.answer === null) keys.delete(printable(key))
      }),
    record: (entity, entry) =>
      call("record", (now) => {
        append(of(entity).governance, entity, entry, now)
      }),
    environment: call("environment", () => access.environment),
    mark: (environment, by) =>
      call("mark", (now) => access.environment ??= { environment, by: printable(by), atMillis: now }),
  })
}

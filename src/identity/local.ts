/**
 * Whether a request comes from this machine, and from a program on it that meant to ask: not through a proxy that runs
 * here and speaks for others, and not from a page in a browser, which can be made to send requests by a foreign site (or
 * by a name that resolves to this machine, "DNS rebinding").
 */
const isLoopback = (address: string): boolean => /^(?:::ffff:)?127\.|^::1$/u.test(address)

/** Put there by proxies (RFC 7239 and what was there before it). */
const forwarded = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"]

const hostOf = (authority: string): string => authority.replace(/:\d+$/u, "").toLowerCase()
const isOwnName = (host: string): boolean => /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/u.test(host)

export const isLocal = (address: string, headers: Readonly<Record<string, string | undefined>>): boolean => {
  if (!isLoopback(address) || forwarded.some((name) => headers[name] !== undefined)) return false
  const host = hostOf(headers["host"] ?? "")
  if (!isOwnName(host)) return false
  const origin = headers["origin"]
  return origin === undefined || hostOf(origin.replace(/^https?:\/\//u, "")) === host
}

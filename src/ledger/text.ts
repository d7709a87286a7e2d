/**
 * PostgreSQL's text cannot hold NUL. Where one comes in (the key of an event that is no event), it is shown as the
 * symbol for it, `␀`; the message's own bytes are kept as they are. Both ledgers do so: what one accepts, the other does.
 */
export const printable = (text: string): string => text.includes("\0") ? text.replaceAll("\0", "\u2400") : text

export const printableOrNull = (text: string | null): string | null => text === null ? null : printable(text)

/**
 * Events that were archived and dropped. What is left of them says that they were settled, with which payload, and which
 * message they were, so that they are duplicates however late they come again.
 */

export const rememberedTable = `create table weir.remembered (
    id uuid primary key,
    state text not null,
    payload_hash text not null,
    stream_sequence bigint not null
  )`

/** 128 bits of SHA-256: what is random has no order that an index could keep warm, and needs no more room than this. */
export const eventDigest = `
create function weir.event_digest(p_entity text, p_event text) returns uuid
language sql immutable parallel safe as $$
  select substr(encode(sha256(convert_to(p_entity || '/' || p_event, 'UTF8')), 'hex'), 1, 32)::uuid
$$`

/** Whether anything of the entity was ever dropped: who never archived asks no more than this. */
export const hasRemembered =
  `exists (select from weir.archive a where a.entity = p_entity and a.kind = 'events' limit 1)`

/** A row of \`weir.remembered\`, \`r\`, of an event of \`p_entity\`. */
export const rememberedOf = (event: string): string =>
  `select r.* from weir.remembered r where r.id = weir.event_digest(p_entity, ${event}) limit 1`

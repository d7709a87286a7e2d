/**
 * What others are told of exceptions: a trigger on `weir.history`, which no change of a held event gets around, puts the
 * fact into the outbox in the very transaction (`../../exceptionFacts.ts` says what it holds). Same text, digit by digit,
 * as `factOf` there makes.
 */
import { FACT_TYPES, HEADERS } from "../../exceptionFacts.ts"
import { byIndex } from "../release.ts"

const json = (value: string): string => `to_json(${value})::text`

/** Named values of a JSON object, as SQL that makes its text; null is left out by its caller. */
const object = (fields: ReadonlyArray<readonly [name: string, text: string]>): string =>
  `'{' || ${fields.map(([name, text]) => `'"${name}":' || ${text}`).join(" || ',' || ")} || '}'`

const type = `case said.action when 'raised' then '${FACT_TYPES.raised}' else '${FACT_TYPES.resolved}' end`
const how = `coalesce(said.detail ->> 'state', said.action)`
const data = (more: ReadonlyArray<readonly [string, string]>): string =>
  object([
    ["entity", json("said.entity")],
    ["flow", json("said.flow")],
    ["key", json("e.key")],
    ["code", json("said.code")],
    ...more,
  ])

const body = object([
  ["specversion", `'"1.0"'`],
  ["id", json("said.id")],
  ["source", json("'weir/' || said.entity")],
  ["type", json("said.type")],
  [
    "time",
    json(`to_char(to_timestamp(said.at_millis / 1000.0) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`),
  ],
  ["subject", json("e.key")],
  ["causationid", json("said.event_id")],
  ["correlationid", json("coalesce(e.correlation_id, said.event_id)")],
  ["datacontenttype", `'"application/json"'`],
  ["data", `case said.action when 'raised' then ${data([])} else ${data([["how", json(how)]])} end`],
])

export const tellExceptions = `
create function weir.tell_exceptions() returns trigger language plpgsql ${byIndex} as $$
begin
  insert into weir.outbox (entity, subject, headers, data, message_id)
  select said.entity, 'erp-out.' || said.entity || '.' || said.type, '${JSON.stringify(HEADERS)}'::json,
    convert_to(${body}, 'UTF8'), 'weir/' || said.entity || '#' || said.id
  from (
    select said.*, ${type} as type, 'exception/' || said.position as id from said
    where said.action in ('raised', 'resolved', 'dismissed')
  ) as said
  cross join lateral (
    select key, correlation_id from weir.event where entity = said.entity and event_id = said.event_id limit 1
  ) as e
  order by said.position;
  return null;
end $$`

export const tellingExceptions = `
create trigger history_told after insert on weir.history referencing new table as said
  for each statement execute function weir.tell_exceptions()`

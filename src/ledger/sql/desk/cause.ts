/** `../../cause.ts` in the database: what names the cause of an exception. */
import { FINGERPRINT_LENGTH, MAX_CAUSE, MAX_DETAIL, replacements } from "../../cause.ts"

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** plpgsql, because the planner would look into SQL and find that its parts are not as immutable as the whole is. */
export const cause = `
create function weir.cause(p_detail text) returns text language plpgsql immutable strict as $$
declare
  v_text text := left(p_detail, ${MAX_DETAIL});
begin
${
  replacements.map(([pattern, by]) => `  v_text := regexp_replace(v_text, ${quoted(pattern)}, ${quoted(by)}, 'g');`)
    .join(
      "\n",
    )
}
  return left(v_text, ${MAX_CAUSE});
end $$`

export const fingerprint = `
create function weir.fingerprint(p_code text, p_detail text) returns text language plpgsql immutable strict as $$
begin
  return left(encode(sha256(convert_to(p_code || E'\\n' || weir.cause(p_detail), 'UTF8')), 'hex'), ${FINGERPRINT_LENGTH});
end $$`

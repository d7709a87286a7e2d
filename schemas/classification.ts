/**
 * What may be shown to whom. A field of an event family says what it holds; views, exports and the API show it to those
 * who are cleared for it. Fields that say nothing are shown to everybody who may see the event at all: keys, dates, codes.
 *
 *     email: personal(Schema.String)
 */
import { Schema } from "effect"

/**
 * - `personal`: about a person: names, addresses, what somebody did.
 * - `financial`: prices, quantities, amounts. A correction of one moves money, and needs a second person.
 * - `secret`: nobody's business in a view.
 */
export const Classification = Schema.Literals(["personal", "financial", "secret"])
export type Classification = typeof Classification.Type

/** Key of the annotation; it also stands in the published schemas of events. */
export const CLASSIFICATION = "x-classification"

const classified = (classification: Classification) => <S extends Schema.Top>(schema: S): S["Rebuild"] =>
  schema.annotate({ [CLASSIFICATION]: classification })

export const personal = classified("personal")
export const financial = classified("financial")
export const secret = classified("secret")

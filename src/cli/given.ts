import { Option } from "effect"

/** The fields of `values` that are there: `{a: some(1), b: none()}` becomes `{a: 1}`. */
export const given = <A extends { readonly [name: string]: Option.Option<unknown> }>(
  values: A,
): { readonly [K in keyof A]?: A[K] extends Option.Option<infer V> ? V : never } =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => Option.isSome(value) ? [[name, value.value]] : []),
  ) as never

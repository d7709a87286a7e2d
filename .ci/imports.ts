/**
 * Checks who imports whom: `schemas <- src <- streams <- src/main.ts, src/cli`; fixtures, tests and benches may import
 * everything. And that no module imports itself in a circle (imports of types only are free).
 *
 *     deno run -A .ci/imports.ts [folder]
 */
import { readdir, readFile } from "node:fs/promises"
import { dirname, join, relative, resolve } from "node:path"

const root = resolve(process.argv[2] ?? ".")
const folders = ["schemas", "src", "streams", "fixtures"]

/** What a module may import besides its own layer. */
const allowed: Readonly<Record<string, ReadonlyArray<string>>> = {
  schemas: [],
  src: ["schemas"],
  streams: ["schemas", "src"],
  fixtures: ["schemas", "src", "streams", "program"],
  /** The programs: the command line, what it starts, and what it starts for a demonstration. */
  program: ["schemas", "src", "streams", "fixtures"],
}

const layerOf = (path: string): string =>
  path === "src/main.ts" || path.startsWith("src/cli/") ? "program" : path.split("/", 1)[0] ?? ""

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

const statement = /^\s*(import|export)\s+(type\s+)?([^"';]*?\bfrom\s*)?"(\.{1,2}\/[^"]+)"/gmu
const dynamic = /\bimport\(\s*"(\.{1,2}\/[^"]+)"\s*\)/gu

/** `{ type A, type B }` is erased like `import type`, as far as the order of loading goes. */
const isTypeOnly = (keyword: string | undefined, clause: string | undefined): boolean => {
  if (keyword !== undefined) return true
  const names = /^\s*\{([^}]*)\}\s*from\s*$/u.exec(clause ?? "")?.[1]
  return names !== undefined && names.split(",").every((name) => name.trim() === "" || name.trim().startsWith("type "))
}

const importsOf = async (path: string): Promise<ReadonlyArray<Import>> => {
  // Comments may hold examples of imports.
  const text = (await readFile(join(root, path), "utf8")).replace(/\/\*[\s\S]*?\*\//gu, "").replace(
    /^\s*\/\/.*$/gmu,
    "",
  )
  const target = (specifier: string): string => relative(root, resolve(root, dirname(path), specifier))
  return [
    ...[...text.matchAll(statement)].map(([, , keyword, clause, specifier]) => ({
      from: path,
      to: target(specifier ?? ""),
      typeOnly: isTypeOnly(keyword, clause),
    })),
    // What is loaded later cannot close a circle at start.
    ...[...text.matchAll(dynamic)].map(([, specifier]) => ({
      from: path,
      to: target(specifier ?? ""),
      typeOnly: true,
    })),
  ]
}

const files = (await Promise.all(folders.map(async (folder) => {
  const entries = await readdir(join(root, folder), { recursive: true }).catch(() => [])
  return entries.filter((name) => name.endsWith(".ts")).map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
}))).flat().sort()
const imports = (await Promise.all(files.map(importsOf))).flat()

const problems = imports.flatMap(({ from, to }) => {
  const [own, other] = [layerOf(from), layerOf(to)]
  if (!(other in allowed) || own === other) return []
  return allowed[own]?.includes(other) === true ? [] : [`${from} must not import ${to}`]
})

const edges = Map.groupBy(imports.filter(({ typeOnly }) => !typeOnly), ({ from }) => from)
const done = new Set<string>()

/** Depth first: a module that is met again on its own path closes a circle. */
const visit = (path: string, trail: ReadonlyArray<string>): void => {
  const start = trail.indexOf(path)
  if (start !== -1) {
    problems.push(`circle: ${[...trail.slice(start), path].join(" -> ")}`)
    return
  }
  if (done.has(path)) return
  for (const { to } of edges.get(path) ?? []) visit(to, [...trail, path])
  done.add(path)
}
for (const file of files) visit(file, [])

for (const problem of problems) console.error(problem)
console.log(`${files.length} modules, ${imports.length} imports, ${problems.length} problems`)
process.exit(problems.length === 0 ? 0 : 1)

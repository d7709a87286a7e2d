import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { parse, parseAllDocuments } from "yaml"
import { check } from "../../src/config/load.ts"
import * as Input from "../faults/Input.ts"
import * as Installation from "../faults/Installation.ts"
import { seedOf } from "../faults/seed.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))
const read = (path: string): string => readFileSync(`${root}${path}`, "utf8")
const defaults = Effect.runSync(check("defaults", {}, {})).configuration
/** What `weir run` takes at most after SIGTERM: the grace and the margin behind it. */
const SHUTDOWN_SECONDS = Duration.toSeconds(defaults.grace) + 15

/** The program of the image, and that of the systemd unit: words of `deno run`, without what follows the script. */
const entrypoint = (): ReadonlyArray<string> => {
  const [, words = "[]"] = /^ENTRYPOINT (\[.*\])$/mu.exec(read("deploy/container/Containerfile")) ?? []
  return JSON.parse(words)
}
const execStart = (): ReadonlyArray<string> => {
  const [, words = ""] = /^ExecStart=(.*)$/mu.exec(read("deploy/systemd/weir.service")) ?? []
  return words.split(" ")
}

/** The flags, with the project and its configuration where they lie here. */
const flagsOf = (words: ReadonlyArray<string>, project: string) => (folder: string): ReadonlyArray<string> =>
  words.slice(words.indexOf("run") + 1, words.indexOf("src/cli/weir.ts")).map((word) =>
    word.replace(new RegExp(`(?<=[=,])${project}(?=,)`, "u"), root.replace(/\/$/u, "")).replace("/etc/weir", folder)
  )

/** As much of a manifest as is looked at. */
interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly resources: ReadonlyArray<string>
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number
        readonly containers: ReadonlyArray<{ readonly ports: unknown; readonly [probe: string]: unknown }>
      }
    }
  }
}

const documents = (path: string): ReadonlyArray<Manifest> =>
  parseAllDocuments(read(path)).map((document) => {
    assert.deepStrictEqual(document.errors, [], path)
    return document.toJS()
  })

describe("deploy", () => {
  it.live("lets Weir do its work with the permissions of the image, and no others", () =>
    Effect.gen(function* () {
      const scenario = yield* Input.make({ consultants: 6, days: 3, seed: seedOf("image") })
      const at = yield* Installation.make({ scenario, latency: 0.01 })
      yield* at.publish
      const weir = yield* at.weirWith(flagsOf(entrypoint(), "/weir"))
      yield* at.until(scenario.expected.events, weir)
      assert.deepStrictEqual(yield* at.wrong, [])
      yield* weir.signal("SIGTERM")
      assert.strictEqual((yield* weir.ended).code, 0)
    }), 120_000)

  it("gives the systemd unit the permissions of the image, neither all of them nor a prompt", () => {
    const flags = flagsOf(entrypoint(), "/weir")("/etc/weir").map((flag) => flag.replace(",/run/secrets", ""))
    assert.deepStrictEqual(flagsOf(execStart(), "/opt/weir")("/etc/weir"), flags)
    assert.include(flags, "--no-prompt")
    assert.isFalse(flags.some((flag) => /^-A$|--allow-(all|run|ffi)/u.test(flag)))
    const written = flags.filter((flag) => flag.startsWith("--allow-write"))
    assert.deepStrictEqual(written, ["--allow-write=/var/lib/weir/archive"], "archives, and nothing else")
  })

  it("has configurations that Weir accepts", () => {
    for (const path of ["deploy/compose/weir.json", "deploy/kubernetes/weir.json"]) {
      Effect.runSync(check(path, JSON.parse(read(path)), {}))
    }
  })

  it("gives every Weir the time that it needs to end", () => {
    const { services } = parse(read("deploy/compose/compose.yaml"), { merge: true })
    for (const name of ["weir-1", "weir-2"]) {
      assert.isAtLeast(Number.parseInt(services[name].stop_grace_period), SHUTDOWN_SECONDS, name)
      assert.isTrue(services[name].read_only)
    }
    const [set] = documents("deploy/kubernetes/statefulset.yaml")
    assert.isAtLeast(set!.spec.template.spec.terminationGracePeriodSeconds, SHUTDOWN_SECONDS)
    const [, stop] = /^TimeoutStopSec=(\d+)$/mu.exec(read("deploy/systemd/weir.service")) ?? []
    assert.isAtLeast(Number(stop), SHUTDOWN_SECONDS)
  })

  it("has manifests whose parts fit together", () => {
    const [kustomization] = documents("deploy/kubernetes/kustomization.yaml")
    const files = readdirSync(`${root}deploy/kubernetes`).filter((file) => file.endsWith(".yaml"))
    assert.sameMembers(
      ["kustomization.yaml", ...kustomization!.resources],
      files,
      "every file is a resource",
    )
    const all = files.filter((file) => file !== "kustomization.yaml").flatMap((file) =>
      documents(`deploy/kubernetes/${file}`)
    )
    for (const each of all) assert.containsAllKeys(each, ["apiVersion", "kind", "metadata", "spec"])
    const [container] = all.find(({ kind }) => kind === "StatefulSet")!.spec.template.spec.containers
    assert.deepStrictEqual(container!.ports, [
      { name: "http", containerPort: defaults.http.port },
      { name: "cluster", containerPort: 34_431 },
    ])
    const named = JSON.stringify(all)
    for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"]) {
      assert.match(JSON.stringify(container![probe]), /"path":"\/(healthz|readyz)","port":"http"/u)
    }
    assert.include(named, `"port":34431`)
  })
})

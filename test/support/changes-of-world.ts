import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createMesh, type Mesh } from "../../src/compile/mesh.ts";
import type { Pod } from "../../src/resources/core.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { createWorldStore, worldOf } from "../../src/resources/world-store.ts";
import { proxyAt, readIrCase, wholeIr } from "./ir-case.ts";

/** The objects of all golden cases of a folder, and the proxies they are about: whatever compile learns to read is among them. */
export interface Pool {
  readonly objects: readonly KubeObject[];
  readonly proxies: readonly string[];
}

/** Reads `<case>.in.yaml` of a folder. Cases share names and namespaces, so objects of one stand in for those of another. */
export function readPool(folder: string): Pool {
  const cases = readdirSync(folder)
    .filter((file) => file.endsWith(".in.yaml"))
    .toSorted()
    .map((file) => readIrCase(join(folder, file)));
  const proxies = [...new Set(cases.map(({ header }) => header.proxy))];
  return { objects: cases.flatMap(({ objects }) => objects), proxies };
}

/** A source of numbers from 0 to 1 that a seed decides (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const keyOf = ({ apiVersion, kind, metadata }: KubeObject): string =>
  `${apiVersion} ${kind} ${metadata.namespace ?? ""} ${metadata.name}`;

/**
 * Makes random changes, in batches of one to four, to a World that some proxies' configurations are held of; calls `same` with
 * what is held and what a fresh World of the same objects gives, after every `every` batches. Returns the kinds that changed.
 */
export function walk(
  pool: Pool,
  how: { readonly seed: number; readonly changes: number; readonly every: number; readonly proxies: number },
  same: (held: unknown, fresh: unknown, at: string) => void,
): ReadonlySet<string> {
  const random = randomOf(how.seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const proxies = Array.from({ length: how.proxies }, () => pick(pool.proxies));
  const store = createWorldStore();
  const mesh = createMesh(store);
  const current = new Map<string, KubeObject>();
  const kinds = new Set<string>();
  let held: unknown;
  const end = store.derivations.effect(() => {
    held = compiled(mesh, proxies);
  });
  let batches = 0;
  for (let done = 0; done < how.changes; batches += 1) {
    const batch = Array.from({ length: 1 + Math.floor(random() * 4) }, () => {
      // More is set than deleted: an empty mesh shows little.
      const isSet = random() < 0.75 || current.size === 0;
      return {
        type: isSet ? ("set" as const) : ("delete" as const),
        object: pick(isSet ? pool.objects : [...current.values()]),
      };
    });
    store.apply(batch);
    done += batch.length;
    for (const { type, object } of batch) {
      kinds.add(object.kind);
      if (type === "set") current.set(keyOf(object), object);
      else current.delete(keyOf(object));
    }
    if (batches % how.every !== 0 && done < how.changes) continue;
    const fresh = worldOf([...current.values()]);
    const release = fresh.derivations.keep();
    same(held, compiled(createMesh(fresh), proxies), `seed ${how.seed}, after ${done} changes`);
    release();
  }
  end();
  return kinds;
}

/** The proxies as meshd has them: labels of the pods that stand at that time. */
function compiled(mesh: Mesh, proxies: readonly string[]): unknown {
  return proxies.map((id) => {
    const [, , workload = ""] = id.split("~");
    const dot = workload.lastIndexOf(".");
    const pod = mesh.model.world.get("Pod", workload.slice(dot + 1), workload.slice(0, dot)) as Pod | undefined;
    return wholeIr(mesh.proxyConfig({ ...proxyAt(id, pod), dns: { autoAddresses: true } }));
  });
}

import { ClusterError } from "../base/errors.ts";
import type { KindRef } from "../resources/cluster.ts";
import type { ApiClient } from "./http.ts";

/** What discovery says of one kind. */
export interface ResourceInfo {
  /** `/api/v1` or `/apis/group/version` */
  readonly root: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** Finds the collection of a kind; answers are kept, an absent kind is asked for again after a second. */
export interface Discovery {
  find(kind: KindRef): Promise<ResourceInfo | undefined>;
  /** As find, but an absent kind is a ClusterError `no-such-kind`. */
  need(kind: KindRef): Promise<ResourceInfo>;
}

const ABSENT_MS = 1_000;

interface Entry {
  readonly at: number;
  readonly kinds: ReadonlyMap<string, ResourceInfo>;
}

/** Discovery over `client`, one request per group version. */
export function createDiscovery(client: ApiClient): Discovery {
  const known = new Map<string, Entry>();
  const pending = new Map<string, Promise<Entry>>();

  async function load(apiVersion: string): Promise<Entry> {
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const list = await client.json({ method: "GET", path: root });
    const kinds = new Map<string, ResourceInfo>();
    for (const entry of (list?.["resources"] ?? []) as { name: string; kind: string; namespaced: boolean }[])
      if (!entry.name.includes("/")) kinds.set(entry.kind, { root, plural: entry.name, namespaced: entry.namespaced });
    const result = { at: Date.now(), kinds };
    known.set(apiVersion, result);
    return result;
  }

  async function find(kind: KindRef): Promise<ResourceInfo | undefined> {
    const cached = known.get(kind.apiVersion);
    const hit = cached?.kinds.get(kind.kind);
    if (hit !== undefined) return hit;
    if (cached !== undefined && Date.now() - cached.at < ABSENT_MS) return undefined;
    let loading = pending.get(kind.apiVersion);
    if (loading === undefined) {
      loading = load(kind.apiVersion).finally(() => pending.delete(kind.apiVersion));
      pending.set(kind.apiVersion, loading);
    }
    return (await loading).kinds.get(kind.kind);
  }

  return {
    find,
    async need(kind) {
      const info = await find(kind);
      if (info !== undefined) return info;
      throw new ClusterError("no-such-kind", `the cluster has no kind ${kind.kind} in ${kind.apiVersion}`, {
        hint: "install its CustomResourceDefinition first",
      });
    },
  };
}

/** `/apis/apps/v1/namespaces/shop/deployments[/name[/sub]]` */
export function resourcePath(info: ResourceInfo, namespace: string | undefined, ...rest: readonly string[]): string {
  const scope = info.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  const tail = rest.map((part) => `/${encodeURIComponent(part)}`).join("");
  return `${info.root}${scope}/${info.plural}${tail}`;
}

/** `?a=1&b=2` of the values that are there; empty when none is. */
export function query(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) if (value !== undefined) parts.set(key, String(value));
  const text = parts.toString();
  return text === "" ? "" : `?${text}`;
}

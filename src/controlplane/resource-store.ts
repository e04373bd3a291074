import { createHash } from "node:crypto";
import type { Derivations } from "../base/derive.ts";
import type { Named, ProxyConfig } from "../ir/config.ts";
import type { Proxy } from "../ir/proxy.ts";
import { encodeAny } from "../wire/codec.ts";
import { frameResource } from "../wire/splice.ts";
import type { OnPatch } from "../xds/patches/apply.ts";
import { type Resources, resourcesFor } from "../xds/resources.ts";
import type { EnvoyResource, XdsKind, XdsOptions } from "../xds/types.ts";
import { type EncodedResource, KINDS, NO_RESOURCES, type ResourceTable, type Snapshot } from "./resource-table.ts";

export interface ResourceStoreDeps {
  readonly derivations: Derivations;
  /** Tracked: the configuration of a proxy. */
  readonly configOf: (proxy: Proxy) => ProxyConfig;
  /** Tracked; the same object as long as the content is. */
  readonly options: () => XdsOptions;
  /** A resource could not be built; what was served under its name before goes on being served. */
  readonly onProblem: (kind: XdsKind, name: string, error: unknown) => void;
  /** A patch of an EnvoyFilter cannot be applied and is left out; told once for each problem. */
  readonly onPatch: OnPatch;
}

/** Encoded resources, made once for all proxies that share them. */
export interface ResourceStore {
  /** A reader for one proxy; what only it needed is dropped when it closes. */
  open(): ResourceReader;
}

export interface ResourceReader {
  /** Tracked: everything the proxy is to run. Equal configuration gives the same tables, not only equal ones. */
  snapshot(proxy: Proxy): Snapshot;
  close(): void;
}

/** Who resources are shared by: proxies of one scope, or of one workload in it. */
interface Owner {
  /** Of any of them: equal keys mean equal answers. */
  config: ProxyConfig;
  readers: number;
  /** What was last built, by kind and name. */
  readonly last: Map<string, EncodedResource>;
}

/**
 * A derivation for each resource of each owner: it runs again only when something it read has changed, and what depends on it
 * only when its bytes have.
 */
export function createResourceStore(deps: ResourceStoreDeps): ResourceStore {
  const { derivations } = deps;
  const owners = new Map<string, Owner>();
  const told = new Set<string>();
  const onPatch: OnPatch = (patch, problem) => {
    const key = JSON.stringify([patch.from, patch.path, problem]);
    if (told.has(key)) return;
    told.add(key);
    deps.onPatch(patch, problem);
  };
  const resourcesOf = (key: string): Resources | undefined => {
    const config = owners.get(key)?.config;
    return config === undefined ? undefined : resourcesFor(config, deps.options(), onPatch);
  };
  const encodedOf = createEncoder(resourcesOf, deps.options);
  const encoded = derivations.keyed("resource", (key: string, kind: XdsKind, name: string) => {
    const last = owners.get(key)?.last;
    const before = last?.get(`${kind} ${name}`);
    try {
      const next = encodedOf(key, kind, name);
      // The same object for the same bytes: that is what stops the marking here.
      if (next !== undefined && before?.version === next.version) return before;
      if (next === undefined) last?.delete(`${kind} ${name}`);
      else last?.set(`${kind} ${name}`, next);
      return next;
    } catch (error) {
      deps.onProblem(kind, name, error);
      return before;
    }
  });
  const tableOf = derivations.keyed("resources", (key: string, side: Named["owner"], kind: XdsKind) => {
    const names = (resourcesOf(key)?.names(kind) ?? []).filter((named) => named.owner === side);
    return collect(names.map(({ name }) => encoded(key, kind, name)));
  });
  const merged = derivations.keyed("all resources", (scope: string, workload: string, kind: XdsKind) => {
    const shared = tableOf(scope, "scope", kind);
    const own = tableOf(workload, "workload", kind);
    if (own.size === 0) return shared;
    return shared.size === 0 ? own : new Map([...shared, ...own]);
  });
  return {
    open() {
      let held: readonly string[] = [];
      const hold = (keys: readonly string[], config: ProxyConfig | undefined): void => {
        for (const key of keys) if (config !== undefined) retain(owners, key, config);
        for (const key of held) release(owners, key);
        held = keys;
      };
      return {
        snapshot(proxy) {
          const config = deps.configOf(proxy);
          const scope = `scope ${config.scope}`;
          const workload = `workload ${config.scope} ${config.workload}`;
          hold([scope, workload], config);
          return Object.fromEntries(KINDS.map((kind) => [kind, merged(scope, workload, kind)])) as Snapshot;
        },
        close: () => hold([], undefined),
      };
    },
  };
}

/** Encodes a resource; scopes that see the same service share its bytes. */
function createEncoder(
  resourcesOf: (key: string) => Resources | undefined,
  optionsNow: () => XdsOptions,
): (key: string, kind: XdsKind, name: string) => EncodedResource | undefined {
  const made = new WeakMap<object, { readonly options: XdsOptions; readonly resource: EncodedResource }>();
  return (key, kind, name) => {
    const resources = resourcesOf(key);
    const options = optionsNow();
    const origin = resources?.origin(kind, name);
    const known = origin && made.get(origin);
    if (known?.options === options && known.resource.name === name) return known.resource;
    const resource = resources?.resource(kind, name);
    const next = resource === undefined ? undefined : encode(name, resource);
    if (origin !== undefined && next !== undefined) made.set(origin, { options, resource: next });
    return next;
  };
}

function retain(owners: Map<string, Owner>, key: string, config: ProxyConfig): void {
  const owner = owners.get(key);
  if (owner === undefined) owners.set(key, { config, readers: 1, last: new Map() });
  else {
    owner.config = config;
    owner.readers += 1;
  }
}

function release(owners: Map<string, Owner>, key: string): void {
  const owner = owners.get(key);
  if (owner === undefined) return;
  owner.readers -= 1;
  if (owner.readers === 0) owners.delete(key);
}

function collect(resources: readonly (EncodedResource | undefined)[]): ResourceTable {
  const table = new Map<string, EncodedResource>();
  for (const resource of resources) if (resource !== undefined) table.set(resource.name, resource);
  return table.size === 0 ? NO_RESOURCES : table;
}

/** A resource ready to be sent. */
export function encode(name: string, resource: EnvoyResource): EncodedResource {
  const { typeUrl, bytes } = encodeAny(resource);
  const version = createHash("sha256").update(bytes).digest("base64url").slice(0, 16);
  return { name, version, ...frameResource({ name, version }, typeUrl, bytes) };
}

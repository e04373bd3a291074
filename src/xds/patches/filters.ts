import type { EnvoyPatch } from "../../ir/envoy-patch.ts";
import type { ListPlan } from "./list.ts";
import type { Loose } from "./message.ts";

/** Filters that end a chain: what is added stands before them. */
const LAST: ReadonlySet<unknown> = new Set([
  "envoy.filters.network.http_connection_manager",
  "envoy.filters.network.tcp_proxy",
  "envoy.filters.http.router",
]);

/** HTTP filters by what they are for, so that one more of a class stands after those of the mesh. */
const CLASSES: Readonly<Record<EnvoyPatch["filterClass"], (name: string) => boolean>> = {
  AUTHN: (name) => name.includes("jwt_authn"),
  AUTHZ: (name) => name.includes("jwt_authn") || name.includes("rbac") || name.includes("ext_authz"),
  STATS: (name) => name.includes("jwt_authn") || name.includes("rbac") || name.includes("ext_authz"),
  UNSPECIFIED: () => false,
};

function addAt(items: readonly Loose[], { filterClass }: EnvoyPatch): number {
  const last = items.findIndex(({ name }) => LAST.has(name));
  const end = last < 0 ? items.length : last;
  if (filterClass === "UNSPECIFIED") return end;
  return items.findLastIndex(({ name }) => CLASSES[filterClass](String(name))) + 1;
}

const asksFilter = ({ listener }: EnvoyPatch): string | undefined => nonEmpty(listener?.filterChain?.filter?.name);
const asksSubFilter = ({ listener }: EnvoyPatch): string | undefined =>
  nonEmpty(listener?.filterChain?.filter?.subFilter?.name);

/** Network filters of a chain. */
export const NETWORK_FILTERS: ListPlan = {
  type: "envoy.config.listener.v3.Filter",
  matches: ({ name }, patch) => asksFilter(patch) === undefined || name === asksFilter(patch),
  isNamed: (patch) => asksFilter(patch) !== undefined,
  addAt,
};

/** HTTP filters of a connection manager. */
export const HTTP_FILTERS: ListPlan = {
  type: "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter",
  matches: ({ name }, patch) => asksSubFilter(patch) === undefined || name === asksSubFilter(patch),
  isNamed: (patch) => asksSubFilter(patch) !== undefined,
  addAt,
};

/** Listener filters. */
export const LISTENER_FILTERS: ListPlan = {
  type: "envoy.config.listener.v3.ListenerFilter",
  matches: ({ name }, { listener }) =>
    nonEmpty(listener?.listenerFilter) === undefined || name === listener?.listenerFilter,
  isNamed: ({ listener }) => nonEmpty(listener?.listenerFilter) !== undefined,
  addAt: (items) => items.length,
};

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

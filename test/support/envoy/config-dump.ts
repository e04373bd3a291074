import { decodeMessage, encodeAny, encodeMessage, type Messages } from "../../../src/wire/codec.ts";
import { type Resources, resourcesFor } from "../../../src/xds/resources.ts";
import type { XdsCase } from "../xds-case.ts";
import type { RunningEnvoy } from "./run-envoy.ts";

type Loose = Readonly<Record<string, unknown>>;

const TYPES = {
  cluster: "envoy.config.cluster.v3.Cluster",
  listener: "envoy.config.listener.v3.Listener",
  route: "envoy.config.route.v3.RouteConfiguration",
} as const;

/** Where each kind stands in Envoy's `/config_dump`: the list, and the path to the resource in its entries. */
const PLACES: Readonly<Record<keyof typeof TYPES, readonly [list: string, ...path: string[]]>> = {
  cluster: ["dynamic_active_clusters", "cluster"],
  listener: ["dynamic_listeners", "active_state", "listener"],
  route: ["dynamic_route_configs", "route_config"],
};

/** One resource as it was sent and as Envoy shows it, both through the same coder, so only a difference in content shows. */
export interface Shown {
  readonly name: string;
  readonly sent: unknown;
  readonly shown: unknown;
}

/** All resources of a case (but endpoints, of which Envoy shows its own state) beside what its configuration dump says of them. */
export async function shownByEnvoy(envoy: RunningEnvoy, { config, options }: XdsCase): Promise<Shown[]> {
  const dump = JSON.parse(await envoy.admin("/config_dump")) as { readonly configs: readonly Loose[] };
  const resources = resourcesFor(config, options);
  return (Object.keys(PLACES) as (keyof typeof TYPES)[]).flatMap((kind) => {
    const shown = dumped(dump.configs, kind);
    return resources.names(kind).map(({ name }) => ({
      name: `${kind} ${name}`,
      sent: sent(resources, kind, name),
      shown: shown.get(name),
    }));
  });
}

function sent(resources: Resources, kind: keyof typeof TYPES, name: string): unknown {
  const resource = resources.resource(kind, name);
  return resource === undefined ? undefined : decodeMessage(TYPES[kind], encodeAny(resource).bytes);
}

/** Envoy's JSON is a form that our coder reads too; coding it makes the two spellings one. */
function dumped(configs: readonly Loose[], kind: keyof typeof TYPES): Map<string, unknown> {
  const [list, ...path] = PLACES[kind];
  const out = new Map<string, unknown>();
  for (const config of configs)
    for (const entry of (config[list] ?? []) as readonly Loose[]) {
      const found = path.reduce<Loose>((at, step) => at[step] as Loose, entry);
      const { "@type": _type, ...resource } = found;
      const type = TYPES[kind];
      const coded = decodeMessage(type, encodeMessage(type, resource as Messages[typeof type]));
      out.set(String(resource["name"]), coded);
    }
  return out;
}

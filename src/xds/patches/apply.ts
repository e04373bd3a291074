import { errorText } from "../../base/errors.ts";
import type { EnvoyPatch } from "../../ir/envoy-patch.ts";
import { encodeMessage, type MessageName, type Messages, typed } from "../../wire/codec.ts";
import type { EnvoyCluster, EnvoyListener, EnvoyResource, XdsKind } from "../types.ts";
import { patchedCluster } from "./cluster.ts";
import type { ReadyPatch } from "./list.ts";
import { patchedListener } from "./listener.ts";
import { isObject, type Loose } from "./message.ts";
import { patchedTable } from "./routes.ts";
import { normalized } from "./value.ts";

/** A patch that could not be applied: it is left out, and the rest goes on. */
export type OnPatch = (patch: EnvoyPatch, problem: string) => void;

/** The patches of one proxy, applied to its resources. */
export interface Patcher {
  /** Names of resources that patches add. */
  added(kind: XdsKind): readonly string[];
  /** A resource of that name after all patches; undefined when one removes it, or when nothing has it. */
  patched(kind: XdsKind, name: string, resource: EnvoyResource | undefined): EnvoyResource | undefined;
}

const TYPES: Readonly<Record<EnvoyPatch["applyTo"], MessageName>> = {
  LISTENER: "envoy.config.listener.v3.Listener",
  FILTER_CHAIN: "envoy.config.listener.v3.FilterChain",
  NETWORK_FILTER: "envoy.config.listener.v3.Filter",
  HTTP_FILTER: "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter",
  LISTENER_FILTER: "envoy.config.listener.v3.ListenerFilter",
  ROUTE_CONFIGURATION: "envoy.config.route.v3.RouteConfiguration",
  VIRTUAL_HOST: "envoy.config.route.v3.VirtualHost",
  HTTP_ROUTE: "envoy.config.route.v3.Route",
  CLUSTER: "envoy.config.cluster.v3.Cluster",
  EXTENSION_CONFIG: "envoy.config.core.v3.TypedExtensionConfig",
};

/** Reads the patches of a proxy; one whose value is no message of its kind is told to `onPatch` and left out. */
export function createPatcher(patches: readonly EnvoyPatch[], isRouter: boolean, onPatch: OnPatch): Patcher {
  const all = patches.flatMap((patch) => readied(patch, onPatch) ?? []);
  const extensions = new Map(
    all.flatMap(({ patch, value }) =>
      patch.applyTo === "EXTENSION_CONFIG" && patch.operation !== "REMOVE" ? [[String(value["name"]), value]] : [],
    ),
  );
  const ready = all.map((one) => ({ ...one, value: resolved(one.value, extensions) }));
  const additions = (kind: XdsKind): readonly ReadyPatch[] =>
    ready.filter(
      ({ patch }) => patch.operation === "ADD" && patch.applyTo === ADDABLE[kind] && isForProxy(patch, isRouter),
    );
  const addedTo = (kind: XdsKind, name: string): EnvoyResource | undefined => {
    const value = additions(kind).find((one) => one.value["name"] === name)?.value;
    if (value === undefined) return undefined;
    return kind === "cluster" ? typed(TYPES.CLUSTER, value) : typed(TYPES.LISTENER, value);
  };
  return {
    added: (kind) => [...new Set(additions(kind).map(({ value }) => String(value["name"])))],
    patched(kind, name, resource) {
      if (resource === undefined) return addedTo(kind, name);
      const { "@type": type, ...rest } = resource as { readonly "@type": string };
      const made = change(kind, rest, ready, isRouter);
      return made === undefined ? undefined : ({ "@type": type, ...(made as object) } as EnvoyResource);
    },
  };
}

const ADDABLE: { readonly [K in XdsKind]?: EnvoyPatch["applyTo"] } = { cluster: "CLUSTER", listener: "LISTENER" };

function change(kind: XdsKind, resource: Loose, ready: readonly ReadyPatch[], isRouter: boolean): Loose | undefined {
  if (kind === "listener") return patchedListener(resource as EnvoyListener, ready, isRouter) as Loose | undefined;
  if (kind === "cluster") return patchedCluster(resource as EnvoyCluster, ready, isRouter) as Loose | undefined;
  if (kind !== "route") return resource;
  const side = isRouter ? "GATEWAY" : "SIDECAR_OUTBOUND";
  return patchedTable(
    resource,
    ready.filter(({ patch }) => patch.context === "ANY" || patch.context === side),
  );
}

function isForProxy({ context }: EnvoyPatch, isRouter: boolean): boolean {
  return context === "ANY" || (context === "GATEWAY") === isRouter;
}

/** With its value as we encode it; undefined when it is no message of its kind. */
function readied(patch: EnvoyPatch, onPatch: OnPatch): ReadyPatch | undefined {
  const known = READ.get(patch) ?? readValue(patch);
  READ.set(patch, known);
  if (typeof known !== "string") return { patch, value: known };
  onPatch(patch, known);
  return undefined;
}

/** Values that were read, or why they cannot be: every resource of every scope asks for the same patches. */
const READ = new WeakMap<EnvoyPatch, Loose | string>();

function readValue({ applyTo, operation, value: written }: EnvoyPatch): Loose | string {
  const type = TYPES[applyTo];
  try {
    const value = normalized(type, written) as Loose;
    encodeMessage(type, value as Messages[MessageName]);
    const isWhole = operation === "ADD" && (applyTo === "CLUSTER" || applyTo === "LISTENER");
    return isWhole && typeof value["name"] !== "string" ? "name: expected a text" : value;
  } catch (error) {
    return errorText(error);
  }
}

/** A filter whose settings would be fetched by name gets them at once, where a patch of EXTENSION_CONFIG has them. */
function resolved(value: Loose, extensions: ReadonlyMap<string, Loose>): Loose {
  const { config_discovery: discovery, ...rest } = value;
  const found = discovery === undefined ? undefined : extensions.get(String(value["name"]));
  return isObject(found?.["typed_config"]) ? { ...rest, typed_config: found["typed_config"] } : value;
}

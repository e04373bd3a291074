import { kindOf, type KindName } from "../resources/kinds.ts";
import type { World } from "../resources/world.ts";
import type { XdsKind } from "../xds/types.ts";
import type { Arrivals } from "./arrivals.ts";
import { type Answer, json } from "./http.ts";
import { KINDS } from "./resource-table.ts";
import { type Pending, pendingOf } from "./subscription.ts";
import type { XdsStream } from "./xds-stream.ts";

/** One thing that keeps a proxy from running what an object makes for it. */
export interface Behind {
  readonly proxy: string;
  /** Absent: the proxy has no configuration yet. */
  readonly type?: XdsKind;
  readonly resource?: string;
  /** Envoy's words, when it refused the resource as it is now. */
  readonly error?: string;
}

/** How far one object has got, as one instance of the control plane knows from what its proxies confirmed. */
export interface Distribution {
  readonly control_plane: string;
  /** Of the object as this instance holds it; absent: it holds none, or one without a generation. */
  readonly generation?: number;
  /** Whether it holds the object at all. */
  readonly present: boolean;
  /** Proxies connected to this instance. */
  readonly proxies: number;
  readonly behind: number;
  /** The first of what is behind. */
  readonly reasons: readonly Behind[];
}

export interface DistributionDeps {
  readonly world: Pick<World, "get">;
  readonly arrivals: Pick<Arrivals, "of">;
  readonly streams: ReadonlySet<XdsStream>;
  readonly instance: string;
  readonly now: () => number;
}

/** Reasons that are told: enough to look into. */
const MOST_REASONS = 50;
/** Envoy asks for what a new cluster or listener names at once after it took that. */
const ASKING_MS = 2_000;

/** Answers `?apiVersion=&kind=&namespace=&name=`: who runs what this object makes, and who does not yet. */
export function answerDistribution(deps: DistributionDeps, url: URL): Answer {
  const [apiVersion, kind, namespace, name] = ["apiVersion", "kind", "namespace", "name"].map(
    (key) => url.searchParams.get(key) ?? "",
  ) as [string, string, string, string];
  const known = kindOf({ apiVersion, kind });
  if (known === undefined || name === "")
    return { status: 400, body: "expected ?apiVersion=&kind=&namespace=&name= of an object of the mesh\n" };
  return json(distributionOf(deps, { kind: known, namespace, name }), url.searchParams.has("pretty"));
}

/**
 * A proxy runs what the object makes for it when it has confirmed every resource that it asked for in the version that the World
 * makes now. What it refused before the object came to be as it is, and that is the same still, the object did not make. What it
 * refused later counts, whichever object made it: that is not known.
 */
export function distributionOf(
  { world, arrivals, streams, instance, now }: DistributionDeps,
  { kind, namespace, name }: { readonly kind: KindName; readonly namespace: string; readonly name: string },
): Distribution {
  const object = world.get(kind, namespace, name);
  const since = arrivals.of(kind, namespace, name) ?? 0;
  const proxies = new Set<string>();
  const behind = new Map<string, Behind>();
  for (const stream of newestStreams(streams)) {
    proxies.add(stream.proxy);
    const reason = reasonOf(stream, since, now());
    if (reason !== undefined && !behind.has(stream.proxy)) behind.set(stream.proxy, { proxy: stream.proxy, ...reason });
  }
  const generation = object?.metadata.generation;
  return {
    control_plane: instance,
    ...(generation === undefined ? {} : { generation }),
    present: object !== undefined,
    proxies: proxies.size,
    behind: behind.size,
    reasons: [...behind.values()].slice(0, MOST_REASONS),
  };
}

/** Of two streams that ask for the same, by an Envoy that came again, the newer one. */
function newestStreams(streams: ReadonlySet<XdsStream>): readonly XdsStream[] {
  const newest = new Map<string, XdsStream>();
  for (const stream of streams) {
    const key = `${stream.proxy} ${stream.subscription("cluster") === undefined ? "agent" : "envoy"}`;
    const other = newest.get(key);
    if (other === undefined || other.connectedAt <= stream.connectedAt) newest.set(key, stream);
  }
  return [...newest.values()];
}

function reasonOf(stream: XdsStream, since: number, now: number): Omit<Behind, "proxy"> | undefined {
  const snapshot = stream.snapshot();
  if (snapshot === undefined) return {};
  for (const type of KINDS) {
    const sub = stream.subscription(type);
    if (sub === undefined) continue;
    for (const pending of pendingOf(sub, snapshot[type])) {
      if (isOlder(pending, since)) continue;
      const { name, refused } = pending;
      return { type, resource: name, ...(refused === undefined ? {} : { error: refused.error }) };
    }
  }
  return unasked(stream, now);
}

/** A refusal from before the object came is not about it. */
function isOlder({ refused }: Pending, since: number): boolean {
  return refused !== undefined && refused.at < since;
}

/** What a cluster or listener that was just taken names and nobody asked for yet: endpoints and routes. */
function unasked(stream: XdsStream, now: number): Omit<Behind, "proxy"> | undefined {
  const snapshot = stream.snapshot();
  const after = { cluster: "endpoint", listener: "route" } as const;
  for (const [taken, type] of Object.entries(after) as ["cluster" | "listener", "endpoint" | "route"][]) {
    const at = stream.subscription(taken)?.ackedAt;
    if (at === undefined || now - at > ASKING_MS) continue;
    const names = stream.subscription(type)?.names;
    for (const resource of snapshot?.[type].keys() ?? []) if (names?.has(resource) !== true) return { type, resource };
  }
  return undefined;
}

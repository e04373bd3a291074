import { isDeepStrictEqual } from "node:util";
import { ClusterError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { type ApiCondition, withAddresses } from "../compile/gateway-api/addresses.ts";
import { authorityObjects } from "../compile/gateway-api/backend-tls.ts";
import { gatewayApiStatus } from "../compile/gateway-api/conditions.ts";
import { apiSecretObjects } from "../compile/gateway-api/servers.ts";
import { isOurController } from "../model/gateway-api-classes.ts";
import { parametersOf } from "../model/gateway-api-deployments.ts";
import { type ApiGateway, GATEWAY_GROUP } from "../model/gateway-api-types.ts";
import type { Model } from "../model/model.ts";
import type { Cluster } from "../resources/cluster.ts";
import { apiVersionOf, type KindName, KINDS } from "../resources/kinds.ts";
import { type KubeObject, refOf } from "../resources/object.ts";
import type { Runner } from "./runner.ts";
import type { SecretWatches } from "./secret-watches.ts";
import { createWriterQueue } from "./writer-queue.ts";

export interface GatewayApiStatusDeps {
  readonly cluster: Pick<Cluster, "mergePatch" | "create">;
  readonly model: Model;
  /** Certificates that listeners name are read to judge them. */
  readonly secrets: Pick<SecretWatches, "open">;
  /** Tracked. */
  readonly isLeader: () => boolean;
  readonly log: Logger;
  readonly now: () => Date;
}

type Loose = Readonly<Record<string, unknown>>;

/** Kinds that have a status of ours. */
const KINDS_WITH_STATUS = [
  "GatewayClass",
  "KubernetesGateway",
  "HTTPRoute",
  "GRPCRoute",
  "TCPRoute",
  "TLSRoute",
  "BackendTLSPolicy",
] as const satisfies readonly KindName[];

/** Classes that are there in every mesh, with who serves them. */
const CLASSES = { istio: "istio.io/gateway-controller", "istio-remote": "istio.io/unmanaged-gateway" } as const;

/**
 * Consumes the objects of Gateway API and what is made of them; offers their status: conditions, attached routes, addresses.
 * Makes the classes `istio` and `istio-remote` where they are missing. A burst of changes is one write for each object whose
 * status is another; entries of other controllers stay.
 */
export function createGatewayApiStatus(deps: GatewayApiStatusDeps): Runner {
  const { model, secrets } = deps;
  const user = secrets.open();
  const wanted = new Map<string, Loose>();
  /** What was asked of the API server, and what it made of it: not asked again while neither changes. */
  const settled = new Map<string, { readonly asked: Loose; readonly stored: unknown }>();
  let later: NodeJS.Timeout | undefined;
  const askLater = (): void => {
    clearTimeout(later);
    later = setTimeout(addClasses, CLASS_RETRY_MS);
  };
  const work = { ...deps, wanted, settled, askLater };
  const queue = createWriterQueue("gateway-api-status", (key) => write(work, key), deps.log);
  const addClasses = (): void => {
    for (const key of missingClasses(model)) queue.add(key);
  };
  let unwatch = (): void => {};
  return {
    name: "gateway-api-status",
    start() {
      unwatch = model.derivations.effect(() => {
        wanted.clear();
        // also when another replica writes: what listeners and backends serve depends on them
        const isKnown = user.want("", wantedObjects(model));
        if (!isKnown || !deps.isLeader()) return;
        addClasses();
        for (const [key, status] of wantedStatus(model)) {
          wanted.set(key, status);
          if (needsWrite(model, key, status, settled)) queue.add(key);
        }
      });
      return Promise.resolve();
    },
    async close() {
      unwatch();
      user.close();
      await queue.close();
      clearTimeout(later);
    },
  };
}

/** Secrets and ConfigMaps that decide whether Gateways and policies can be served. */
function wantedObjects(model: Model): readonly string[] {
  const parameters = model.world.list("KubernetesGateway").flatMap((gateway) => {
    const place = parametersOf(gateway);
    return place === undefined ? [] : [`ConfigMap/${place.namespace}/${place.name}`];
  });
  return [...apiSecretObjects(model), ...authorityObjects(model), ...parameters];
}

/** The kinds of Gateway API may come later: nothing tells when. */
const CLASS_RETRY_MS = 2_000;

/** Keys of the classes that are not there. */
function missingClasses({ world }: Model): readonly string[] {
  return Object.keys(CLASSES)
    .filter((name) => world.get("GatewayClass", "", name) === undefined)
    .map((name) => `class ${name}`);
}

/** Each object's status by `kind namespace/name`; also of objects whose last entry of ours is to go. */
function wantedStatus(model: Model): readonly (readonly [key: string, status: Loose])[] {
  const made = new Map(
    gatewayApiStatus(model).map(({ object, status }) => [`${object.kind} ${object.namespace}/${object.name}`, status]),
  );
  return KINDS_WITH_STATUS.flatMap((kind) =>
    model.world.list(kind).flatMap((object): readonly (readonly [string, Loose])[] => {
      const { kind: written, namespace, name } = refOf(object);
      const status = made.get(`${written} ${namespace}/${name}`) ?? noneOf(object);
      if (status === undefined) return [];
      const key = `${kind} ${namespace}/${name}`;
      if (kind !== "KubernetesGateway") return [[key, status as Loose]];
      return [
        [key, withAddresses(model, object as ApiGateway, status as { conditions: readonly ApiCondition[] }) as Loose],
      ];
    }),
  );
}

/** Of an object that has entries of ours although nothing of ours is its parent. */
function noneOf({ status }: KubeObject): Loose | undefined {
  const { parents, ancestors } = (status ?? {}) as { readonly parents?: unknown; readonly ancestors?: unknown };
  if (entriesOf(parents).some(isOurs)) return { parents: [] };
  return entriesOf(ancestors).some(isOurs) ? { ancestors: [] } : undefined;
}

interface Entry extends Loose {
  readonly controllerName?: string;
  readonly conditions?: readonly ApiCondition[];
}

function entriesOf(list: unknown): readonly Entry[] {
  return Array.isArray(list) ? (list as readonly Entry[]) : [];
}

function isOurs({ controllerName }: Entry): boolean {
  return isOurController(controllerName ?? "");
}

type Settled = ReadonlyMap<string, { readonly asked: Loose; readonly stored: unknown }>;

function needsWrite(model: Model, key: string, status: Loose, settled: Settled): boolean {
  const object = objectOf(model, key);
  if (object === undefined) return false;
  const last = settled.get(key);
  if (last !== undefined && isDeepStrictEqual(last.asked, status) && isDeepStrictEqual(last.stored, object.status))
    return false;
  return !isDeepStrictEqual(pick(object.status, merged(object.status, status, "")), merged(object.status, status, ""));
}

/** The fields of a status that we write. */
function pick(status: unknown, fields: Loose): Loose {
  return Object.fromEntries(Object.keys(fields).map((name) => [name, ((status ?? {}) as Loose)[name]]));
}

function objectOf({ world }: Model, key: string): KubeObject | undefined {
  const [kind, place] = key.split(" ") as [(typeof KINDS_WITH_STATUS)[number], string];
  const slash = place.indexOf("/");
  return world.get(kind, place.slice(0, slash), place.slice(slash + 1));
}

/** The status as it is to stand: others' entries kept, times of conditions kept where their status is the same. */
function merged(existing: unknown, status: Loose, now: string): Loose {
  const have = (existing ?? {}) as Loose;
  return Object.fromEntries(
    Object.entries(status).map(([field, value]) => {
      if (field === "conditions") return [field, timed(have[field], value as readonly ApiCondition[], now)];
      if (field === "listeners") return [field, entries(have[field], entriesOf(value), now)];
      if (field !== "parents" && field !== "ancestors") return [field, value];
      const others = entriesOf(have[field]).filter((entry) => !isOurs(entry));
      const own = entriesOf(value).map(filled);
      return [field, [...others, ...entries(have[field], own, now)]];
    }),
  );
}

/** Defaults that the API server writes into a reference. */
function filled(entry: Entry): Entry {
  if (entry["parentRef"] === undefined) return entry;
  return { ...entry, parentRef: { group: GATEWAY_GROUP, kind: "Gateway", ...(entry["parentRef"] as Loose) } };
}

function entries(existing: unknown, own: readonly Entry[], now: string): readonly Entry[] {
  const identity = ({ name, parentRef, ancestorRef, controllerName }: Entry): unknown[] => [
    name,
    parentRef,
    ancestorRef,
    controllerName,
  ];
  return own.map((entry) => {
    const before = entriesOf(existing).find((one) => isDeepStrictEqual(identity(one), identity(entry)));
    return { ...entry, conditions: timed(before?.conditions, entry.conditions ?? [], now) };
  });
}

function timed(existing: unknown, conditions: readonly ApiCondition[], now: string): readonly ApiCondition[] {
  const have = Array.isArray(existing) ? (existing as readonly ApiCondition[]) : [];
  return conditions.map((condition) => {
    const before = have.find(({ type, status }) => type === condition.type && status === condition.status);
    return { ...condition, lastTransitionTime: before?.lastTransitionTime ?? now };
  });
}

interface Work extends GatewayApiStatusDeps {
  /** Tries again to make the classes, after a while. */
  readonly askLater: () => void;
  readonly wanted: ReadonlyMap<string, Loose>;
  readonly settled: Map<string, { readonly asked: Loose; readonly stored: unknown }>;
}

async function write(work: Work, key: string): Promise<void> {
  const { cluster, model, wanted, settled, now } = work;
  if (key.startsWith("class ")) return makeClass(work, key.slice("class ".length));
  const status = wanted.get(key);
  const object = objectOf(model, key);
  if (status === undefined || object === undefined || !needsWrite(model, key, status, settled)) return;
  const kind = key.split(" ")[0] as KindName;
  const { namespace, name } = object.metadata;
  const target = {
    apiVersion: apiVersionOf(kind),
    kind: KINDS[kind].kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
  };
  const time = now()
    .toISOString()
    .replace(/\.\d+Z$/, "Z");
  try {
    // Others write entries of the same lists: what they wrote since we read is not written over, but read first.
    const { resourceVersion } = object.metadata;
    const metadata = resourceVersion === undefined ? {} : { metadata: { resourceVersion } };
    const patch = { ...metadata, status: merged(object.status, status, time) };
    const stored = await cluster.mergePatch(target, patch, { subresource: "status" });
    settled.set(key, { asked: status, stored: stored.status });
  } catch (error) {
    // it went away in the meantime
    if (!(error instanceof ClusterError) || error.code !== "not-found") throw error;
  }
}

async function makeClass({ cluster, model, isLeader, askLater }: Work, name: string): Promise<void> {
  if (!isLeader() || model.world.get("GatewayClass", "", name) !== undefined) return;
  const controllerName = CLASSES[name as keyof typeof CLASSES];
  const spec = { controllerName, description: "Gateways served by the mesh" };
  const object = { apiVersion: apiVersionOf("GatewayClass"), kind: "GatewayClass", metadata: { name }, spec };
  await cluster.create(object).catch((error: unknown) => {
    if (!(error instanceof ClusterError) || !["already-exists", "no-such-kind"].includes(error.code)) throw error;
    // another was quicker, or the kinds are not there
    if (error.code === "no-such-kind") askLater();
  });
}

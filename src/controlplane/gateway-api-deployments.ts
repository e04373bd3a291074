import { setMaxListeners } from "node:events";
import { isDeepStrictEqual } from "node:util";
import { delay } from "../base/delay.ts";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { InjectContext } from "../inject/config.ts";
import { CLASS_DEFAULTS_LABEL, isManaged, MANAGED_LABEL, parametersOf } from "../model/gateway-api-deployments.ts";
import type { ApiGateway } from "../model/gateway-api-types.ts";
import type { Model } from "../model/model.ts";
import { byAge } from "../model/order.ts";
import type { Cluster, KindRef } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import { gatewayObjects } from "./gateway-api-objects.ts";
import { withOverlays } from "./gateway-api-overlays.ts";
import { isOwnGateway } from "./own-gateways.ts";
import type { Runner } from "./runner.ts";
import type { SecretWatches } from "./secret-watches.ts";
import { createWriterQueue } from "./writer-queue.ts";

export interface GatewayDeploymentsDeps {
  readonly cluster: Pick<Cluster, "apply" | "get" | "watch">;
  readonly model: Model;
  readonly rootNamespace: string;
  readonly revision: string;
  /** ConfigMaps that Gateways name are read one by one. */
  readonly secrets: Pick<SecretWatches, "open">;
  /** What the injector works with for pods of a namespace; tracked. Throws while its configuration is not there. */
  readonly injection: (namespace: string) => InjectContext;
  /** Tracked. */
  readonly isLeader: () => boolean;
  readonly log: Logger;
}

/** Who serves classes whose Gateways get pods of their own; as field manager Istio's too, so that each takes over from the other. */
const CONTROLLER = "istio.io/gateway-controller";
const RETRY_MS = 1_000;

/** Kinds that are made. */
const MADE: readonly KindRef[] = [
  { apiVersion: "v1", kind: "ServiceAccount" },
  { apiVersion: "v1", kind: "Service" },
  { apiVersion: "apps/v1", kind: "Deployment" },
  { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler" },
  { apiVersion: "policy/v1", kind: "PodDisruptionBudget" },
];

/** What was asked of the API server last, and what it made of it. */
interface Settled {
  readonly asked: KubeObject;
  readonly stored: unknown;
}

/**
 * Consumes Gateways of class `istio`, their parameters and the injector's configuration; offers a Deployment, a Service and a
 * ServiceAccount for each, applied by the leading meshd and put back when they are changed. An object that has the name already
 * and was not made for a Gateway is left alone. Nothing is deleted here: everything is owned by its Gateway.
 */
export function createGatewayDeployments(deps: GatewayDeploymentsDeps): Runner {
  const { model, secrets, log } = deps;
  const user = secrets.open();
  const wanted = new Map<string, KubeObject>();
  const settled = new Map<string, Settled>();
  const queue = createWriterQueue("gateway-deployments", (key) => write({ ...deps, wanted, settled }, key), log);
  const check = (key: string): void => {
    const object = wanted.get(key);
    if (object !== undefined && !isDeepStrictEqual(settled.get(key)?.asked, object)) queue.add(key);
  };
  const follower = createFollower(deps, (object, isGone) => {
    const key = keyOf(object);
    if (!isGone && isDeepStrictEqual(ours(object), settled.get(key)?.stored)) return;
    settled.delete(key);
    check(key);
  });
  const told = new Map<string, string>();
  let unwatch = (): void => {};
  return {
    name: "gateway-deployments",
    start() {
      unwatch = model.derivations.effect(() => {
        wanted.clear();
        const gateways = managedGateways(deps);
        const isKnown = user.want("", gateways.flatMap(parameterObject));
        if (!isKnown || !deps.isLeader() || gateways.length === 0) return;
        follower.start();
        for (const object of gateways.flatMap((gateway) => objectsOf(deps, gateway, told))) {
          wanted.set(keyOf(object), object);
          check(keyOf(object));
        }
      });
      return Promise.resolve();
    },
    async close() {
      unwatch();
      user.close();
      await follower.close();
      await queue.close();
    },
  };
}

function keyOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
}

/** Gateways of this control plane, as the cluster has them, that get pods of their own. */
function managedGateways({ model, revision }: GatewayDeploymentsDeps): readonly ApiGateway[] {
  const { world, gatewayApi } = model;
  return world.list("KubernetesGateway").filter((gateway) => {
    const { uid, deletionTimestamp } = gateway.metadata;
    const served = gatewayApi.classes.of(gateway);
    return (
      uid !== undefined &&
      deletionTimestamp === undefined &&
      served.known &&
      served.controller === CONTROLLER &&
      isManaged(gateway) &&
      isOwnGateway(world, revision, gateway)
    );
  });
}

function parameterObject(gateway: ApiGateway): readonly string[] {
  const place = parametersOf(gateway);
  return place === undefined ? [] : [`ConfigMap/${place.namespace}/${place.name}`];
}

/** What a Gateway is to have; nothing, with words in the log, when that cannot be made: what is there stays. */
function objectsOf(
  deps: GatewayDeploymentsDeps,
  gateway: ApiGateway,
  told: Map<string, string>,
): readonly KubeObject[] {
  const { namespace = "", name } = gateway.metadata;
  const place = `${namespace}/${name}`;
  try {
    const made = gatewayObjects(gateway, { injection: deps.injection(namespace), controller: CONTROLLER });
    const objects = withOverlays(made, overlaysOf(deps, gateway));
    told.delete(place);
    return objects;
  } catch (error) {
    const text = errorText(error);
    if (told.get(place) !== text) deps.log.warn({ gateway: place, error: text }, "cannot make the pods of a Gateway");
    told.set(place, text);
    return [];
  }
}

function overlaysOf(
  { model, rootNamespace }: GatewayDeploymentsDeps,
  gateway: ApiGateway,
): readonly Readonly<Record<string, string>>[] {
  const { world } = model;
  const [ofClass] = world
    .list("ConfigMap", rootNamespace)
    .filter(({ metadata }) => metadata.labels?.[CLASS_DEFAULTS_LABEL] === gateway.spec?.gatewayClassName)
    .toSorted(byAge);
  const written = gateway.spec?.infrastructure?.parametersRef;
  const place = parametersOf(gateway);
  const own = place === undefined ? undefined : world.get("ConfigMap", place.namespace, place.name);
  if (written !== undefined && own === undefined)
    throw new Error(`infrastructure.parametersRef: there is no ${written.kind} ${written.name}`);
  return [ofClass?.data ?? {}, own?.data ?? {}];
}

/** The part of an object that is for us to say; what others write elsewhere is no reason to write again. */
function ours({ metadata, ...object }: KubeObject): unknown {
  const { "deployment.kubernetes.io/revision": _counted, ...annotations } = metadata.annotations ?? {};
  return { annotations, labels: metadata.labels, owners: metadata["ownerReferences"], spec: object["spec"] };
}

interface Work extends GatewayDeploymentsDeps {
  readonly wanted: ReadonlyMap<string, KubeObject>;
  readonly settled: Map<string, Settled>;
}

async function write({ cluster, wanted, settled, log }: Work, key: string): Promise<void> {
  const object = wanted.get(key);
  if (object === undefined || isDeepStrictEqual(settled.get(key)?.asked, object)) return;
  const { apiVersion, kind, metadata } = object;
  const { namespace = "", name } = metadata;
  const present = await cluster.get({ apiVersion, kind, namespace, name });
  if (present !== undefined && present.metadata.labels?.[MANAGED_LABEL] === undefined) {
    log.warn({ kind, namespace, name }, "is there already, and was not made for a Gateway: left as it is");
    settled.set(key, { asked: object, stored: ours(present) });
    return;
  }
  const stored = await cluster.apply(object, { fieldManager: CONTROLLER, force: true });
  settled.set(key, { asked: object, stored: ours(stored) });
}

interface Follower {
  /** Begins to watch, once. */
  start(): void;
  close(): Promise<void>;
}

/** Follows what was made, from the first Gateway on: each change and deletion, also by others, is heard. */
function createFollower(
  { cluster, log }: Pick<GatewayDeploymentsDeps, "cluster" | "log">,
  onChange: (object: KubeObject, isGone: boolean) => void,
): Follower {
  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  let running: Promise<unknown> | undefined;
  const follow = async (kind: KindRef): Promise<void> => {
    while (!abort.signal.aborted) {
      try {
        await cluster.watch(
          kind,
          { labelSelector: `${MANAGED_LABEL}=${CONTROLLER.replaceAll("/", "-")}` },
          (event) => {
            if (event.type !== "SYNCED") onChange(event.object, event.type === "DELETED");
          },
          abort.signal,
        );
      } catch (error) {
        log.warn({ kind: kind.kind, error: errorText(error) }, "cannot list what is made for Gateways; trying again");
        await delay(RETRY_MS, abort.signal);
      }
    }
  };
  return {
    start() {
      running ??= Promise.all(MADE.map(follow));
    },
    async close() {
      abort.abort();
      await running;
    },
  };
}

import type { Logger } from "../../base/logger.ts";
import { errorText } from "../../base/errors.ts";
import type { KubeObject } from "../../resources/object.ts";
import type { LocalClient, ResourceId } from "../api/types.ts";
import type { EventRecorder } from "../events.ts";
import type { Service } from "../shapes.ts";
import type { Cache } from "./cache.ts";
import { type Again, createQueue } from "./queue.ts";

/** What a controller may touch. */
export interface ControllerContext {
  readonly client: LocalClient;
  readonly cache: Cache;
  readonly events: EventRecorder;
  readonly log: Logger;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  readonly cluster: ClusterFacts;
}

/** How this cluster's network and endpoint look, decided once at start. */
export interface ClusterFacts {
  readonly nodeName: string;
  readonly caPem: string;
  /** Where pods reach the API endpoint. */
  readonly apiAddress: { readonly host: string; readonly port: number };
  /** The port a process really listens on for a port that the user wrote (loopback nodes cannot bind ports under 1024). */
  readonly realPort: (port: number) => number;
  /** Address at which the machine reaches a Service of type LoadBalancer; undefined until it is reachable. */
  readonly loadBalancerAddress: (service: Service) => Promise<LoadBalancerAddress | undefined>;
}

export interface LoadBalancerAddress {
  readonly ip: string;
  /** Service port -> port that listens at `ip`, where they differ. */
  readonly mapped: Readonly<Record<string, number>>;
}

/** One reconciler. */
export interface Controller {
  readonly name: string;
  /** One sentence, present tense. */
  readonly summary: string;
  readonly start: (context: ControllerContext) => void;
}

export interface ReconcilerDefinition {
  readonly name: string;
  readonly summary: string;
  /** The first is the reconciled collection; keys are `namespace/name`. */
  readonly watches: readonly ControllerWatch[];
  /** Brings what exists in line with the object of `key`; the object may be gone. */
  readonly reconcile: (key: ObjectKey, context: ControllerContext) => Promise<Again | undefined>;
}

export interface ControllerWatch {
  readonly id: ResourceId;
  /** Objects to reconcile when this one changed; by default itself. */
  readonly keys?: (object: KubeObject, context: ControllerContext) => readonly string[];
}

export interface ObjectKey {
  /** Undefined for cluster-scoped objects. */
  readonly namespace: string | undefined;
  readonly name: string;
}

/** A controller around a queue: changes give keys, keys are reconciled, failures are retried, logged and shown as events. */
export function defineController(definition: ReconcilerDefinition): Controller {
  const { name, summary, watches, reconcile } = definition;
  const start = (context: ControllerContext): void => {
    const add = createQueue({
      work: (key) => reconcile(parseKey(key), context),
      onError: (key, error, attempt) => {
        context.log.warn({ controller: name, key, attempt }, errorText(error));
        const { namespace, name: objectName } = parseKey(key);
        const main = watches[0]?.id;
        const object = main === undefined ? undefined : context.cache.get(main, namespace, objectName);
        if (object !== undefined && attempt === 3) {
          context.events.warning(object, "ReconcileFailed", `${name}: ${errorText(error)}`);
        }
      },
      signal: context.signal,
    });
    for (const watch of watches) {
      context.cache.subscribe(watch.id, ({ object, previous }) => {
        const keys = watch.keys ?? ((changed) => [keyOf(changed)]);
        for (const key of keys(object, context)) add(key);
        if (previous !== undefined && watch.keys !== undefined) for (const key of keys(previous, context)) add(key);
      });
    }
  };
  return { name, summary, start };
}

/** `namespace/name`, or `/name` for a cluster-scoped object. */
export function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
}

function parseKey(key: string): ObjectKey {
  const slash = key.indexOf("/");
  return { namespace: slash === 0 ? undefined : key.slice(0, slash), name: key.slice(slash + 1) };
}

/** Key of the object's controller when that is of the given kind. */
export function ownerKeys(kind: string): (object: KubeObject) => readonly string[] {
  return (object) => {
    const owner = controllerOf(object);
    return owner?.kind === kind ? [`${object.metadata.namespace ?? ""}/${owner.name}`] : [];
  };
}

/** The owner reference with `controller: true`. */
export function controllerOf(object: KubeObject): { kind: string; name: string; uid: string } | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true);
}

/** Owner references that make `owner` the controller of a new object. */
export function controlledBy(owner: KubeObject): readonly Record<string, unknown>[] {
  const { apiVersion, kind, metadata } = owner;
  return [{ apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true }];
}

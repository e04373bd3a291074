import type { Derivations } from "../base/derive.ts";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { CONTROLLERS_ANNOTATION } from "../model/members.ts";
import { createWorldStore } from "../resources/world-store.ts";
import type { Joined } from "./joined-cluster.ts";
import { createLeader } from "./leader.ts";
import type { Runner } from "./runner.ts";
import { createTrustMaps, type TrustMaps } from "./trust-maps.ts";
import { createWatches } from "./watch.ts";
import { createWebhookConfigs } from "./webhook-configs.ts";

/** Who does the duties: this control plane, in all clusters the same. */
export interface Controller {
  /** Name of our own cluster. */
  readonly clusterId: string;
  readonly namespace: string;
  readonly revision: string;
  readonly instance: string;
  /** PEM of the roots of our own certificate; tracked. */
  readonly bundle: () => string;
  readonly maps: TrustMaps;
  readonly derivations: Derivations;
  readonly log: Logger;
}

/**
 * Consumes the namespaces and injection webhooks of a cluster that names us as its control plane; offers there what agents and
 * the API server need of one: root certificates in each namespace, our CA in the webhooks. Of several of us one writes.
 */
export function createRemoteDuties(controller: Controller, joined: Joined): Runner {
  const { derivations, log, clusterId, namespace } = controller;
  let wanted = false;
  let active: Runner | undefined;
  let turn: Promise<void> = Promise.resolve();
  let unfollow = (): void => {};

  const change = async (): Promise<void> => {
    if (wanted === (active !== undefined)) return;
    log.info({ cluster: joined.clusterId, controls: wanted }, "the control plane of a cluster without one");
    const before = active;
    active = wanted ? createDuties(controller, joined) : undefined;
    await (wanted ? active?.start() : before?.close());
  };
  const follow = (next: boolean): void => {
    wanted = next;
    turn = turn.then(change).catch((error: unknown) => {
      log.error({ cluster: joined.clusterId, error: errorText(error) }, "duties in a cluster");
    });
  };
  return {
    name: `duties in ${joined.clusterId}`,
    start() {
      unfollow = derivations.effect(() => {
        const { annotations = {} } = joined.world.get("Namespace", "", namespace)?.metadata ?? {};
        const names = (annotations[CONTROLLERS_ANNOTATION] ?? "").split(",").map((name) => name.trim());
        follow(names.includes("*") || names.includes(clusterId));
      });
      return Promise.resolve();
    },
    async close() {
      unfollow();
      follow(false);
      await turn;
    },
  };
}

/** The parts, while they are wanted. */
function createDuties(
  { namespace, revision, instance: identity, bundle, maps, derivations, log }: Controller,
  { cluster, world }: Joined,
): Runner {
  const leading = derivations.source(false);
  const hooks = createWorldStore(derivations);
  const isLeader = (): boolean => leading.get();
  const writer = { cluster, derivations, isLeader, log };
  const runners: readonly Runner[] = [
    createWatches({
      cluster,
      watched: [
        { kind: "MutatingWebhookConfiguration", options: { labelSelector: `istio.io/rev=${revision || "default"}` } },
      ],
      apply: (changes) => hooks.apply(changes),
      onSynced: () => undefined,
      log,
    }),
    createWebhookConfigs({ ...writer, world: hooks, namespace, revision, bundle }),
    ...createTrustMaps(maps, { ...writer, world }),
    createLeader({
      cluster,
      namespace,
      revision,
      identity,
      onChange: (next) => leading.set(next),
      log,
      now: () => new Date(),
    }),
  ];
  return {
    name: "duties",
    async start() {
      for (const runner of runners) await runner.start();
    },
    async close() {
      for (const runner of runners.toReversed()) await runner.close();
    },
  };
}

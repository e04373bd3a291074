import { delay } from "../base/delay.ts";
import { ClusterError, errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { revisionSuffix } from "../base/revision.ts";
import type { Cluster } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import type { Runner } from "./runner.ts";

export interface LeaderDeps {
  readonly cluster: Pick<Cluster, "get" | "create" | "replace">;
  readonly namespace: string;
  /** Each revision has a leader of its own. Default: the default revision. */
  readonly revision?: string;
  /** Who we are: the pod's name, so that a container that starts anew is leader again at once. */
  readonly identity: string;
  readonly onChange: (isLeader: boolean) => void;
  readonly log: Logger;
  readonly now: () => Date;
}

const LEASE = "istio-leader";
const LEASE_SECONDS = 10;
const RENEW_MS = 3_000;
const RETRY_MS = 1_000;

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

/**
 * Consumes and offers the Lease `istio-leader`: of several control planes one writes shared objects. A leader that cannot
 * renew in time stops leading before another may start.
 */
export function createLeader(deps: LeaderDeps): Runner {
  const abort = new AbortController();
  let isLeader = false;
  let renewedAt = 0;
  let running: Promise<void> = Promise.resolve();

  const become = (next: boolean): void => {
    if (next === isLeader) return;
    isLeader = next;
    deps.log.info({ leader: next }, next ? "leading" : "no longer leading");
    deps.onChange(next);
  };
  const run = async (): Promise<void> => {
    while (!abort.signal.aborted) {
      try {
        const won = await takeLease(deps);
        if (won) renewedAt = deps.now().getTime();
        become(won);
      } catch (error) {
        deps.log.warn({ error: errorText(error) }, "the leader's lease cannot be written");
        if (deps.now().getTime() - renewedAt > (LEASE_SECONDS * 1000 * 2) / 3) become(false);
      }
      await delay(isLeader ? RENEW_MS : RETRY_MS, abort.signal);
    }
  };
  return {
    name: "leader",
    start() {
      running = run();
      return Promise.resolve();
    },
    async close() {
      abort.abort();
      await running;
      if (isLeader) await giveUp(deps).catch(() => {});
      become(false);
    },
  };
}

const target = ({ namespace, revision = "default" }: LeaderDeps) => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  namespace,
  name: `${LEASE}${revisionSuffix(revision)}`,
});

async function takeLease(deps: LeaderDeps): Promise<boolean> {
  const { cluster, identity } = deps;
  const existing = await cluster.get(target(deps));
  const now = deps.now();
  const spec = (existing?.spec ?? {}) as LeaseSpec;
  const next = nextLease(spec, identity, now);
  if (next === undefined) return false;
  try {
    if (existing === undefined) await cluster.create(lease(deps, next));
    else await cluster.replace({ ...existing, spec: next });
    return true;
  } catch (error) {
    // Another was quicker.
    if (error instanceof ClusterError && (error.code === "conflict" || error.code === "already-exists")) return false;
    throw error;
  }
}

/** The lease as we would write it; undefined while another holds it. */
export function nextLease(spec: LeaseSpec, identity: string, now: Date): LeaseSpec | undefined {
  const holder = spec.holderIdentity ?? "";
  const until = Date.parse(spec.renewTime ?? "") + (spec.leaseDurationSeconds ?? LEASE_SECONDS) * 1000;
  const isFree = holder === "" || holder === identity || !(until > now.getTime());
  if (!isFree) return undefined;
  const time = now.toISOString().replace("Z", "000Z");
  const isSame = holder === identity;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: LEASE_SECONDS,
    acquireTime: isSame ? (spec.acquireTime ?? time) : time,
    renewTime: time,
    leaseTransitions: (spec.leaseTransitions ?? 0) + (isSame || holder === "" ? 0 : 1),
  };
}

function lease(deps: LeaderDeps, spec: LeaseSpec): KubeObject {
  const { apiVersion, kind, name, namespace } = target(deps);
  return { apiVersion, kind, metadata: { name, namespace }, spec };
}

async function giveUp(deps: LeaderDeps): Promise<void> {
  const { cluster, identity } = deps;
  const existing = await cluster.get(target(deps));
  const spec = (existing?.spec ?? {}) as LeaseSpec;
  if (existing === undefined || spec.holderIdentity !== identity) return;
  await cluster.replace({ ...existing, spec: { ...spec, holderIdentity: "", leaseDurationSeconds: 1 } });
}

import { ClusterError, errorText } from "../base/errors.ts";
import type { Cluster, TargetRef } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";

/** Name of the Lease in the namespace of the control plane that installations hold, one at a time. */
export const INSTALL_LEASE = "meshctl-install";

const DURATION_S = 60;
const RENEW_MS = 15_000;

/** Who holds the lease: shown to the one who comes second. */
export interface Holder {
  /** e.g. `ana@laptop (pid 4711)` */
  readonly identity: string;
  readonly now: () => Date;
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
}

/**
 * Takes the lease and keeps it renewed until the returned function is called. Throws ClusterError `install-running` while another
 * holds it, naming who, since when and how to break it; one that has not been renewed for a minute is taken over.
 */
export async function holdInstallLease(
  cluster: Pick<Cluster, "get" | "create" | "replace" | "delete">,
  namespace: string,
  holder: Holder,
): Promise<() => Promise<void>> {
  const target = targetIn(namespace);
  const acquired = microTime(holder.now());
  let held = await take(cluster, target, leaseOf(namespace, holder, acquired));
  const renew = async (): Promise<void> => {
    const spec = { ...(held.spec as LeaseSpec), renewTime: microTime(holder.now()) };
    held = await cluster.replace({ ...held, spec });
  };
  // a renewal that fails is tried again at the next turn; four may fail
  const timer = setInterval(() => void renew().catch(() => undefined), RENEW_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    const now = await cluster.get(target);
    if (now !== undefined && (now.spec as LeaseSpec).acquireTime === acquired)
      await cluster.delete(target, { propagation: "Background" });
  };
}

function targetIn(namespace: string): TargetRef & { readonly namespace: string } {
  return { apiVersion: "coordination.k8s.io/v1", kind: "Lease", namespace, name: INSTALL_LEASE };
}

function leaseOf(namespace: string, { identity, now }: Holder, acquireTime: string): KubeObject<LeaseSpec> {
  const spec = {
    holderIdentity: identity,
    leaseDurationSeconds: DURATION_S,
    acquireTime,
    renewTime: microTime(now()),
  };
  return { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: INSTALL_LEASE, namespace }, spec };
}

async function take(
  cluster: Pick<Cluster, "get" | "create" | "replace">,
  target: TargetRef & { readonly namespace: string },
  wanted: KubeObject<LeaseSpec>,
): Promise<KubeObject> {
  const live = await cluster.get(target);
  try {
    if (live === undefined) return await cluster.create(wanted);
    const spec = (live.spec ?? {}) as LeaseSpec;
    if (new Date(wanted.spec?.renewTime ?? 0) < expiryOf(spec)) throw running(target, spec);
    return await cluster.replace({ ...live, spec: wanted.spec });
  } catch (error) {
    // somebody was faster by a moment
    if (!(error instanceof ClusterError) || !["already-exists", "conflict"].includes(error.code)) throw error;
    const now = await cluster.get(target);
    throw running(target, (now?.spec ?? {}) as LeaseSpec, errorText(error));
  }
}

function expiryOf({ renewTime, acquireTime, leaseDurationSeconds = DURATION_S }: LeaseSpec): Date {
  return new Date(new Date(renewTime ?? acquireTime ?? 0).getTime() + leaseDurationSeconds * 1000);
}

function running({ namespace }: { readonly namespace: string }, spec: LeaseSpec, why?: string): ClusterError {
  const who = spec.holderIdentity ?? why ?? "somebody";
  const since = spec.acquireTime === undefined ? "" : ` since ${spec.acquireTime.slice(0, 19)}Z`;
  const until = expiryOf(spec).toISOString().slice(0, 19);
  return new ClusterError("install-running", `another installation is running: by ${who}${since}`, {
    hint: `Wait until it ends. If it is gone, its lease ends at ${until}Z; to break it now: kubectl delete lease -n ${namespace} ${INSTALL_LEASE}`,
  });
}

/** As Kubernetes' MicroTime wants it. */
function microTime(date: Date): string {
  return `${date.toISOString().slice(0, -1)}000Z`;
}

import { UsageError } from "../../base/errors.ts";
import type { ObjectRef } from "../../ir/refs.ts";
import { authorizationAction, isDryRun } from "../../model/authorization.ts";
import type { Model } from "../../model/model.ts";
import { workloadOwner } from "../../model/workload.ts";
import { table } from "../../report/table.ts";
import type { Pod } from "../../resources/core.ts";
import { type KubeObject, refOf, refText } from "../../resources/object.ts";
import { globalOptions } from "../input.ts";
import type { CommandInput, CommandResult, Io } from "../io.ts";
import { readMesh } from "../offline/mesh.ts";
import { shortName } from "../offline/proxies.ts";
import { print } from "../print.ts";

/** What a policy means for one workload. */
export interface Affected {
  readonly policy: string;
  /** `reviews.shop` */
  readonly workload: string;
  readonly pods: number;
  readonly proxy: "sidecar" | "gateway" | "none";
  /** What follows: `DENY`, `STRICT`, `issuers a, b` …; without a proxy nothing does. */
  readonly effect: string;
}

export interface AffectedResult extends CommandResult {
  readonly affected: readonly Affected[];
}

/** `meshctl authz affected POLICY`: the workloads that a security policy is for. Exit code 1 when no proxy enforces it. */
export async function run(input: CommandInput, io: Io): Promise<AffectedResult> {
  const { namespace = "default" } = globalOptions(input);
  const { mesh } = await readMesh(input, io);
  const { model } = mesh;
  const policies = policiesNamed(model, input.args[0] ?? "", namespace);
  const affected = policies.flatMap(({ policy, effect }) => affectedBy(model, refText(policy), effect));
  print(input, io, { data: affected, text: textOf(affected, policies) });
  return { exitCode: affected.some(({ proxy }) => proxy !== "none") ? 0 : 1, affected };
}

function textOf(affected: readonly Affected[], policies: readonly Named[]): string {
  if (affected.length === 0) return `${policies.map(({ policy }) => refText(policy)).join(", ")}: selects no pod\n`;
  const rows = affected.map(({ policy, workload, pods, proxy, effect }) => [
    policy,
    workload,
    String(pods),
    proxy,
    effect,
  ]);
  return table(["POLICY", "WORKLOAD", "PODS", "PROXY", "EFFECT"], rows);
}

interface Named {
  readonly policy: ObjectRef;
  /** What the policy means for a pod; undefined: it is not for it. */
  readonly effect: (pod: Pod) => string | undefined;
}

/** Security policies of this name, of all kinds. Throws UsageError when there is none. */
function policiesNamed(model: Model, wanted: string, fallback: string): readonly Named[] {
  const dot = wanted.indexOf(".");
  const [name, namespace] = dot < 0 ? [wanted, fallback] : [wanted.slice(0, dot), wanted.slice(dot + 1)];
  const { world } = model;
  const authorization = world.get("AuthorizationPolicy", namespace, name);
  const peer = world.get("PeerAuthentication", namespace, name);
  const request = world.get("RequestAuthentication", namespace, name);
  const found: readonly (Named | undefined)[] = [
    authorization && {
      policy: refOf(authorization),
      effect: (pod) => {
        const has = model.authorizationPolicies.effective(workloadOf(pod)).some((one) => isSame(one, authorization));
        return has ? `${authorizationAction(authorization)}${isDryRun(authorization) ? " (dry run)" : ""}` : undefined;
      },
    },
    request && {
      policy: refOf(request),
      effect: (pod) => {
        const has = model.requestAuthentications.effective(workloadOf(pod)).some((one) => isSame(one, request));
        const issuers = (request.spec?.jwtRules ?? []).map(({ issuer }) => issuer);
        return has ? `tokens of ${issuers.join(", ")}` : undefined;
      },
    },
    peer && { policy: refOf(peer), effect: (pod) => mtlsEffect(model, refOf(peer), pod) },
  ];
  const there = found.filter((one) => one !== undefined);
  if (there.length > 0) return there;
  throw new UsageError(
    `there is no security policy ${name} in namespace ${namespace}`,
    "Name an AuthorizationPolicy, RequestAuthentication or PeerAuthentication as name.namespace.",
  );
}

function mtlsEffect(
  { peerAuthentications: policies, workloads }: Model,
  policy: ObjectRef,
  pod: Pod,
): string | undefined {
  // gateways end TLS as their Gateways say
  if (workloads.isGateway(pod)) return undefined;
  const workload = workloadOf(pod);
  const own = policies.effective(workload);
  const ports = policies.ports(workload).map((port) => ({ port, mtls: policies.effective(workload, port) }));
  const isOurs = (ref: ObjectRef | undefined): boolean => ref !== undefined && refText(ref) === refText(policy);
  const parts = [
    ...(isOurs(own.from?.from) ? [own.mode] : []),
    ...ports
      .filter(({ mtls }) => isOurs(mtls.from?.from) && mtls.from?.path[1] === "portLevelMtls")
      .map(({ port, mtls }) => `port ${port} ${mtls.mode}`),
  ];
  if (parts.length > 0) return parts.join(", ");
  const lost = [own, ...ports.map(({ mtls }) => mtls)].flatMap(({ from }) => from?.lost ?? []);
  const reason = lost.find((one) => isOurs(one.from))?.reason;
  return reason === undefined ? undefined : `none: ${reason}`;
}

function affectedBy(model: Model, policy: string, effect: Named["effect"]): readonly Affected[] {
  const byWorkload = new Map<string, Affected>();
  for (const pod of model.world.list("Pod")) {
    const said = effect(pod);
    if (said === undefined) continue;
    const proxy = model.workloads.proxy(pod) === "no" ? "none" : model.workloads.isGateway(pod) ? "gateway" : "sidecar";
    const { namespace, name } = refOf(pod);
    const workload = `${workloadOwner(pod.metadata)?.name ?? shortName({ name })}.${namespace}`;
    const key = `${workload} ${proxy} ${said}`;
    const pods = (byWorkload.get(key)?.pods ?? 0) + 1;
    byWorkload.set(key, {
      policy,
      workload,
      pods,
      proxy,
      effect: proxy === "none" ? `none: no proxy (${said})` : said,
    });
  }
  return [...byWorkload.values()];
}

function workloadOf(pod: Pod): { readonly namespace: string; readonly labels: Readonly<Record<string, string>> } {
  return { namespace: refOf(pod).namespace, labels: pod.metadata.labels ?? {} };
}

function isSame(one: KubeObject, other: KubeObject): boolean {
  return refText(refOf(one)) === refText(refOf(other));
}

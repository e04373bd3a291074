import { authorizationAction, isDryRun } from "../../model/authorization.ts";
import type { Model } from "../../model/model.ts";
import type { Pod } from "../../resources/core.ts";
import { refOf, refText } from "../../resources/object.ts";
import { describeService, type ServiceView } from "./services.ts";

/** What the mesh makes of a pod. */
export interface PodView {
  /** `web-6d5f.shop` */
  readonly pod: string;
  readonly proxy: "sidecar" | "gateway" | "none";
  /** Of the control plane that gave it its proxy; empty: unknown. */
  readonly revision: string;
  /** Ports that its containers declare. */
  readonly ports: readonly { readonly number: number; readonly name: string }[];
  /** Of port 0, which stands for all that no policy names, then of those that one does. Empty without a sidecar. */
  readonly mtls: readonly { readonly port: number; readonly mode: string; readonly policy?: string }[];
  readonly authorization: readonly { readonly policy: string; readonly action: string }[];
  /** RequestAuthentications. */
  readonly tokens: readonly string[];
  readonly warnings: readonly string[];
  readonly services: readonly ServiceView[];
}

/** The user that the proxy runs as, whose traffic is never captured. */
const PROXY_USER = 1337;

/** Views of one pod. */
export function describePod(model: Model, pod: Pod): PodView {
  const { namespace, name } = refOf(pod);
  const labels = pod.metadata.labels ?? {};
  const workload = { namespace, labels };
  const proxy = model.workloads.proxy(pod) === "no" ? "none" : model.workloads.isGateway(pod) ? "gateway" : "sidecar";
  const ports = model.pods.ports(namespace, name).map(({ number, name: portName }) => ({ number, name: portName }));
  const services = model.serviceSelection
    .selecting(namespace, labels)
    .flatMap(({ metadata }) => model.services.kubernetes(namespace, metadata.name) ?? []);
  return {
    pod: `${name}.${namespace}`,
    proxy,
    revision: revisionOf(pod),
    ports,
    mtls: proxy === "sidecar" ? mtlsOf(model, workload) : [],
    authorization: model.authorizationPolicies.effective(workload).map((policy) => ({
      policy: refText(refOf(policy)),
      action: `${authorizationAction(policy)}${isDryRun(policy) ? " (tried out only)" : ""}`,
    })),
    tokens: model.requestAuthentications.effective(workload).map((policy) => refText(refOf(policy))),
    warnings: warningsOf(pod, proxy, services.length),
    services: services.map((service) => describeService(model, service, labels)),
  };
}

function revisionOf({ metadata }: Pod): string {
  const status = metadata.annotations?.["sidecar.istio.io/status"] ?? "";
  return /"revision":\s*"([^"]+)"/.exec(status)?.[1] ?? "";
}

function mtlsOf(
  { peerAuthentications }: Model,
  workload: Parameters<Model["peerAuthentications"]["effective"]>[0],
): PodView["mtls"] {
  return [0, ...peerAuthentications.ports(workload)].map((port) => {
    const { mode, from } = peerAuthentications.effective(workload, port === 0 ? undefined : port);
    return { port, mode: mode.toUpperCase(), ...(from === undefined ? {} : { policy: refText(from.from) }) };
  });
}

function warningsOf(pod: Pod, proxy: PodView["proxy"], services: number): readonly string[] {
  const reasons: readonly (readonly [boolean, string])[] = [
    [proxy === "none", "it has no proxy: policies do not hold for it, and what it sends is not routed"],
    [
      proxy === "sidecar" && userOf(pod) === PROXY_USER,
      `it runs as user ${PROXY_USER}, whose traffic goes past the proxy`,
    ],
    [isUnready(pod), "it is not ready: no Service sends to it"],
    [
      proxy === "sidecar" && services > 0 && !hasName(pod),
      "it has no label app: metrics and traces name it by its workload",
    ],
  ];
  return reasons.filter(([holds]) => holds).map(([, words]) => words);
}

function userOf({ spec }: Pod): number | undefined {
  return (spec as { securityContext?: { runAsUser?: number } } | undefined)?.securityContext?.runAsUser;
}

function isUnready({ status }: Pod): boolean {
  const { conditions = [] } = (status ?? {}) as { conditions?: readonly { type: string; status: string }[] };
  return conditions.some(({ type, status: is }) => type === "Ready" && is === "False");
}

/** A label by which metrics name a service. */
function hasName({ metadata: { labels = {} } }: Pod): boolean {
  return ["app", "service.istio.io/canonical-name", "app.kubernetes.io/name"].some(
    (name) => labels[name] !== undefined,
  );
}

import { UsageError } from "../../base/errors.ts";
import type { Proxy } from "../../ir/proxy.ts";
import type { Model } from "../../model/model.ts";
import { podProxy } from "../../model/pod-proxy.ts";
import { workloadOwner } from "../../model/workload.ts";
import type { Pod } from "../../resources/core.ts";
import { refOf } from "../../resources/object.ts";

/** Every proxy of a mesh in files: pods with a sidecar and gateways, by namespace and name. */
export function proxiesOf(model: Model): readonly Proxy[] {
  return model.world
    .list("Pod")
    .filter((pod) => model.workloads.proxy(pod) === "yes")
    .map((pod) => podProxy(pod, model));
}

/** The proxy of one pod: `name`, `name.namespace`, `namespace/name`; the name of its workload stands for it. Throws UsageError. */
export function proxyNamed(model: Model, wanted: string, namespace: string | undefined): Proxy {
  const pods = model.world.list("Pod");
  const name = wanted.replace(WORKLOAD, "");
  const found = pods.find((pod) => namesOf(pod, namespace).includes(name));
  if (found === undefined) {
    const there = proxiesOf(model).map((proxy) => `${shortName(proxy)}.${proxy.namespace}`);
    throw new UsageError(
      `there is no pod ${wanted} in the mesh`,
      `Name one of ${there.slice(0, 10).join(", ")}${there.length > 10 ? " …" : ""}.`,
    );
  }
  if (model.workloads.proxy(found) === "no") {
    const { namespace: own, name: pod } = refOf(found);
    throw new UsageError(
      `pod ${own}/${pod} has no proxy: injection would leave it as it is`,
      "Ask meshctl inject explain -f FILE for the reason.",
    );
  }
  return podProxy(found, model);
}

/** Whether proxyNamed would find one. */
export function hasProxy(model: Model, wanted: string, namespace: string | undefined): boolean {
  const name = wanted.replace(WORKLOAD, "");
  return model.world
    .list("Pod")
    .some((pod) => namesOf(pod, namespace).includes(name) && model.workloads.proxy(pod) !== "no");
}

/** As kubectl and istioctl let one write it. */
const WORKLOAD = /^(?:pods?|deploy|deployments?)\//;

/** The sidecar of a pod with these labels, which need not be in the files: what it may call follows from them and its namespace. */
export function proxyLabelled(model: Model, labels: Readonly<Record<string, string>>, namespace: string): Proxy {
  const metadata = { name: "client", namespace, labels };
  return podProxy({ apiVersion: "v1", kind: "Pod", metadata, status: { podIP: CLIENT } }, model);
}

/** Address of a client that is in no file (RFC 5737). */
const CLIENT = "192.0.2.1";

/** Identity of a proxy without `spiffe://`. */
export function principalOf(
  model: Model,
  { namespace, serviceAccount }: Pick<Proxy, "namespace" | "serviceAccount">,
): string {
  return `${model.meshConfig().trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

/** What people call a proxy: its workload where that is all the files have, else its pod. */
export function shortName({ name }: Pick<Proxy, "name">): string {
  return name.replace(/-from-template$/, "");
}

function namesOf(pod: Pod, asked: string | undefined): readonly string[] {
  const { namespace, name } = refOf(pod);
  const owner = workloadOwner(pod.metadata)?.name;
  const names = [name, ...(owner === undefined ? [] : [owner])];
  return names.flatMap((one) => [
    `${one}.${namespace}`,
    `${namespace}/${one}`,
    ...(asked === undefined || asked === namespace ? [one] : []),
  ]);
}

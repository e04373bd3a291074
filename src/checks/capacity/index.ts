import { category, failed, type Outcome, ok, skipped, verdict } from "../check.ts";
import type { Facts } from "../facts.ts";
import { has, nameOf, quantity } from "../names.ts";
import { injectedNamespaces, isAlive, podRequests } from "../pods.ts";
import type { Container, PodSpec, Shapes } from "../shapes.ts";

const HINT =
  "add a node, remove pods, or lower the requests: --set components.pilot.k8s.resources.requests.memory=100Mi";

/** Whether there is room for the control plane, and for proxies. */
export const capacityChecks = category("capacity", [
  {
    name: "capacity-cpu",
    affirmation: "nodes have the CPU that the control plane asks for",
    hint: HINT,
    about: "Its pods stay Pending when no node has what they request left.",
    severity: "error",
    phase: "before",
    needs: ["nodes"],
    run: (facts) => fits(facts, "cpu", (amount) => `${Math.round(amount * 1000)}m`),
  },
  {
    name: "capacity-memory",
    affirmation: "nodes have the memory that the control plane asks for",
    hint: HINT,
    about: "Its pods stay Pending when no node has what they request left.",
    severity: "error",
    phase: "before",
    needs: ["nodes"],
    run: (facts) => fits(facts, "memory", (amount) => `${Math.round(amount / 2 ** 20)}Mi`),
  },
  {
    name: "capacity-pods",
    affirmation: "a node has room for more pods",
    hint: "add a node, or raise maxPods of the kubelet",
    about: "A node takes only so many pods whatever their size; then new ones stay Pending.",
    severity: "error",
    phase: "before",
    needs: ["nodes"],
    run: async (facts) => {
      const pods = (await facts.list("Pod")).filter(isAlive);
      const nodes = (await usableNodes(facts)).filter(({ status }) => status?.allocatable?.["pods"] !== undefined);
      if (nodes.length === 0) return skipped("nodes do not tell how many pods they take");
      const free = nodes.filter(
        ({ metadata, status }) =>
          pods.filter(({ spec }) => spec?.nodeName === metadata.name).length < quantity(status?.allocatable?.["pods"]),
      );
      return free.length > 0 ? ok() : failed("every node is full");
    },
  },
  {
    name: "quota",
    affirmation: "quotas of the control plane's namespace leave room for it",
    hint: "raise the ResourceQuota of the namespace, or choose another namespace with -i",
    about: "Pods beyond a quota are not created; the Deployment waits without a pod that could say why.",
    severity: "error",
    phase: "before",
    run: async (facts) => {
      const specs = podSpecs(facts);
      const problems = (await facts.own("ResourceQuota")).flatMap((quota) =>
        lacking(quota, specs).map((what) => `ResourceQuota ${nameOf(quota)} has no room for ${what}`),
      );
      return verdict(problems);
    },
  },
  {
    name: "limit-range",
    affirmation: "limit ranges of the control plane's namespace accept its containers",
    hint: "widen the LimitRange, or set requests and limits with --set components.pilot.k8s.resources",
    about: "A container outside of the range is refused when its pod is created.",
    severity: "error",
    phase: "before",
    run: async (facts) => {
      const containers = podSpecs(facts).flatMap(({ containers: list = [] }) => list);
      const ranges = await facts.own("LimitRange");
      return verdict(ranges.flatMap((range) => containers.flatMap((container) => outside(range, container))));
    },
  },
  {
    name: "quota-injected",
    affirmation: "quotas of injected namespaces are not used up",
    hint: "raise the quota: every pod needs room for its proxy too",
    about:
      "A proxy counts against the namespace's quota like any container. With nothing left, the next restart of a workload leaves it without a pod.",
    severity: "warning",
    phase: "after",
    run: async (facts) => {
      const wanted = new Set((await injectedNamespaces(facts)).map(({ metadata }) => metadata.name));
      const quotas = (await facts.list("ResourceQuota")).filter(({ metadata }) => wanted.has(metadata.namespace ?? ""));
      return verdict(
        quotas.flatMap((quota) =>
          Object.entries(quota.status?.hard ?? {})
            .filter(([what]) => /cpu|memory|^pods$/.test(what))
            .filter(([what, hard]) => quantity(quota.status?.used?.[what]) >= quantity(hard))
            .map(([what, hard]) => `ResourceQuota ${nameOf(quota)}: ${what} ${hard} is used up`),
        ),
      );
    },
  },
  {
    name: "limit-range-injected",
    affirmation: "limit ranges of injected namespaces accept proxies",
    hint: "widen the LimitRange, or lower the proxy's limits with sidecar.istio.io/proxyMemoryLimit and proxyCPULimit",
    about: "A pod whose proxy has a higher limit than the namespace allows is refused: the workload cannot start.",
    severity: "error",
    phase: "after",
    run: async (facts) => {
      const wanted = new Set((await injectedNamespaces(facts)).map(({ metadata }) => metadata.name));
      const ranges = (await facts.list("LimitRange")).filter(({ metadata }) => wanted.has(metadata.namespace ?? ""));
      if (ranges.length === 0) return ok();
      const proxy = await proxyContainer(facts);
      return verdict(ranges.flatMap((range) => outside(range, proxy)));
    },
  },
]);

/** Specs of the pods that install would create, each as often as it has replicas. */
function podSpecs({ context }: Facts): readonly PodSpec[] {
  return (context.rendered ?? [])
    .filter(({ kind }) => kind === "Deployment")
    .flatMap((object) => {
      const { replicas = 1, template } = (object.spec ?? {}) as NonNullable<Shapes["Deployment"]["spec"]>;
      return Array.from({ length: replicas }, () => template?.spec ?? {});
    });
}

async function usableNodes(facts: Facts): Promise<readonly Shapes["Node"][]> {
  return (await facts.list("Node")).filter(
    ({ spec, status }) => spec?.unschedulable !== true && has(status?.conditions, "Ready"),
  );
}

/** Whether each pod finds a node with what it requests left, biggest first; those of an earlier installation make room. */
async function fits(facts: Facts, resource: string, words: (amount: number) => string): Promise<Outcome> {
  const nodes = (await usableNodes(facts)).filter(({ status }) => status?.allocatable?.[resource] !== undefined);
  if (nodes.length === 0) return skipped("nodes do not tell what they have");
  const pods = (await facts.list("Pod")).filter(
    (pod) => isAlive(pod) && pod.metadata.namespace !== facts.context.istioNamespace,
  );
  const free = nodes.map(({ metadata, status }) =>
    pods
      .filter(({ spec }) => spec?.nodeName === metadata.name)
      .reduce(
        (left, { spec }) => left - podRequests(spec, resource, quantity),
        quantity(status?.allocatable?.[resource]),
      ),
  );
  const wanted = podSpecs(facts).map((spec) => podRequests(spec, resource, quantity));
  for (const amount of wanted.toSorted((a, b) => b - a)) {
    const at = free.findIndex((left) => left >= amount);
    if (at < 0) return failed(`${words(amount)} is asked for, the freest node has ${words(Math.max(0, ...free))}`);
    free[at] = (free[at] ?? 0) - amount;
  }
  return ok();
}

/** What a quota has no room for, of the pods that come. */
function lacking(quota: Shapes["ResourceQuota"], specs: readonly PodSpec[]): readonly string[] {
  const { hard = quota.spec?.hard ?? {}, used = {} } = quota.status ?? {};
  const sum = (resource: string): number =>
    specs.reduce((total, spec) => total + podRequests(spec, resource, quantity), 0);
  const needs: Readonly<Record<string, number>> = {
    pods: specs.length,
    "count/pods": specs.length,
    cpu: sum("cpu"),
    "requests.cpu": sum("cpu"),
    memory: sum("memory"),
    "requests.memory": sum("memory"),
  };
  return Object.entries(hard)
    .filter(([what, limit]) => quantity(used[what]) + (needs[what] ?? 0) > quantity(limit))
    .map(([what]) => what);
}

function outside(range: Shapes["LimitRange"], { name, resources }: Container): readonly string[] {
  return (range.spec?.limits ?? [])
    .filter(({ type }) => type === "Container")
    .flatMap(({ max = {}, min = {} }) => [
      ...Object.entries(max)
        .filter(([what, most]) => quantity(resources?.limits?.[what]) > quantity(most))
        .map(([what, most]) => `LimitRange ${nameOf(range)}: container ${name} has more ${what} than ${most}`),
      ...Object.entries(min)
        .filter(([what, least]) => {
          const asked = resources?.requests?.[what];
          return asked !== undefined && quantity(asked) < quantity(least);
        })
        .map(([what, least]) => `LimitRange ${nameOf(range)}: container ${name} asks for less ${what} than ${least}`),
    ]);
}

/** The proxy as the injector's values describe it. */
async function proxyContainer(facts: Facts): Promise<Container> {
  const injector = await facts.get("ConfigMap", facts.context.istioNamespace, "istio-sidecar-injector");
  const resources = attempt(injector?.data?.["values"]);
  return { name: "istio-proxy", ...(resources === undefined ? {} : { resources }) };
}

function attempt(text = "{}"): Container["resources"] | undefined {
  try {
    const values = JSON.parse(text) as { global?: { proxy?: { resources?: Container["resources"] } } };
    return values.global?.proxy?.resources;
  } catch {
    return undefined;
  }
}

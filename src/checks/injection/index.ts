import { parseYaml } from "../../resources/yaml-plain.ts";
import { askedRevision } from "../../model/asked-revision.ts";
import { category, failed, ok, verdict } from "../check.ts";
import { nameOf, revisionOf, versionNumbers } from "../names.ts";
import { controlPlanePods, injectedPods, isAlive, proxyOf, refusesSidecar, tagOf } from "../pods.ts";

/** Starts after which a proxy is said to crash. */
const MANY_RESTARTS = 5;
const RESTART = "restart the workload: kubectl rollout restart deployment NAME -n NAMESPACE";

/** Whether pods have the proxies that they are to have. */
export const injectionChecks = category("injection", [
  {
    name: "injector-config",
    affirmation: "the injector's configuration can be read",
    hint: "run meshctl install again: it restores ConfigMap istio-sidecar-injector",
    about: "The injector refuses every pod when it cannot read its templates or values.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) => {
      const map = await facts.get("ConfigMap", facts.context.istioNamespace, "istio-sidecar-injector");
      if (map === undefined) return failed("ConfigMap istio-sidecar-injector is not there");
      return verdict(
        ["config", "values"]
          .filter((key) => readMap(map.data?.[key]) === undefined)
          .map((key) => `key ${key} is not YAML`),
      );
    },
  },
  {
    name: "injector-templates",
    affirmation: "the injector has the templates sidecar and gateway",
    hint: "run meshctl install again: it restores ConfigMap istio-sidecar-injector",
    about: "Pods that name a template that is not there are refused, those of gateways among them.",
    severity: "error",
    phase: "after",
    needs: ["injector-config"],
    run: async (facts) => {
      const map = await facts.get("ConfigMap", facts.context.istioNamespace, "istio-sidecar-injector");
      const templates = (readMap(map?.data?.["config"])?.["templates"] ?? {}) as object;
      return verdict(
        ["sidecar", "gateway"].filter((name) => !(name in templates)).map((name) => `no template ${name}`),
      );
    },
  },
  {
    name: "namespace-labels",
    affirmation: "labels for injection have a meaning",
    hint: "write istio-injection=enabled or istio-injection=disabled",
    about: "Any other value counts as no wish at all: pods start without a proxy.",
    severity: "warning",
    run: async (facts) =>
      verdict(
        (await facts.list("Namespace")).flatMap(({ metadata }) => {
          const value = metadata.labels?.["istio-injection"];
          return value === undefined || value === "enabled" || value === "disabled"
            ? []
            : [`namespace ${metadata.name}: istio-injection=${value}`];
        }),
      ),
  },
  {
    name: "namespace-label-conflict",
    affirmation: "no namespace asks for two injectors",
    hint: "take one of the labels istio-injection and istio.io/rev off",
    about:
      "With both labels istio-injection decides and the revision is ignored: an upgrade by revision does not reach these pods.",
    severity: "warning",
    run: async (facts) =>
      verdict(
        (await facts.list("Namespace"))
          .filter(
            ({ metadata }) =>
              metadata.labels?.["istio-injection"] !== undefined && metadata.labels["istio.io/rev"] !== undefined,
          )
          .map(({ metadata }) => `namespace ${metadata.name} has both labels`),
      ),
  },
  {
    name: "pod-labels",
    affirmation: "labels of pods for injection have a meaning",
    hint: 'write sidecar.istio.io/inject: "true" or "false"',
    about: "Webhooks compare the value letter by letter: True or yes are neither.",
    severity: "warning",
    phase: "after",
    run: async (facts) =>
      verdict(
        (await facts.list("Pod")).filter(isAlive).flatMap((pod) => {
          const value = pod.metadata.labels?.["sidecar.istio.io/inject"];
          return value === undefined || value === "true" || value === "false" ? [] : [`Pod ${nameOf(pod)}: "${value}"`];
        }),
      ),
  },
  {
    name: "pods-injected",
    affirmation: "pods that are to have a proxy have one",
    hint: RESTART,
    about:
      "Injection happens when a pod is created. Pods from before the label, or from while the injector was away, run outside of the mesh.",
    severity: "warning",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) => {
      const namespaces = (await facts.list("Namespace")).filter((each) => askedRevision(each) !== undefined);
      const wanted = new Set(namespaces.map(({ metadata }) => metadata.name));
      const bare = (await facts.list("Pod")).filter(
        (pod) =>
          wanted.has(pod.metadata.namespace ?? "") &&
          isAlive(pod) &&
          pod.spec?.hostNetwork !== true &&
          !refusesSidecar(pod) &&
          proxyOf(pod) === undefined,
      );
      return verdict(bare.map((pod) => `Pod ${nameOf(pod)}`));
    },
  },
  {
    name: "pod-revisions",
    affirmation: "every proxy's revision has a control plane",
    hint: RESTART,
    about:
      "A proxy asks the control plane of the revision that injected it. When that is gone it keeps its last configuration, and its certificate runs out.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) => {
      const known = new Set((await controlPlanePods(facts)).map(revisionOf));
      return verdict(
        (await injectedPods(facts)).flatMap((pod) => {
          const revision = statusRevision(pod.metadata.annotations?.["sidecar.istio.io/status"]);
          return revision === undefined || known.has(revision) ? [] : [`Pod ${nameOf(pod)}: revision ${revision}`];
        }),
      );
    },
  },
  {
    name: "proxy-images",
    affirmation: "proxies are of the control plane's version",
    hint: RESTART,
    about: "A proxy keeps its image until its pod is created anew: after an upgrade old ones run on without fixes.",
    severity: "warning",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) => {
      const tags = new Set((await controlPlanePods(facts)).map(({ spec }) => tagOf(spec?.containers?.[0]?.image)));
      return verdict(
        (await injectedPods(facts)).flatMap((pod) => {
          const tag = tagOf(proxyOf(pod)?.image);
          const isComparable = versionNumbers(tag) !== undefined;
          return !isComparable || tags.has(tag) ? [] : [`Pod ${nameOf(pod)} has proxy ${tag}`];
        }),
      );
    },
  },
  {
    name: "redirection",
    affirmation: "traffic of every injected pod could be redirected",
    hint: "look at the log of the init container: kubectl logs POD -c istio-init",
    about:
      "The init container istio-init writes the rules that lead traffic through the proxy. When it fails the pod does not start: a capability or a kernel module is missing.",
    severity: "error",
    phase: "after",
    run: async (facts) => {
      const broken = (await injectedPods(facts)).filter(({ status }) =>
        status?.initContainerStatuses?.some(
          ({ name, state, lastState }) =>
            name === "istio-init" &&
            ((state?.terminated?.exitCode ?? 0) !== 0 ||
              (state?.terminated === undefined && lastState?.terminated !== undefined)),
        ),
      );
      return verdict(broken.map((pod) => `Pod ${nameOf(pod)}`));
    },
  },
  {
    name: "proxies-ready",
    affirmation: "proxies of running pods are ready",
    hint: "look at the log of the proxy: kubectl logs POD -c istio-proxy; meshctl proxy-status says whether it is connected",
    about: "A proxy is ready when it has its configuration and its certificate. Until then its pod takes no traffic.",
    severity: "warning",
    phase: "after",
    run: async (facts) => {
      const waiting = (await injectedPods(facts)).filter(
        (pod) => pod.status?.phase === "Running" && proxyStatus(pod)?.ready === false,
      );
      return verdict(waiting.map((pod) => `Pod ${nameOf(pod)}`));
    },
  },
  {
    name: "proxies-stable",
    affirmation: "proxies do not restart again and again",
    hint: "look at what it said before it ended: kubectl logs POD -c istio-proxy --previous",
    about: "Every restart of a proxy cuts the connections of its pod.",
    severity: "warning",
    phase: "after",
    run: async (facts) =>
      verdict(
        (await injectedPods(facts)).flatMap((pod) => {
          const restarts = proxyStatus(pod)?.restartCount ?? 0;
          return restarts > MANY_RESTARTS ? [`Pod ${nameOf(pod)}: ${restarts} times`] : [];
        }),
      ),
  },
  {
    name: "proxy-memory",
    affirmation: "no proxy was killed for lack of memory",
    hint: "raise its limit with sidecar.istio.io/proxyMemoryLimit, or let it see less with a Sidecar resource",
    about: "A proxy holds configuration for everything that it may call; in a big mesh that outgrows a small limit.",
    severity: "warning",
    phase: "after",
    run: async (facts) => {
      const killed = (await injectedPods(facts)).filter(
        (pod) => proxyStatus(pod)?.lastState?.terminated?.reason === "OOMKilled",
      );
      return killed.length === 0 ? ok() : verdict(killed.map((pod) => `Pod ${nameOf(pod)}`));
    },
  },
]);

function proxyStatus({ status }: Awaited<ReturnType<typeof injectedPods>>[number]) {
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  return all.find(({ name }) => name === "istio-proxy");
}

function readMap(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined) return undefined;
  try {
    const value = parseYaml(text);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function statusRevision(text: string | undefined): string | undefined {
  const revision = readMap(text)?.["revision"];
  return typeof revision === "string" && revision !== "" ? revision : undefined;
}

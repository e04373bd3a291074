import { type Check, category, failed, ok, skipped, verdict } from "../check.ts";
import type { Facts } from "../facts.ts";
import { has, nameOf, names } from "../names.ts";
import { controlPlanePods, waysElsewhere } from "../pods.ts";
import type { Shapes } from "../shapes.ts";
import { elsewhereChecks } from "./elsewhere.ts";
import { serviceChecks } from "./service.ts";

const ELSEWHERE = "the control plane of this cluster is elsewhere";
const MANY_RESTARTS = 3;
const LOGS = "look at what it said: kubectl logs -n istio-system deployment/istiod --previous";

const pods = category("control plane", [
  {
    name: "control-plane-installed",
    affirmation: "a control plane is installed",
    hint: "install one with meshctl install, or name its namespace with --istioNamespace",
    about:
      "The Deployment with label app=istiod in the control plane's namespace. Without it there is no mesh to check.",
    severity: "error",
    phase: "after",
    run: async (facts) => {
      const found = await deployments(facts);
      if (found.length === 0 && (await waysElsewhere(facts)).length > 0) return skipped(ELSEWHERE);
      if (found.length === 0)
        return failed(`no Deployment with app=istiod in namespace ${facts.context.istioNamespace}`);
      return ok(names(found));
    },
  },
  {
    name: "control-plane-ready",
    affirmation: "every replica of the control plane is available",
    hint: "look at its pods: kubectl describe pods -n istio-system -l app=istiod",
    about: "While none is ready proxies keep what they have, new ones wait, and pods cannot be injected.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) =>
      verdict(
        (await deployments(facts)).flatMap((deployment) => {
          const wanted = deployment.spec?.replicas ?? 1;
          const available = deployment.status?.availableReplicas ?? 0;
          return available >= wanted ? [] : [`Deployment ${nameOf(deployment)}: ${available} of ${wanted}`];
        }),
      ),
  },
  {
    name: "control-plane-rollout",
    affirmation: "no update of the control plane hangs",
    hint: "look at kubectl rollout status -n istio-system deployment/istiod",
    about: "Pods of two versions serve proxies until an update is complete.",
    severity: "warning",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) =>
      verdict(
        (await deployments(facts)).flatMap((deployment) => {
          const { status, spec, metadata } = deployment;
          if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0))
            return [`Deployment ${nameOf(deployment)}: its change was not seen yet`];
          const wanted = spec?.replicas ?? 1;
          const updated = status?.updatedReplicas ?? 0;
          return updated >= wanted ? [] : [`Deployment ${nameOf(deployment)}: ${updated} of ${wanted} are updated`];
        }),
      ),
  },
  {
    name: "control-plane-images",
    affirmation: "images of the control plane could be pulled",
    hint: "make the image available to the nodes, or name another with --set hub and --set tag",
    about: "A node that cannot pull the image never starts the pod.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) =>
      verdict(
        (await controlPlanePods(facts)).flatMap((pod) =>
          (pod.status?.containerStatuses ?? [])
            .filter(({ state }) => /^(ErrImage|ImagePull|InvalidImage)/.test(state?.waiting?.reason ?? ""))
            .map(({ name, state }) => `Pod ${nameOf(pod)}, container ${name}: ${state?.waiting?.reason ?? ""}`),
        ),
      ),
  },
  {
    name: "control-plane-scheduled",
    affirmation: "every pod of the control plane has a node",
    hint: "look at why it has none: kubectl describe pods -n istio-system -l app=istiod",
    about: "A pod without node waits for room, for a matching node selector, or for a taint to go.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) =>
      verdict(
        (await controlPlanePods(facts)).flatMap((pod) => {
          const condition = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
          return condition?.status === "False"
            ? [`Pod ${nameOf(pod)}: ${condition.message ?? condition.reason ?? ""}`]
            : [];
        }),
      ),
  },
  {
    name: "control-plane-restarts",
    affirmation: "the control plane does not restart again and again",
    hint: LOGS,
    about: "After every restart all its proxies connect anew.",
    severity: "warning",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) =>
      verdict(
        (await controlPlanePods(facts)).flatMap((pod) => {
          const count = Math.max(
            0,
            ...(pod.status?.containerStatuses ?? []).map(({ restartCount = 0 }) => restartCount),
          );
          return count > MANY_RESTARTS ? [`Pod ${nameOf(pod)}: ${count} times`] : [];
        }),
      ),
  },
  {
    name: "control-plane-memory",
    affirmation: "the control plane was not killed for lack of memory",
    hint: "raise its limit: --set components.pilot.k8s.resources.limits.memory=2Gi",
    about: "It holds the configuration of the whole mesh; a limit that is too small ends it when the mesh grows.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) =>
      verdict(
        (await controlPlanePods(facts))
          .filter(({ status }) =>
            status?.containerStatuses?.some(({ lastState }) => lastState?.terminated?.reason === "OOMKilled"),
          )
          .map((pod) => `Pod ${nameOf(pod)}`),
      ),
  },
  {
    name: "control-plane-requests",
    affirmation: "the control plane asks for CPU and memory",
    hint: "set them: --set components.pilot.k8s.resources.requests.cpu=100m",
    about: "A pod that asks for nothing is the first to be evicted and the last to get CPU.",
    severity: "warning",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) =>
      verdict(
        (await deployments(facts)).flatMap((deployment) =>
          (deployment.spec?.template?.spec?.containers ?? []).flatMap(({ name, resources }) =>
            ["cpu", "memory"]
              .filter((what) => resources?.requests?.[what] === undefined)
              .map((what) => `container ${name} of Deployment ${nameOf(deployment)} requests no ${what}`),
          ),
        ),
      ),
  },
  {
    name: "control-plane-spread",
    affirmation: "replicas of the control plane run on several nodes",
    hint: "delete one of its pods, or add a topology spread constraint",
    about: "Replicas on one node fail together with it.",
    severity: "warning",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) => {
      const [own, nodes] = await Promise.all([controlPlanePods(facts), facts.list("Node")]);
      if (own.length < 2) return skipped("there is one replica");
      if (nodes.length < 2) return skipped("there is one node");
      const used = new Set(own.map(({ spec }) => spec?.nodeName));
      return used.size > 1 ? ok() : failed(`all ${own.length} are on node ${[...used][0] ?? ""}`);
    },
  },
  {
    name: "control-plane-disruption",
    affirmation: "nodes can be drained",
    hint: "run a second replica, or delete the PodDisruptionBudget",
    about: "A budget that allows no disruption keeps a node with the control plane's only pod from being drained.",
    severity: "warning",
    phase: "after",
    needs: ["control-plane-ready"],
    run: async (facts) => {
      const stuck = (await facts.own("PodDisruptionBudget")).filter(({ status }) => status?.disruptionsAllowed === 0);
      return stuck.length === 0 ? ok() : failed(`PodDisruptionBudget ${names(stuck)} allows none`);
    },
  },
  {
    name: "control-plane-autoscaling",
    affirmation: "autoscalers have the measurements that they need",
    hint: "install metrics-server, or delete the HorizontalPodAutoscaler",
    about: "Without measurements an autoscaler never acts.",
    severity: "warning",
    phase: "after",
    run: async (facts) => {
      const blind = (await facts.own("HorizontalPodAutoscaler")).filter(({ status }) =>
        has(status?.conditions, "ScalingActive", "False"),
      );
      return blind.length === 0 ? ok() : failed(`HorizontalPodAutoscaler ${names(blind)}`);
    },
  },
]);

async function deployments(facts: Facts): Promise<readonly Shapes["Deployment"][]> {
  return (await facts.own("Deployment")).filter(({ metadata }) => metadata.labels?.["app"] === "istiod");
}

/** Whether the control plane runs, and can do what it is there for. */
export const controlPlaneChecks: readonly Check[] = [...pods, ...serviceChecks, ...elsewhereChecks];

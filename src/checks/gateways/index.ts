import { category, failed, ok, skipped, verdict } from "../check.ts";
import type { Facts } from "../facts.ts";
import { nameOf } from "../names.ts";
import { isAlive } from "../pods.ts";
import type { Shapes } from "../shapes.ts";

type Service = Shapes["Service"];

const PENDING_MS = 5 * 60_000;

/** Whether traffic gets into the mesh. */
export const gatewayChecks = category("gateways", [
  {
    name: "load-balancer",
    affirmation: "Services of type LoadBalancer get an address",
    hint: "install a load balancer controller, or use --set components.ingressGateways[0].k8s.service.type=NodePort",
    about:
      "Something outside of Kubernetes has to give addresses. Where nothing does, gateways are reached inside of the cluster only.",
    severity: "warning",
    phase: "before",
    run: async (facts) => {
      const { now } = facts.context;
      const all = (await facts.list("Service")).filter(({ spec }) => spec?.type === "LoadBalancer");
      if (all.length === 0) return skipped("there is no such Service to tell by");
      const pending = all.filter(
        (service) =>
          !hasAddress(service) && now.getTime() - Date.parse(service.metadata.creationTimestamp ?? "") > PENDING_MS,
      );
      return verdict(pending.map((service) => `Service ${nameOf(service)} has waited for more than 5 minutes`));
    },
  },
  {
    name: "gateway-deployments",
    affirmation: "gateways are available",
    hint: "look at its pods: kubectl describe pods -n istio-system -l operator.istio.io/component=IngressGateways",
    about: "Traffic from outside goes through these pods.",
    severity: "error",
    phase: "after",
    run: async (facts) =>
      verdict(
        (await facts.own("Deployment"))
          .filter(({ metadata }) => metadata.labels?.["operator.istio.io/component"]?.endsWith("Gateways") === true)
          .filter(({ spec, status }) => (status?.availableReplicas ?? 0) < (spec?.replicas ?? 1))
          .map(
            (deployment) =>
              `Deployment ${nameOf(deployment)}: ${deployment.status?.availableReplicas ?? 0} of ${deployment.spec?.replicas ?? 1}`,
          ),
      ),
  },
  {
    name: "gateway-address",
    affirmation: "gateways have an address",
    hint: "install a load balancer controller, or use type NodePort; inside of the cluster the gateway works all the same",
    about: "A Service of type LoadBalancer without address is reached inside of the cluster only.",
    severity: "warning",
    phase: "after",
    run: async (facts) => {
      const waiting = (await gatewayServices(facts)).filter(
        (service) => service.spec?.type === "LoadBalancer" && !hasAddress(service),
      );
      return verdict(waiting.map((service) => `Service ${nameOf(service)}`));
    },
  },
  {
    name: "gateway-endpoints",
    affirmation: "Services of gateways have ready endpoints",
    hint: "compare the Service's selector with the labels of the gateway's pods",
    about: "Connections to a Service without endpoints are refused.",
    severity: "error",
    phase: "after",
    run: async (facts) => {
      const slices = await facts.own("EndpointSlice");
      return verdict(
        (await gatewayServices(facts))
          .filter(
            ({ metadata }) =>
              !slices.some(
                (slice) =>
                  slice.metadata.labels?.["kubernetes.io/service-name"] === metadata.name &&
                  (slice.endpoints ?? []).some(({ conditions }) => conditions?.ready !== false),
              ),
          )
          .map((service) => `Service ${nameOf(service)} has none`),
      );
    },
  },
  {
    name: "gateway-selectors",
    affirmation: "every Gateway selects pods that are there",
    hint: "correct spec.selector of the Gateway: istio: ingressgateway is the bundled one",
    about: "A Gateway whose selector takes no pod opens no port anywhere.",
    severity: "warning",
    phase: "after",
    run: async (facts) => {
      const pods = (await facts.list("Pod")).filter(isAlive);
      return verdict(
        (await facts.list("Gateway"))
          .filter(({ spec }) => {
            const wanted = Object.entries(spec?.selector ?? {});
            return (
              wanted.length > 0 &&
              !pods.some(({ metadata }) => wanted.every(([key, value]) => metadata.labels?.[key] === value))
            );
          })
          .map((gateway) => `Gateway ${nameOf(gateway)}`),
      );
    },
  },
  {
    name: "gateway-ports",
    affirmation: "ports of Gateways can be reached",
    hint: "add the port to the gateway's Service: --set components.ingressGateways[0].k8s.service.ports[5].port=8443",
    about: "A server of a Gateway listens in the pod. When no Service leads to that port nobody gets there.",
    severity: "warning",
    phase: "after",
    run: async (facts) => {
      const services = (await facts.list("Service")).filter(({ spec }) => spec?.selector !== undefined);
      const pods = (await facts.list("Pod")).filter(isAlive);
      return verdict(
        (await facts.list("Gateway")).flatMap((gateway) => {
          const wanted = Object.entries(gateway.spec?.selector ?? {});
          const chosen = pods.filter(({ metadata }) =>
            wanted.every(([key, value]) => metadata.labels?.[key] === value),
          );
          const leading = services.filter((service) =>
            chosen.some(
              (pod) => pod.metadata.namespace === service.metadata.namespace && takes(service, pod.metadata.labels),
            ),
          );
          if (leading.length === 0) return [];
          const open = new Set(
            leading.flatMap(({ spec }) => (spec?.ports ?? []).flatMap(({ port, targetPort }) => [port, targetPort])),
          );
          return (gateway.spec?.servers ?? [])
            .map(({ port }) => port?.number)
            .filter((port) => port !== undefined && !open.has(port))
            .map((port) => `Gateway ${nameOf(gateway)}: port ${port ?? ""}`);
        }),
      );
    },
  },
  {
    name: "gateway-container-ports",
    affirmation: "Services of gateways lead to ports that the pods open",
    hint: "run meshctl install again: it restores ports of Service and Deployment",
    about: "A Service port that leads to a container port that is not declared is a mistake in one of the two.",
    severity: "warning",
    phase: "after",
    run: async (facts) => {
      const deployments = await facts.own("Deployment");
      return verdict(
        (await gatewayServices(facts)).flatMap((service) => {
          const own = deployments.find(({ metadata }) => metadata.name === service.metadata.name);
          const containers = own?.spec?.template?.spec?.containers ?? [];
          const declared = new Set(
            containers.flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort)),
          );
          if (declared.size === 0) return [];
          return (service.spec?.ports ?? [])
            .filter(({ targetPort }) => typeof targetPort === "number" && !declared.has(targetPort))
            .map(({ targetPort }) => `Service ${nameOf(service)}: container port ${targetPort ?? ""}`);
        }),
      );
    },
  },
  {
    name: "gateway-service",
    affirmation: "every gateway has a Service",
    hint: "run meshctl install again: it restores the Service",
    about: "Without a Service nothing leads to the gateway's pods, and Gateways get no address.",
    severity: "error",
    phase: "after",
    run: async (facts) => {
      const services = new Set((await gatewayServices(facts)).map(({ metadata }) => metadata.name));
      const bare = (await facts.own("Deployment")).filter(
        ({ metadata }) =>
          metadata.labels?.["operator.istio.io/component"]?.endsWith("Gateways") === true &&
          !services.has(metadata.name),
      );
      return bare.length === 0 ? ok() : failed(bare.map((deployment) => `Deployment ${nameOf(deployment)}`).join(", "));
    },
  },
]);

async function gatewayServices(facts: Facts): Promise<readonly Service[]> {
  return (await facts.own("Service")).filter(
    ({ metadata }) => metadata.labels?.["operator.istio.io/component"]?.endsWith("Gateways") === true,
  );
}

function hasAddress({ status }: Service): boolean {
  return (status?.loadBalancer?.ingress ?? []).length > 0;
}

function takes({ spec }: Service, labels: Readonly<Record<string, string>> = {}): boolean {
  return Object.entries(spec?.selector ?? {}).every(([key, value]) => labels[key] === value);
}

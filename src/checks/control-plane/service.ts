import { category, failed, ok, verdict } from "../check.ts";
import { nameOf } from "../names.ts";
import { controlPlanePods } from "../pods.ts";

/** Ports of the control plane: proxies, the API server and those who measure call them (control-plane.md 1.1). */
const PORTS: Readonly<Record<number, string>> = {
  15_012: "proxies connect to it",
  443: "webhooks call it",
  15_014: "monitoring reads it",
};

/** What the control plane's account must be allowed: it reads the mesh and proves callers. */
const ACCESS: readonly { readonly verb: string; readonly group: string; readonly resource: string }[] = [
  { verb: "list", group: "", resource: "services" },
  { verb: "list", group: "", resource: "pods" },
  { verb: "list", group: "discovery.k8s.io", resource: "endpointslices" },
  { verb: "list", group: "networking.istio.io", resource: "virtualservices" },
  { verb: "create", group: "authentication.k8s.io", resource: "tokenreviews" },
  { verb: "update", group: "coordination.k8s.io", resource: "leases" },
];

/** Whether others reach the control plane, and it the API server. */
export const serviceChecks = category("control plane", [
  {
    name: "control-plane-service",
    affirmation: "the control plane's Service has every port",
    hint: "run meshctl install again: it restores Service istiod",
    about: "Proxies, the API server and monitoring each call a port of their own.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) => {
      const service = await facts.get("Service", facts.context.istioNamespace, "istiod");
      if (service === undefined) return failed("Service istiod is not there");
      const ports = new Set((service.spec?.ports ?? []).map(({ port }) => port));
      return verdict(
        Object.entries(PORTS)
          .filter(([port]) => !ports.has(Number(port)))
          .map(([port, what]) => `no port ${port}: ${what}`),
      );
    },
  },
  {
    name: "control-plane-endpoints",
    affirmation: "the control plane's Service has ready endpoints",
    hint: "compare the Service's selector with the labels of the pods, and look whether they are ready",
    about:
      "The Service leads to pods that its selector takes and that are ready. With none of them nobody reaches the control plane.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-service"],
    run: async (facts) => {
      const slices = (await facts.own("EndpointSlice")).filter(
        ({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === "istiod",
      );
      const ready = slices
        .flatMap(({ endpoints }) => endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready !== false);
      return ready.length > 0 ? ok(`${ready.length}`) : failed("Service istiod has none");
    },
  },
  {
    name: "control-plane-leader",
    affirmation: "one of the control plane's pods leads",
    hint: "look at Lease istio-leader and the log of the control plane",
    about: "The leader writes root certificates, webhook bundles and status. Without one they stay as they are.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-ready"],
    run: async (facts) => {
      const lease = await facts.get("Lease", facts.context.istioNamespace, "istio-leader");
      const { holderIdentity = "", renewTime = "", leaseDurationSeconds = 15 } = lease?.spec ?? {};
      if (holderIdentity === "") return failed("Lease istio-leader has no holder");
      const now = (await facts.serverTime()) ?? facts.context.now;
      const age = (now.getTime() - Date.parse(renewTime)) / 1000;
      // twice: reading takes time too
      if (age > 2 * leaseDurationSeconds)
        return failed(`${holderIdentity} has not renewed the lease for ${Math.round(age)} s`);
      const pods = (await controlPlanePods(facts)).map(({ metadata }) => metadata.name);
      return pods.includes(holderIdentity)
        ? ok(holderIdentity)
        : failed(`${holderIdentity} leads, which is no pod of it`);
    },
  },
  {
    name: "control-plane-account",
    affirmation: "the control plane's account exists and has its roles",
    hint: "run meshctl install again: it restores accounts and roles",
    about: "A binding to a role that does not exist grants nothing, without a word.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) => {
      const { istioNamespace } = facts.context;
      const account = await facts.get("ServiceAccount", istioNamespace, "istiod");
      const [clusterRoles, roles, clusterBindings, bindings] = await Promise.all([
        facts.list("ClusterRole"),
        facts.own("Role"),
        facts.list("ClusterRoleBinding"),
        facts.own("RoleBinding"),
      ]);
      const own = [...clusterBindings, ...bindings].filter(({ subjects = [] }) =>
        subjects.some(({ name, namespace }) => name === "istiod" && namespace === istioNamespace),
      );
      const known = new Set([...clusterRoles, ...roles].map(({ kind, metadata }) => `${kind} ${metadata.name}`));
      return verdict([
        ...(account === undefined ? ["ServiceAccount istiod is not there"] : []),
        ...(own.length === 0 ? ["no role is bound to it"] : []),
        ...own.flatMap((binding) => {
          const role = `${binding.roleRef?.kind ?? ""} ${binding.roleRef?.name ?? ""}`;
          return known.has(role) ? [] : [`${binding.kind} ${nameOf(binding)} names ${role}, which is not there`];
        }),
      ]);
    },
  },
  {
    name: "control-plane-permissions",
    affirmation: "the control plane may do what it is there for",
    hint: "run meshctl install again: it restores roles and bindings",
    about: "Asked of the API server for the control plane's own account, one verb at a time.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-account"],
    run: async (facts) => {
      const account = { namespace: facts.context.istioNamespace, name: "istiod" };
      const answers = await Promise.all(ACCESS.map((access) => facts.mayAccount(account, access)));
      return verdict(
        ACCESS.filter((_, at) => answers[at] !== true).map(({ verb, resource }) => `it may not ${verb} ${resource}`),
      );
    },
  },
]);

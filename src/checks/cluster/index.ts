import { category, failed, ok, skipped, verdict } from "../check.ts";
import { has, names, versionNumbers } from "../names.ts";

/** Oldest Kubernetes whose API the manifests use (restartable init containers, CRD validation). */
const MINIMUM_MINOR = 28;
/** Newest one that the tests of this version run on. */
const TESTED_MINOR = 36;
/** Tokens and certificates are issued two minutes back; beyond that a clock that is behind refuses them. */
const SKEW_MS = 120_000;

const APIS: readonly (readonly [apiVersion: string, kind: string])[] = [
  ["apps/v1", "Deployment"],
  ["admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"],
  ["apiextensions.k8s.io/v1", "CustomResourceDefinition"],
  ["rbac.authorization.k8s.io/v1", "ClusterRole"],
  ["discovery.k8s.io/v1", "EndpointSlice"],
  ["coordination.k8s.io/v1", "Lease"],
];

/** Whether there is a Kubernetes, and one that a mesh can run on. */
export const clusterChecks = category("cluster", [
  {
    name: "api-reachable",
    affirmation: "the Kubernetes API answers",
    hint: "check the cluster's address in your kubeconfig, or choose another with --context",
    about: "Nothing can be said about a cluster that does not answer.",
    severity: "error",
    fatal: true,
    run: async (facts) => ok(`${(await facts.version()).gitVersion} at ${facts.server}`),
  },
  {
    name: "kubernetes-version",
    affirmation: `Kubernetes is 1.${MINIMUM_MINOR} or newer`,
    hint: "upgrade the cluster before installing",
    about: "Older servers lack parts of the API that the manifests use: objects would be refused, or fields dropped.",
    severity: "error",
    run: async (facts) => {
      const { major, minor, gitVersion } = await facts.version();
      const isNew = Number(major) > 1 || Number.parseInt(minor, 10) >= MINIMUM_MINOR;
      return isNew ? ok() : failed(`the cluster runs ${gitVersion}`);
    },
  },
  {
    name: "kubernetes-tested",
    affirmation: "Kubernetes is a version that this program was tested with",
    hint: "use a newer meshctl if there is one, and read the notes of your Kubernetes version on removed APIs",
    about: "A newer Kubernetes may have removed or changed what the mesh uses. It usually works; nobody has shown it.",
    severity: "warning",
    run: async (facts) => {
      const { major, minor, gitVersion } = await facts.version();
      const isKnown = Number(major) === 1 && Number.parseInt(minor, 10) <= TESTED_MINOR;
      return isKnown ? ok() : failed(`the cluster runs ${gitVersion}, tests run up to 1.${TESTED_MINOR}`);
    },
  },
  {
    name: "kubernetes-apis",
    affirmation: "the API server has every API group that the mesh uses",
    hint: "enable the groups with --runtime-config of the API server",
    about: "Objects of a group that is switched off cannot be created, and the control plane waits for them for ever.",
    severity: "error",
    run: async (facts) => {
      const served = await Promise.all(APIS.map(([apiVersion, kind]) => facts.serves(apiVersion, kind)));
      return verdict(
        APIS.filter((_, at) => served[at] !== true).map(([apiVersion, kind]) => `no ${kind} of ${apiVersion}`),
      );
    },
  },
  {
    name: "aggregated-apis",
    affirmation: "every API service that others add is available",
    hint: "repair or delete the APIService: kubectl get apiservices",
    about: "A dead APIService makes discovery slow and keeps namespaces from being deleted, an uninstall among them.",
    severity: "warning",
    run: async (facts) => {
      const services = await facts.list("APIService");
      const dead = services.filter(({ status }) => has(status?.conditions, "Available", "False"));
      return verdict(dead.length === 0 ? [] : [`not available: ${names(dead)}`]);
    },
  },
  {
    name: "clock-skew",
    affirmation: "this machine and the API server agree about the time",
    hint: "synchronize the clocks (chrony, systemd-timesyncd)",
    about:
      "Certificates and tokens are valid between two moments: a clock that is off refuses valid ones or takes expired ones.",
    severity: "warning",
    run: async (facts) => {
      const time = await facts.serverTime();
      if (time === undefined) return skipped("the API server does not tell its time");
      const off = facts.context.now.getTime() - time.getTime();
      const words = `${Math.round(Math.abs(off) / 1000)} s ${off > 0 ? "ahead of" : "behind"} the API server`;
      return Math.abs(off) <= SKEW_MS ? ok() : failed(`this machine is ${words}`);
    },
  },
  {
    name: "node-clocks",
    affirmation: "no node's clock is ahead",
    hint: "synchronize the clocks of the nodes (chrony, systemd-timesyncd)",
    about:
      "Nodes renew their leases with their own clock. A lease from the future shows a clock that would take certificates as expired too early.",
    severity: "warning",
    run: async (facts) => {
      const now = (await facts.serverTime()) ?? facts.context.now;
      const leases = (await facts.list("Lease")).filter(({ metadata }) => metadata.namespace === "kube-node-lease");
      const ahead = leases.filter(({ spec }) => Date.parse(spec?.renewTime ?? "") - now.getTime() > SKEW_MS);
      return verdict(ahead.map(({ metadata, spec }) => `node ${metadata.name} says it is ${spec?.renewTime ?? ""}`));
    },
  },
  {
    name: "cluster-dns",
    affirmation: "the cluster's DNS has pods behind it",
    hint: "look at the pods of the DNS service: kubectl get pods -n kube-system -l k8s-app=kube-dns",
    about: "Proxies find the control plane by its Service's name; without DNS none connects.",
    severity: "error",
    run: async (facts) => {
      const services = (await facts.list("Service")).filter(
        ({ metadata }) => metadata.namespace === "kube-system" && metadata.labels?.["k8s-app"] === "kube-dns",
      );
      if (services.length === 0) return skipped("there is no Service with label k8s-app=kube-dns in kube-system");
      const slices = await facts.list("EndpointSlice");
      const dead = services.filter(
        ({ metadata }) =>
          !slices.some(
            (slice) =>
              slice.metadata.namespace === "kube-system" &&
              slice.metadata.labels?.["kubernetes.io/service-name"] === metadata.name &&
              (slice.endpoints ?? []).some(({ conditions }) => conditions?.ready !== false),
          ),
      );
      return verdict(dead.map(({ metadata }) => `Service kube-system/${metadata.name} has no ready endpoint`));
    },
  },
  {
    name: "kubelet-skew",
    affirmation: "no node is newer than the API server or more than three minor versions behind",
    hint: "upgrade the nodes that are behind; upgrade the control plane of Kubernetes before its nodes",
    about:
      "Kubernetes supports kubelets up to three minor versions behind its API server; outside of that pods may be run wrongly.",
    severity: "warning",
    run: async (facts) => {
      const server = Number.parseInt((await facts.version()).minor, 10);
      const problems = (await facts.list("Node")).flatMap(({ metadata, status }) => {
        const text = status?.nodeInfo?.kubeletVersion ?? "";
        const minor = versionNumbers(text)?.[1];
        const isFine = minor === undefined || (minor <= server && minor >= server - 3);
        return isFine ? [] : [`node ${metadata.name} runs ${text}, the API server 1.${server}`];
      });
      return verdict(problems);
    },
  },
]);

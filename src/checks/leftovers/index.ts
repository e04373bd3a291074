import { askedRevision } from "../../model/asked-revision.ts";
import { category, failed, ok, verdict } from "../check.ts";
import type { Facts } from "../facts.ts";
import { isMine, nameOf, names, revisionOf } from "../names.ts";
import { waysElsewhere } from "../pods.ts";
import type { Shapes } from "../shapes.ts";

/** Election objects of older control planes, which nobody renews any more. */
const OLD_LEADERS = [
  "istio-leader",
  "istio-namespace-controller-election",
  "istio-gateway-status-leader",
  "istio-validation-controller-election",
];

/** What earlier or other installations left behind. */
export const leftoverChecks = category("earlier installations", [
  {
    name: "namespace",
    affirmation: "the control plane's namespace is free or in use by the mesh",
    hint: "wait until its deletion has finished, or find what holds it with kubectl get namespace -o yaml",
    about: "Nothing can be created in a namespace that is being deleted.",
    severity: "error",
    phase: "before",
    run: async (facts) => {
      const { istioNamespace } = facts.context;
      const namespace = await facts.get("Namespace", "", istioNamespace);
      if (namespace === undefined) return ok();
      return namespace.metadata.deletionTimestamp === undefined
        ? ok(`namespace ${istioNamespace} exists`)
        : failed(`namespace ${istioNamespace} is being deleted`);
    },
  },
  {
    name: "other-control-plane",
    affirmation: "no other control plane is installed",
    hint: "remove it with the tool that installed it first: two control planes would configure the same proxies",
    about: "Two control planes of the same revision fight about webhooks, root certificates and status.",
    severity: "error",
    phase: "before",
    run: async (facts) => {
      const deployments = await controlPlanes(facts);
      const others = deployments.filter((deployment) => !isMine(deployment));
      if (others.length > 0) return failed(`Deployment ${names(others)} was not made by meshctl`);
      const version = deployments[0]?.metadata.labels?.["operator.istio.io/version"];
      return version === undefined ? ok() : ok(`meshctl ${version} is installed: install will upgrade it`);
    },
  },
  {
    name: "istio-operator",
    affirmation: "no operator installs a mesh",
    hint: "delete the Deployment of the operator and its IstioOperator objects",
    about: "An operator puts back what install changes, some minutes later.",
    severity: "error",
    run: async (facts) => {
      const operators = (await facts.list("Deployment")).filter(
        ({ metadata }) => metadata.name === "istio-operator" || metadata.name === "sail-operator",
      );
      return operators.length === 0 ? ok() : failed(`Deployment ${names(operators)}`);
    },
  },
  {
    name: "helm-releases",
    affirmation: "no Helm release owns the control plane",
    hint: "uninstall the release first: helm uninstall NAME -n istio-system",
    about: "Helm keeps its own record: its next upgrade, or uninstall, changes or deletes what meshctl installed.",
    severity: "error",
    phase: "before",
    run: async (facts) => {
      const releases = (await facts.own("Secret")).filter(
        ({ type, metadata }) =>
          type === "helm.sh/release.v1" && /^(istio|istiod|istio-base|base)$/.test(metadata.labels?.["name"] ?? ""),
      );
      const found = [...new Set(releases.map(({ metadata }) => metadata.labels?.["name"] ?? ""))].sort();
      return found.length === 0 ? ok() : failed(`release ${found.join(", ")}`);
    },
  },
  {
    name: "cni-plugin",
    affirmation: "no CNI plugin of a mesh is left",
    hint: "remove the DaemonSet, and its entry in /etc/cni/net.d of each node",
    about:
      "A CNI plugin of an earlier mesh redirects traffic of new pods to a proxy that is no longer there, or keeps them from starting.",
    severity: "warning",
    run: (facts) => absentDaemonSet(facts, "istio-cni-node"),
  },
  {
    name: "ambient-proxy",
    affirmation: "no node proxy of ambient mode is left",
    hint: "remove the DaemonSet ztunnel, and the label istio.io/dataplane-mode from namespaces",
    about: "This mesh has no ambient mode: pods that a node proxy captures and that have a sidecar are captured twice.",
    severity: "warning",
    run: (facts) => absentDaemonSet(facts, "ztunnel"),
  },
  {
    name: "cluster-roles",
    affirmation: "no roles of a control plane that is gone are left",
    hint: "delete the ClusterRoleBinding and its ClusterRole; meshctl uninstall --purge removes its own",
    about: "Rights of an account that no longer exists go to whoever creates an account of that name.",
    severity: "warning",
    run: async (facts) => {
      const [bindings, namespaces] = await Promise.all([facts.list("ClusterRoleBinding"), facts.list("Namespace")]);
      const known = new Set(namespaces.map(({ metadata }) => metadata.name));
      const orphans = bindings.filter(
        ({ metadata, subjects = [] }) =>
          metadata.name.startsWith("istio") &&
          subjects.length > 0 &&
          subjects.every(({ kind, namespace = "" }) => kind === "ServiceAccount" && !known.has(namespace)),
      );
      return verdict(orphans.length === 0 ? [] : [`ClusterRoleBinding ${names(orphans)}`]);
    },
  },
  {
    name: "root-configmaps-left",
    affirmation: "no root certificates of a mesh that is gone are left",
    hint: "delete them: kubectl delete configmap -A --field-selector metadata.name=istio-ca-root-cert",
    about: "Pods that mount the old root trust nobody in the new mesh until it is replaced.",
    severity: "warning",
    phase: "before",
    run: async (facts) => {
      if (await isServed(facts)) return ok();
      const left = (await facts.list("ConfigMap")).filter(({ metadata }) => metadata.name === "istio-ca-root-cert");
      return verdict(left.length === 0 ? [] : [`in ${left.length} namespaces`]);
    },
  },
  {
    name: "ca-secret-left",
    affirmation: "no CA of a mesh that is gone is left",
    hint: "keep Secret istio-ca-secret to keep the old identity of the mesh, else delete it before install",
    about: "The control plane takes up the CA that it finds: certificates of the old mesh are valid in the new one.",
    severity: "warning",
    phase: "before",
    run: async (facts) => {
      if ((await controlPlanes(facts)).length > 0) return ok();
      const secret = await facts.get("Secret", facts.context.istioNamespace, "istio-ca-secret");
      return secret === undefined
        ? ok()
        : failed(`Secret ${nameOf(secret)} is of ${secret.metadata.creationTimestamp ?? "earlier"}`);
    },
  },
  {
    name: "leader-leases",
    affirmation: "no leader election of an older control plane is left",
    hint: "delete the ConfigMaps and Leases that the message names",
    about: "They do no harm by themselves, and show that an older control plane was not removed completely.",
    severity: "warning",
    phase: "before",
    run: async (facts) => {
      if (await isServed(facts)) return ok();
      const [maps, leases] = await Promise.all([facts.own("ConfigMap"), facts.own("Lease")]);
      const left = [...maps, ...leases].filter(({ metadata }) => OLD_LEADERS.includes(metadata.name));
      return verdict(left.map((object) => `${object.kind} ${nameOf(object)}`));
    },
  },
  {
    name: "orphans",
    affirmation: "everything that an installation made belongs to a control plane",
    hint: "remove what a revision left with meshctl uninstall",
    about:
      "Deployments and webhooks of a revision whose control plane is gone keep proxies waiting and pods from being created.",
    severity: "warning",
    phase: "after",
    run: async (facts) => {
      const lists = await Promise.all([
        facts.list("Deployment"),
        facts.list("Service"),
        facts.list("MutatingWebhookConfiguration"),
        facts.list("ValidatingWebhookConfiguration"),
      ]);
      const planes = await Promise.all([controlPlanes(facts), waysElsewhere(facts)]);
      const revisions = new Set(planes.flat().map(revisionOf));
      const orphans = lists.flat().filter((object) => isMine(object) && !revisions.has(revisionOf(object)));
      return verdict(orphans.map((object) => `${object.kind} ${nameOf(object)} of revision ${revisionOf(object)}`));
    },
  },
  {
    name: "namespace-revisions",
    affirmation: "namespaces ask for revisions that are there",
    hint: "label the namespace for a revision or tag that exists: meshctl tag list",
    about: "No webhook takes pods of a namespace that asks for an unknown revision: they start without a proxy.",
    severity: "error",
    phase: "after",
    run: async (facts) => {
      const known = await knownRevisions(facts);
      return verdict(
        (await facts.list("Namespace")).flatMap((namespace) => {
          const wanted = askedRevision(namespace);
          return wanted === undefined || known.has(wanted)
            ? []
            : [`namespace ${namespace.metadata.name}: revision ${wanted}`];
        }),
      );
    },
  },
  {
    name: "namespace-revisions-left",
    affirmation: "no namespace waits for a revision of an earlier installation",
    hint: "change the label to the revision that you install, or to istio-injection=enabled",
    about: "Its pods will start without a proxy, for nothing of that revision will be there.",
    severity: "warning",
    phase: "before",
    run: async (facts) => {
      const known = await knownRevisions(facts);
      return verdict(
        (await facts.list("Namespace")).flatMap((namespace) => {
          const wanted = askedRevision(namespace);
          const isFine = wanted === undefined || wanted === "default" || known.has(wanted);
          return isFine ? [] : [`namespace ${namespace.metadata.name}: revision ${wanted}`];
        }),
      );
    },
  },
]);

async function controlPlanes(facts: Facts): Promise<readonly Shapes["Deployment"][]> {
  return (await facts.list("Deployment")).filter(({ metadata }) => metadata.labels?.["app"] === "istiod");
}

/** Whether a control plane is here, or elsewhere and writes here. */
async function isServed(facts: Facts): Promise<boolean> {
  return (await controlPlanes(facts)).length > 0 || (await waysElsewhere(facts)).length > 0;
}

async function absentDaemonSet(facts: Facts, name: string) {
  const left = (await facts.list("DaemonSet")).filter(({ metadata }) => metadata.name === name);
  return left.length === 0 ? ok() : failed(`DaemonSet ${names(left)}`);
}

/** Revisions that a control plane runs for, and tags. */
async function knownRevisions(facts: Facts): Promise<ReadonlySet<string>> {
  const [deployments, ways, hooks] = await Promise.all([
    controlPlanes(facts),
    waysElsewhere(facts),
    facts.list("MutatingWebhookConfiguration"),
  ]);
  const tags = hooks.map(({ metadata }) => metadata.labels?.["istio.io/tag"]).filter((tag) => tag !== undefined);
  return new Set([...[...deployments, ...ways].map(revisionOf), ...tags]);
}

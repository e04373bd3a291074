import type { ClusterReader } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import type { Check, Outcome } from "./check.ts";

/** Oldest Kubernetes whose API the manifests use (restartable init containers, CRD validation). */
const MINIMUM_MINOR = 28;

/** What install creates: it must be allowed to create each of these, cluster-wide. */
const CREATED: readonly { readonly group: string; readonly resource: string }[] = [
  { group: "", resource: "namespaces" },
  { group: "apiextensions.k8s.io", resource: "customresourcedefinitions" },
  { group: "", resource: "serviceaccounts" },
  { group: "rbac.authorization.k8s.io", resource: "clusterroles" },
  { group: "rbac.authorization.k8s.io", resource: "clusterrolebindings" },
  { group: "rbac.authorization.k8s.io", resource: "roles" },
  { group: "rbac.authorization.k8s.io", resource: "rolebindings" },
  { group: "", resource: "configmaps" },
  { group: "", resource: "services" },
  { group: "apps", resource: "deployments" },
  { group: "admissionregistration.k8s.io", resource: "mutatingwebhookconfigurations" },
  { group: "admissionregistration.k8s.io", resource: "validatingwebhookconfigurations" },
];

const MINE = { key: "app.kubernetes.io/managed-by", value: "meshctl" };
const MUTATING = { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration" };
const VALIDATING = { apiVersion: "admissionregistration.k8s.io/v1", kind: "ValidatingWebhookConfiguration" };
const CRD = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" };

const ok = (note?: string): Outcome => ({ status: "ok", ...(note === undefined ? {} : { note }) });
const failed = (message: string): Outcome => ({ status: "failed", message });

/** Whether the mesh can be installed into a cluster, in the order in which a person would look. */
export const precheckChecks: readonly Check[] = [
  {
    name: "api-reachable",
    category: "cluster",
    affirmation: "the Kubernetes API answers",
    hint: "check the cluster's address in your kubeconfig, or choose another with --context",
    severity: "error",
    fatal: true,
    run: async (cluster) => ok(`${(await cluster.version()).gitVersion} at ${cluster.context.server}`),
  },
  {
    name: "kubernetes-version",
    category: "cluster",
    affirmation: `Kubernetes is 1.${MINIMUM_MINOR} or newer`,
    hint: "upgrade the cluster before installing",
    severity: "error",
    run: async (cluster) => {
      const { major, minor, gitVersion } = await cluster.version();
      const isNew = Number(major) > 1 || Number.parseInt(minor, 10) >= MINIMUM_MINOR;
      return isNew ? ok() : failed(`the cluster runs ${gitVersion}`);
    },
  },
  {
    name: "permissions",
    category: "cluster",
    affirmation: "you may create every kind of object the mesh consists of",
    hint: "use a context with cluster-admin rights for install",
    severity: "error",
    run: missingPermissions,
  },
  {
    name: "nodes",
    category: "cluster",
    affirmation: "a node is ready to run pods",
    hint: "look at kubectl describe nodes",
    severity: "error",
    run: readyNodes,
  },
  {
    name: "gateway-api",
    category: "cluster",
    affirmation: "Gateway API is there",
    hint: "install its CRDs as your cluster's provider or the project describes; the mesh never writes them",
    severity: "warning",
    run: gatewayApi,
  },
  {
    name: "namespace",
    category: "earlier installations",
    affirmation: "the control plane's namespace is free or in use by the mesh",
    hint: "wait until its deletion has finished, or find what holds it with kubectl get namespace -o yaml",
    severity: "error",
    run: async (cluster, { istioNamespace }) => {
      const namespace = await cluster.get({ apiVersion: "v1", kind: "Namespace", name: istioNamespace });
      if (namespace === undefined) return ok();
      return namespace.metadata.deletionTimestamp === undefined
        ? ok(`namespace ${istioNamespace} exists`)
        : failed(`namespace ${istioNamespace} is being deleted`);
    },
  },
  {
    name: "other-control-plane",
    category: "earlier installations",
    affirmation: "no other control plane is installed",
    hint: "remove it with the tool that installed it first: two control planes would configure the same proxies",
    severity: "error",
    run: otherControlPlane,
  },
  {
    name: "crds",
    category: "earlier installations",
    affirmation: "the mesh's CRDs are absent or ours",
    hint: "keep going if they may be replaced by this version's: configuration stays",
    severity: "warning",
    run: async (cluster) => {
      const crds = await cluster.list(CRD);
      const foreign = crds.filter((crd) => crd.metadata.name.endsWith(".istio.io") && !isMine(crd));
      return foreign.length === 0 ? ok() : failed(`installed by something else: ${names(foreign)}`);
    },
  },
  {
    name: "injection-webhooks",
    category: "webhooks",
    affirmation: "nothing else injects sidecars",
    hint: "remove the other injector's MutatingWebhookConfiguration: pods would get two proxies",
    severity: "error",
    run: async (cluster) => {
      const hooks = await cluster.list(MUTATING);
      const others = hooks.filter(
        (hook) => !isMine(hook) && webhooksOf(hook).some(({ name }) => name.endsWith("sidecar-injector.istio.io")),
      );
      return others.length === 0 ? ok() : failed(`${names(others)} injects too`);
    },
  },
  {
    name: "webhooks-reachable",
    category: "webhooks",
    affirmation: "every webhook that can stop us has a service behind it",
    hint: "delete the left-over webhook configuration, or bring its service back",
    severity: "error",
    run: orphanedWebhooks,
  },
];

/** Many meshes do without: not having it is no failure, but worth knowing before a route is written. */
async function gatewayApi(cluster: ClusterReader): Promise<Outcome> {
  const crds = await cluster.list(CRD);
  const own = crds.filter(({ metadata }) => metadata.name.endsWith(".gateway.networking.k8s.io"));
  if (own.length === 0)
    return { status: "skipped", reason: "the cluster has none of its CRDs: Gateways and routes of it cannot be used" };
  const version = own[0]?.metadata.annotations?.["gateway.networking.k8s.io/bundle-version"];
  return ok(version);
}

async function missingPermissions(cluster: ClusterReader): Promise<Outcome> {
  const answers = await Promise.all(CREATED.map((access) => cluster.canI({ verb: "create", ...access })));
  const missing = CREATED.filter((_, index) => answers[index] !== true).map(({ resource }) => resource);
  return missing.length === 0 ? ok() : failed(`not allowed to create ${missing.join(", ")}`);
}

async function readyNodes(cluster: ClusterReader): Promise<Outcome> {
  const nodes = await cluster.list({ apiVersion: "v1", kind: "Node" });
  const ready = nodes.filter((node) => {
    const { conditions = [] } = (node.status ?? {}) as { conditions?: { type: string; status: string }[] };
    const { unschedulable } = (node.spec ?? {}) as { unschedulable?: boolean };
    return unschedulable !== true && conditions.some(({ type, status }) => type === "Ready" && status === "True");
  });
  if (ready.length === 0)
    return failed(nodes.length === 0 ? "there is no node" : `none of ${nodes.length} nodes is ready`);
  return ok(`${ready.length} of ${nodes.length}`);
}

async function otherControlPlane(cluster: ClusterReader): Promise<Outcome> {
  const deployments = await cluster.list(
    { apiVersion: "apps/v1", kind: "Deployment" },
    { labelSelector: "app=istiod" },
  );
  const others = deployments.filter((deployment) => !isMine(deployment));
  if (others.length > 0) return failed(`Deployment ${names(others)} was not made by meshctl`);
  const version = deployments[0]?.metadata.labels?.["operator.istio.io/version"];
  return version === undefined ? ok() : ok(`meshctl ${version} is installed: install will upgrade it`);
}

/** A webhook with failurePolicy Fail whose service is gone makes every matching create fail: istio/istio#38880 and others. */
async function orphanedWebhooks(cluster: ClusterReader): Promise<Outcome> {
  const configurations = [...(await cluster.list(MUTATING)), ...(await cluster.list(VALIDATING))];
  const services = await cluster.list({ apiVersion: "v1", kind: "Service" });
  const known = new Set(services.map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`));
  const orphans = configurations.filter((configuration) =>
    webhooksOf(configuration).some(({ failurePolicy, clientConfig }) => {
      const service = clientConfig?.service;
      return failurePolicy !== "Ignore" && service !== undefined && !known.has(`${service.namespace}/${service.name}`);
    }),
  );
  return orphans.length === 0 ? ok() : failed(`no service behind ${names(orphans)}`);
}

interface Webhook {
  readonly name: string;
  readonly failurePolicy?: string;
  readonly clientConfig?: { readonly service?: { readonly name: string; readonly namespace: string } };
}

function webhooksOf(configuration: KubeObject): readonly Webhook[] {
  return (configuration["webhooks"] ?? []) as readonly Webhook[];
}

function isMine(object: KubeObject): boolean {
  return object.metadata.labels?.[MINE.key] === MINE.value;
}

function names(objects: readonly KubeObject[]): string {
  return objects
    .map(({ metadata }) =>
      metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`,
    )
    .sort()
    .join(", ");
}

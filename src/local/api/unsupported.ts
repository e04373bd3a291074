import { notImplemented, type StatusError } from "./status.ts";

/** A part of the Kubernetes API that the embedded endpoint does not have, and how a request for it looks. */
export interface Unsupported {
  readonly name: string;
  /** Why not, or what to do instead. */
  readonly reason: string;
  readonly method: string;
  /** An example request path; a test sends it and expects 501. */
  readonly example: string;
  /** Matches the path of every request for it. */
  readonly path: RegExp;
}

const anyPod = "^/api/v1/namespaces/[^/]+/pods/[^/]+";

function unserved(group: string, resources: readonly string[], reason: string): Unsupported[] {
  const root = group === "" ? "/api/v1" : `/apis/${group}`;
  return resources.map((resource) => ({
    name: group === "" ? resource : `${resource} (${group})`,
    reason,
    method: "GET",
    example: group === "" ? `${root}/${resource}` : `${root}/v1/${resource}`,
    path: new RegExp(`^${root}(/v[^/]+)?(/namespaces/[^/]+)?/${resource}(/|$)`),
  }));
}

/**
 * What is lacking, in one list. Every entry answers 501 with a Status that says so; a test sends each example. Nothing here
 * is used by the demo, a command of the README or client-node's informers.
 */
export const unsupported: readonly Unsupported[] = [
  {
    name: "pods/exec",
    reason: "workloads are local processes: run the command on this machine",
    method: "POST",
    example: "/api/v1/namespaces/default/pods/web/exec?command=ls",
    path: new RegExp(`${anyPod}/exec$`),
  },
  {
    name: "pods/attach",
    reason: "workloads are local processes: read their logs instead",
    method: "POST",
    example: "/api/v1/namespaces/default/pods/web/attach",
    path: new RegExp(`${anyPod}/attach$`),
  },
  {
    name: "pods/proxy",
    reason: "use kubectl port-forward",
    method: "GET",
    example: "/api/v1/namespaces/default/pods/web/proxy/",
    path: new RegExp(`${anyPod}/proxy(/|$)`),
  },
  {
    name: "pods/resize",
    reason: "the local node sets no resource limits",
    method: "PATCH",
    example: "/api/v1/namespaces/default/pods/web/resize",
    path: new RegExp(`${anyPod}/resize$`),
  },
  {
    name: "services/proxy",
    reason: "use kubectl port-forward",
    method: "GET",
    example: "/api/v1/namespaces/default/services/web/proxy/",
    path: /^\/api\/v1\/namespaces\/[^/]+\/services\/[^/]+\/proxy(\/|$)/,
  },
  {
    name: "nodes/proxy",
    reason: "the local node has no kubelet API",
    method: "GET",
    example: "/api/v1/nodes/local/proxy/metrics",
    path: /^\/api\/v1\/nodes\/[^/]+\/proxy(\/|$)/,
  },
  {
    name: "watch paths",
    reason: "use the parameter watch=true",
    method: "GET",
    example: "/api/v1/watch/pods",
    path: /^\/(api\/v1|apis\/[^/]+\/[^/]+)\/watch\//,
  },
  {
    name: "OpenAPI v2",
    reason: "use /openapi/v3",
    method: "GET",
    example: "/openapi/v2",
    path: /^\/openapi\/v2$/,
  },
  {
    name: "API server metrics",
    reason: "the endpoint counts nothing",
    method: "GET",
    example: "/metrics",
    path: /^\/metrics(\/|$)/,
  },
  ...unserved("", ["persistentvolumes", "persistentvolumeclaims"], "the local node has no volumes that outlive a pod"),
  ...unserved("", ["resourcequotas", "limitranges"], "nothing would enforce them"),
  ...unserved("", ["podtemplates", "componentstatuses"], "nothing uses them"),
  ...unserved("apps", ["controllerrevisions"], "local workloads keep no revisions"),
  ...unserved(
    "admissionregistration.k8s.io",
    [
      "validatingadmissionpolicies",
      "validatingadmissionpolicybindings",
      "mutatingadmissionpolicies",
      "mutatingadmissionpolicybindings",
    ],
    "CEL is not interpreted: use an admission webhook",
  ),
  ...unserved("apiregistration.k8s.io", ["apiservices"], "there is no aggregation layer"),
  ...unserved("certificates.k8s.io", ["certificatesigningrequests"], "nothing would sign them"),
  ...unserved("storage.k8s.io", ["storageclasses"], "the local node has no volumes that outlive a pod"),
  ...unserved(
    "flowcontrol.apiserver.k8s.io",
    ["flowschemas", "prioritylevelconfigurations"],
    "requests are not queued",
  ),
];

/** The refusal of a request for something on the list; undefined for anything else. */
export function refusal(path: string): StatusError | undefined {
  const entry = unsupported.find((candidate) => candidate.path.test(path));
  if (entry === undefined) return undefined;
  return notImplemented(`the embedded cluster does not have ${entry.name}: ${entry.reason}`);
}

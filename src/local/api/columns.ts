import { durationText } from "../../base/age.ts";
import { eventColumns, ingressColumns, scalingTargets } from "./columns-more.ts";
import { podColumns } from "./columns-pod.ts";
import type { JsonObject, Obj } from "./json.ts";
import { asArray, asObject, asObjects, asString, asStrings, at } from "./json.ts";
import { ageText, type BuiltinColumn, type BuiltinColumns } from "./print.ts";

function text(name: string, cell: (object: Obj) => unknown, priority = 0): BuiltinColumn {
  return { name, type: "string", priority, cell };
}

function count(name: string, cell: (object: Obj) => unknown): BuiltinColumn {
  return { name, type: "integer", priority: 0, cell: (object) => Number(cell(object) ?? 0) };
}

/** A count in a column that the real server calls a string. */
function amount(name: string, cell: (object: Obj) => unknown): BuiltinColumn {
  return { ...count(name, cell), type: "string" };
}

const age = text("Age", (object) => ageText(object.metadata.creationTimestamp));

/** A number or text as it stands, for fields that may be either. */
function plain(value: unknown, absent: string): string {
  return typeof value === "number" ? String(value) : asString(value) || absent;
}

function orNone(value: string): string {
  return value === "" ? "<none>" : value;
}

function selectorText(selector: unknown): string {
  const labels = asObject(asObject(selector)["matchLabels"] ?? selector);
  return orNone(
    Object.entries(labels)
      .map(([key, value]) => `${key}=${asString(value)}`)
      .join(","),
  );
}

function containersOf(object: Obj): JsonObject[] {
  const spec = at(object, "spec", "jobTemplate", "spec") ?? object["spec"];
  return asObjects(at(asObject(spec), "template", "spec", "containers"));
}

const wideWorkload: BuiltinColumns = [
  text(
    "Containers",
    (object) =>
      containersOf(object)
        .map((entry) => asString(entry["name"]))
        .join(","),
    1,
  ),
  text(
    "Images",
    (object) =>
      containersOf(object)
        .map((entry) => asString(entry["image"]))
        .join(","),
    1,
  ),
  text("Selector", (object) => selectorText(at(object, "spec", "selector")), 1),
];

function ready(object: Obj): string {
  return `${Number(at(object, "status", "readyReplicas") ?? 0)}/${Number(at(object, "spec", "replicas") ?? 0)}`;
}

function externalAddress(service: Obj): string {
  const type = at(service, "spec", "type");
  if (type === "ExternalName") return asString(at(service, "spec", "externalName"));
  const given = asStrings(at(service, "spec", "externalIPs"));
  const balanced = asObjects(at(service, "status", "loadBalancer", "ingress")).map((entry) =>
    asString(entry["ip"] ?? entry["hostname"]),
  );
  const all = [...balanced, ...given];
  return all.length > 0 ? all.join(",") : type === "LoadBalancer" ? "<pending>" : "<none>";
}

function servicePorts(service: Obj): string {
  const ports = asObjects(at(service, "spec", "ports")).map((port) => {
    const node = Number(port["nodePort"] ?? 0);
    return `${Number(port["port"])}${node > 0 ? `:${node}` : ""}/${asString(port["protocol"])}`;
  });
  return orNone(ports.join(","));
}

function endpointText(object: Obj): string {
  const all = asObjects(object["subsets"]).flatMap((subset) =>
    asObjects(subset["addresses"]).flatMap((address) =>
      asObjects(subset["ports"]).map((port) => `${asString(address["ip"])}:${Number(port["port"])}`),
    ),
  );
  return orNone(shortList(all));
}

function shortList(items: readonly string[]): string {
  return items.length > 3 ? `${items.slice(0, 3).join(",")} + ${items.length - 3} more...` : items.join(",");
}

function nodeStatus(node: Obj): string {
  const condition = asObjects(at(node, "status", "conditions")).find((entry) => entry["type"] === "Ready");
  const state = condition === undefined ? "Unknown" : condition["status"] === "True" ? "Ready" : "NotReady";
  return at(node, "spec", "unschedulable") === true ? `${state},SchedulingDisabled` : state;
}

function nodeRoles(node: Obj): string {
  const prefix = "node-role.kubernetes.io/";
  const roles = Object.keys(node.metadata.labels ?? {}).filter((key) => key.startsWith(prefix));
  return orNone(roles.map((key) => key.slice(prefix.length)).join(","));
}

function nodeAddress(node: Obj, type: string): string {
  const found = asObjects(at(node, "status", "addresses")).find((entry) => entry["type"] === type);
  return orNone(asString(found?.["address"]));
}

function nodeFact(name: string, field: string): BuiltinColumn {
  return text(name, (node) => asString(at(node, "status", "nodeInfo", field)) || "<unknown>", 1);
}

function jobStatus(job: Obj): string {
  const conditions = asObjects(at(job, "status", "conditions")).filter((entry) => entry["status"] === "True");
  return (
    asString(
      conditions.find((entry) => ["Complete", "Failed", "Suspended"].includes(asString(entry["type"])))?.["type"],
    ) || "Running"
  );
}

function jobDuration(job: Obj): string {
  const start = Date.parse(asString(at(job, "status", "startTime")));
  const end = Date.parse(asString(at(job, "status", "completionTime")));
  return Number.isNaN(start) ? "" : durationText((Number.isNaN(end) ? Date.now() : end) - start);
}

function keyCount(object: Obj): number {
  return Object.keys(asObject(object["data"])).length + Object.keys(asObject(object["binaryData"])).length;
}

const createdAt: BuiltinColumn = {
  ...text("Created At", (object) => object.metadata.creationTimestamp),
  type: "date",
};
const subjectNames = (name: string, kind: string): BuiltinColumn =>
  text(
    name,
    (object) =>
      asObjects(object["subjects"])
        .filter((subject) => subject["kind"] === kind)
        .map(({ namespace, name: own }) =>
          kind === "ServiceAccount" ? `${asString(namespace)}/${asString(own)}` : own,
        )
        .join(", "),
    1,
  );
const bindingColumns = [
  text("Role", (object) => `${asString(at(object, "roleRef", "kind"))}/${asString(at(object, "roleRef", "name"))}`),
  age,
  subjectNames("Users", "User"),
  subjectNames("Groups", "Group"),
  subjectNames("ServiceAccounts", "ServiceAccount"),
];
const webhookColumns = [count("Webhooks", (object) => asArray(object["webhooks"]).length), age];

const byCollection: Readonly<Record<string, BuiltinColumns>> = {
  "/pods": [...podColumns.slice(0, 3), age, ...podColumns.slice(3)],
  "/namespaces": [text("Status", (object) => at(object, "status", "phase")), age],
  "/configmaps": [amount("Data", keyCount), age],
  "/secrets": [text("Type", (object) => object["type"]), amount("Data", keyCount), age],
  "/serviceaccounts": [age],
  "/services": [
    text("Type", (object) => at(object, "spec", "type")),
    text("Cluster-IP", (object) => orNone(asString(at(object, "spec", "clusterIP")))),
    text("External-IP", externalAddress),
    text("Port(s)", servicePorts),
    age,
    text("Selector", (object) => selectorText(at(object, "spec", "selector")), 1),
  ],
  "/endpoints": [text("Endpoints", endpointText), age],
  "/nodes": [
    text("Status", nodeStatus),
    text("Roles", nodeRoles),
    age,
    text("Version", (object) => at(object, "status", "nodeInfo", "kubeletVersion")),
    text("Internal-IP", (node) => nodeAddress(node, "InternalIP"), 1),
    text("External-IP", (node) => nodeAddress(node, "ExternalIP"), 1),
    nodeFact("OS-Image", "osImage"),
    nodeFact("Kernel-Version", "kernelVersion"),
    nodeFact("Container-Runtime", "containerRuntimeVersion"),
  ],
  "/events": eventColumns,
  "apps/deployments": [
    text("Ready", ready),
    amount("Up-to-date", (object) => at(object, "status", "updatedReplicas")),
    amount("Available", (object) => at(object, "status", "availableReplicas")),
    age,
    ...wideWorkload,
  ],
  "apps/replicasets": [
    count("Desired", (object) => at(object, "spec", "replicas")),
    count("Current", (object) => at(object, "status", "replicas")),
    count("Ready", (object) => at(object, "status", "readyReplicas")),
    age,
    ...wideWorkload,
  ],
  "apps/statefulsets": [text("Ready", ready), age, ...wideWorkload.slice(0, 2)],
  "apps/daemonsets": [
    count("Desired", (object) => at(object, "status", "desiredNumberScheduled")),
    count("Current", (object) => at(object, "status", "currentNumberScheduled")),
    count("Ready", (object) => at(object, "status", "numberReady")),
    count("Up-to-date", (object) => at(object, "status", "updatedNumberScheduled")),
    count("Available", (object) => at(object, "status", "numberAvailable")),
    text("Node Selector", (object) => selectorText(at(object, "spec", "template", "spec", "nodeSelector"))),
    age,
    ...wideWorkload,
  ],
  "batch/jobs": [
    text("Status", jobStatus),
    text(
      "Completions",
      (object) => `${Number(at(object, "status", "succeeded") ?? 0)}/${Number(at(object, "spec", "completions") ?? 1)}`,
    ),
    text("Duration", jobDuration),
    age,
    ...wideWorkload,
  ],
  "batch/cronjobs": [
    text("Schedule", (object) => at(object, "spec", "schedule")),
    text("Timezone", (object) => orNone(asString(at(object, "spec", "timeZone")))),
    {
      ...text("Suspend", (object) => (at(object, "spec", "suspend") === true ? "True" : "False")),
      type: "boolean",
    },
    count("Active", (object) => asArray(at(object, "status", "active")).length),
    text("Last Schedule", (object) => {
      const time = at(object, "status", "lastScheduleTime");
      return time === undefined ? "<none>" : ageText(time);
    }),
    age,
    ...wideWorkload,
  ],
  "discovery.k8s.io/endpointslices": [
    text("AddressType", (object) => object["addressType"]),
    text("Ports", (object) => orNone(shortList(asObjects(object["ports"]).map((port) => String(port["port"]))))),
    text("Endpoints", (object) =>
      orNone(shortList(asObjects(object["endpoints"]).flatMap((entry) => asStrings(entry["addresses"])))),
    ),
    age,
  ],
  "coordination.k8s.io/leases": [text("Holder", (object) => at(object, "spec", "holderIdentity")), age],
  "apiextensions.k8s.io/customresourcedefinitions": [createdAt],
  "rbac.authorization.k8s.io/roles": [createdAt],
  "rbac.authorization.k8s.io/clusterroles": [createdAt],
  "rbac.authorization.k8s.io/rolebindings": bindingColumns,
  "rbac.authorization.k8s.io/clusterrolebindings": bindingColumns,
  "admissionregistration.k8s.io/mutatingwebhookconfigurations": webhookColumns,
  "admissionregistration.k8s.io/validatingwebhookconfigurations": webhookColumns,
  "policy/poddisruptionbudgets": [
    text("Min Available", (object) => plain(at(object, "spec", "minAvailable"), "N/A")),
    text("Max Unavailable", (object) => plain(at(object, "spec", "maxUnavailable"), "N/A")),
    count("Allowed Disruptions", (object) => at(object, "status", "disruptionsAllowed")),
    age,
  ],
  "autoscaling/horizontalpodautoscalers": [
    text(
      "Reference",
      (object) =>
        `${asString(at(object, "spec", "scaleTargetRef", "kind"))}/${asString(at(object, "spec", "scaleTargetRef", "name"))}`,
    ),
    text("Targets", scalingTargets),
    text("MinPods", (object) => plain(at(object, "spec", "minReplicas"), "<unset>")),
    amount("MaxPods", (object) => at(object, "spec", "maxReplicas")),
    amount("Replicas", (object) => at(object, "status", "currentReplicas")),
    age,
  ],
  "networking.k8s.io/networkpolicies": [
    text("Pod-Selector", (object) => selectorText(at(object, "spec", "podSelector"))),
    age,
  ],
  "networking.k8s.io/ingresses": ingressColumns(age),
  "scheduling.k8s.io/priorityclasses": [
    count("Value", (object) => object["value"]),
    { ...text("Global-Default", (object) => object["globalDefault"] === true), type: "boolean" },
    age,
    text("PreemptionPolicy", (object) => object["preemptionPolicy"]),
  ],
};

/** The columns of a built-in kind after its name; undefined when it has none of its own. */
export function builtinColumns(collection: string): BuiltinColumns | undefined {
  return byCollection[collection];
}

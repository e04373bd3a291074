import type { JsonObject, Obj } from "./json.ts";
import { asArray, asObject, asObjects, asString, isObject } from "./json.ts";

/** Sets fields that are absent. */
function fill(target: JsonObject, values: JsonObject): void {
  for (const [key, value] of Object.entries(values)) target[key] ??= value;
}

function child(target: JsonObject, key: string): JsonObject {
  const current = target[key];
  if (isObject(current)) return current;
  const made: JsonObject = {};
  target[key] = made;
  return made;
}

function defaultProbe(probe: unknown): void {
  if (!isObject(probe)) return;
  fill(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
  if (isObject(probe["httpGet"])) fill(probe["httpGet"], { path: "/", scheme: "HTTP" });
  if (isObject(probe["grpc"])) fill(probe["grpc"], { service: "" });
}

function pullPolicy(image: string): string {
  const digest = image.includes("@");
  const tag = /:([^/]*)$/.exec(image)?.[1];
  return !digest && (tag === undefined || tag === "latest") ? "Always" : "IfNotPresent";
}

function defaultContainer(container: JsonObject): void {
  fill(container, {
    imagePullPolicy: pullPolicy(asString(container["image"])),
    resources: {},
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
  });
  for (const port of asObjects(container["ports"])) fill(port, { protocol: "TCP" });
  for (const name of ["livenessProbe", "readinessProbe", "startupProbe"]) defaultProbe(container[name]);
  for (const handler of Object.values(asObject(container["lifecycle"]))) {
    const httpGet = asObject(handler)["httpGet"];
    if (isObject(httpGet)) fill(httpGet, { path: "/", scheme: "HTTP" });
  }
  for (const entry of asObjects(container["env"])) {
    const fieldRef = asObject(entry["valueFrom"])["fieldRef"];
    if (isObject(fieldRef)) fill(fieldRef, { apiVersion: "v1" });
  }
  const resources = asObject(container["resources"]);
  if (isObject(resources["limits"])) {
    const requests = child(resources, "requests");
    fill(requests, resources["limits"]);
  }
}

function defaultVolume(volume: JsonObject): void {
  const sources = Object.keys(volume).filter((key) => key !== "name");
  if (sources.length === 0) volume["emptyDir"] = {};
  for (const kind of ["configMap", "secret", "downwardAPI", "projected"]) {
    if (isObject(volume[kind])) fill(volume[kind], { defaultMode: 420 });
  }
  if (isObject(volume["hostPath"])) fill(volume["hostPath"], { type: "" });
  for (const source of asObjects(asObject(volume["projected"])["sources"])) {
    const token = source["serviceAccountToken"];
    if (isObject(token)) fill(token, { expirationSeconds: 3600 });
    defaultDownward(source["downwardAPI"]);
  }
  defaultDownward(volume["downwardAPI"]);
}

function defaultDownward(source: unknown): void {
  for (const item of asObjects(asObject(source)["items"])) {
    if (isObject(item["fieldRef"])) fill(item["fieldRef"], { apiVersion: "v1" });
  }
}

/** Defaults of a pod spec, in a pod or a template. */
export function defaultPodSpec(spec: JsonObject): void {
  fill(spec, {
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    securityContext: {},
    schedulerName: "default-scheduler",
  });
  const account = asString(spec["serviceAccountName"] ?? spec["serviceAccount"]);
  if (account !== "") fill(spec, { serviceAccountName: account, serviceAccount: account });
  for (const list of ["containers", "initContainers", "ephemeralContainers"]) {
    for (const container of asObjects(spec[list])) defaultContainer(container);
  }
  for (const volume of asObjects(spec["volumes"])) defaultVolume(volume);
  if (spec["hostNetwork"] === true) {
    for (const container of asObjects(spec["containers"])) {
      for (const port of asObjects(container["ports"])) fill(port, { hostPort: port["containerPort"] });
    }
  }
}

function defaultTemplate(spec: JsonObject): void {
  const template = child(spec, "template");
  child(template, "metadata");
  defaultPodSpec(child(template, "spec"));
}

function defaultDeployment(spec: JsonObject): void {
  fill(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 });
  const strategy = child(spec, "strategy");
  fill(strategy, { type: "RollingUpdate" });
  if (strategy["type"] === "RollingUpdate") {
    fill(child(strategy, "rollingUpdate"), { maxUnavailable: "25%", maxSurge: "25%" });
  }
  defaultTemplate(spec);
}

function defaultStatefulSet(spec: JsonObject): void {
  fill(spec, { replicas: 1, revisionHistoryLimit: 10, podManagementPolicy: "OrderedReady" });
  fill(spec, { persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" } });
  const strategy = child(spec, "updateStrategy");
  fill(strategy, { type: "RollingUpdate" });
  if (strategy["type"] === "RollingUpdate") fill(child(strategy, "rollingUpdate"), { partition: 0 });
  defaultTemplate(spec);
}

function defaultDaemonSet(spec: JsonObject): void {
  fill(spec, { revisionHistoryLimit: 10 });
  const strategy = child(spec, "updateStrategy");
  fill(strategy, { type: "RollingUpdate" });
  if (strategy["type"] === "RollingUpdate") {
    fill(child(strategy, "rollingUpdate"), { maxUnavailable: 1, maxSurge: 0 });
  }
  defaultTemplate(spec);
}

function defaultJob(spec: JsonObject): void {
  fill(spec, {
    backoffLimit: 6,
    completionMode: "NonIndexed",
    suspend: false,
    manualSelector: false,
    podReplacementPolicy: "TerminatingOrFailed",
  });
  if (spec["completions"] === undefined && spec["parallelism"] === undefined) spec["completions"] = 1;
  fill(spec, { parallelism: 1 });
  defaultTemplate(spec);
}

function defaultCronJob(spec: JsonObject): void {
  fill(spec, {
    concurrencyPolicy: "Allow",
    suspend: false,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 1,
  });
  const job = child(child(spec, "jobTemplate"), "spec");
  defaultTemplate(job);
}

function defaultService(spec: JsonObject): void {
  fill(spec, { type: "ClusterIP", sessionAffinity: "None" });
  if (spec["sessionAffinity"] === "ClientIP") {
    const config = child(child(spec, "sessionAffinityConfig"), "clientIP");
    fill(config, { timeoutSeconds: 10_800 });
  }
  const external = spec["type"] === "ExternalName";
  if (!external) fill(spec, { internalTrafficPolicy: "Cluster" });
  const type = spec["type"];
  if (type === "NodePort" || type === "LoadBalancer") fill(spec, { externalTrafficPolicy: "Cluster" });
  if (type === "LoadBalancer") fill(spec, { allocateLoadBalancerNodePorts: true });
  for (const port of asObjects(spec["ports"])) {
    fill(port, { protocol: "TCP" });
    if (port["targetPort"] === undefined || port["targetPort"] === "" || port["targetPort"] === 0) {
      port["targetPort"] = port["port"];
    }
  }
}

function defaultWebhooks(object: Obj): void {
  const mutating = object.kind === "MutatingWebhookConfiguration";
  for (const hook of asObjects(object["webhooks"])) {
    fill(hook, {
      failurePolicy: "Fail",
      matchPolicy: "Equivalent",
      namespaceSelector: {},
      objectSelector: {},
      timeoutSeconds: 10,
    });
    if (mutating) fill(hook, { reinvocationPolicy: "Never" });
    for (const rule of asObjects(hook["rules"])) fill(rule, { scope: "*" });
    const service = asObject(hook["clientConfig"])["service"];
    if (isObject(service)) fill(service, { port: 443 });
  }
}

function defaultCrd(spec: JsonObject): void {
  const names = child(spec, "names");
  const kind = asString(names["kind"]);
  fill(names, { singular: kind.toLowerCase(), listKind: `${kind}List` });
  fill(spec, { conversion: { strategy: "None" } });
}

function defaultRoleRef(object: Obj): void {
  const ref = object["roleRef"];
  if (isObject(ref)) fill(ref, { apiGroup: "rbac.authorization.k8s.io" });
  for (const subject of asObjects(object["subjects"])) {
    fill(subject, { apiGroup: subject["kind"] === "ServiceAccount" ? "" : "rbac.authorization.k8s.io" });
    if (subject["apiGroup"] === "") delete subject["apiGroup"];
  }
}

function defaultSecret(object: Obj): void {
  object["type"] ??= "Opaque";
  const text = object["stringData"];
  if (!isObject(text)) return;
  const data = child(object, "data");
  for (const [key, value] of Object.entries(text)) data[key] = Buffer.from(asString(value)).toString("base64");
  delete object["stringData"];
}

function defaultHpa(spec: JsonObject): void {
  fill(spec, { minReplicas: 1 });
  if (asArray(spec["metrics"]).length === 0) {
    const target = { type: "Utilization", averageUtilization: 80 };
    spec["metrics"] = [{ type: "Resource", resource: { name: "cpu", target } }];
  }
}

const bySpec: Readonly<Record<string, (spec: JsonObject) => void>> = {
  "/pods": (spec) => {
    defaultPodSpec(spec);
    fill(spec, { enableServiceLinks: true, preemptionPolicy: "PreemptLowerPriority", priority: 0 });
  },
  "/replicationcontrollers": (spec) => {
    fill(spec, { replicas: 1 });
    if (isObject(spec["template"])) defaultTemplate(spec);
  },
  "/services": defaultService,
  "apps/deployments": defaultDeployment,
  "apps/replicasets": (spec) => {
    fill(spec, { replicas: 1 });
    defaultTemplate(spec);
  },
  "apps/statefulsets": defaultStatefulSet,
  "apps/daemonsets": defaultDaemonSet,
  "batch/jobs": defaultJob,
  "batch/cronjobs": defaultCronJob,
  "autoscaling/horizontalpodautoscalers": defaultHpa,
  "apiextensions.k8s.io/customresourcedefinitions": defaultCrd,
  "networking.k8s.io/networkpolicies": (spec) => fill(spec, { policyTypes: ["Ingress"] }),
};

const byObject: Readonly<Record<string, (object: Obj) => void>> = {
  "/secrets": defaultSecret,
  "admissionregistration.k8s.io/mutatingwebhookconfigurations": defaultWebhooks,
  "admissionregistration.k8s.io/validatingwebhookconfigurations": defaultWebhooks,
  "rbac.authorization.k8s.io/rolebindings": defaultRoleRef,
  "rbac.authorization.k8s.io/clusterrolebindings": defaultRoleRef,
  "scheduling.k8s.io/priorityclasses": (object) => fill(object, { preemptionPolicy: "PreemptLowerPriority" }),
};

/** Fills in what the API server fills in for a built-in kind beyond the defaults its schema states. In place. */
export function defaultKind(collection: string, object: Obj): void {
  const spec = bySpec[collection];
  if (spec !== undefined) spec(child(object, "spec"));
  byObject[collection]?.(object);
  if (collection === "/namespaces") {
    object.metadata.labels = { ...object.metadata.labels, "kubernetes.io/metadata.name": object.metadata.name };
  }
}

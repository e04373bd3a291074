import type { JsonObject, Obj } from "./json.ts";
import { asArray, asObject, asObjects, asString, at, clone, equal } from "./json.ts";
import { objectSelector } from "./selectors.ts";
import type { Cause } from "./status.ts";
import { invalidValue, isDnsLabel, requiredValue } from "./validate.ts";
import { webhookCauses } from "./webhook-rules.ts";

/** Which rule the names of a collection follow. */
export function nameRule(collection: string): "label" | "subdomain" | "path" {
  if (collection.startsWith("rbac.authorization.k8s.io/")) return "path";
  return collection === "/services" || collection === "/namespaces" ? "label" : "subdomain";
}

const selectorKinds = ["apps/deployments", "apps/replicasets", "apps/statefulsets", "apps/daemonsets"];

/**
 * What breaks the rules of a built-in kind: those a user meets, worded as the API server words them. `subresource`: the path below the
 * object that writes it; undefined: its own.
 */
export function kindCauses(
  collection: string,
  object: Obj,
  before: Obj | undefined,
  subresource: string | undefined,
): Cause[] {
  if (selectorKinds.includes(collection)) return workloadCauses(object, before);
  switch (collection) {
    case "/pods":
      return [
        ...podCauses(asObject(object.spec), "spec"),
        ...podUpdateCauses(object, before),
        ...ephemeralCauses(object, before, subresource),
      ];
    case "/services":
      return serviceCauses(asObject(object.spec), before);
    case "/secrets":
    case "/configmaps":
      return immutableDataCauses(object, before);
    case "batch/jobs":
      return podCauses(asObject(at(object, "spec", "template", "spec")), "spec.template.spec");
    case "rbac.authorization.k8s.io/rolebindings":
    case "rbac.authorization.k8s.io/clusterrolebindings":
      return roleRefCauses(object, before);
    case "admissionregistration.k8s.io/mutatingwebhookconfigurations":
    case "admissionregistration.k8s.io/validatingwebhookconfigurations":
      return webhookCauses(object);
    case "apiextensions.k8s.io/customresourcedefinitions":
      return crdCauses(object, before);
    default:
      return [];
  }
}

function workloadCauses(object: Obj, before: Obj | undefined): Cause[] {
  const selector = at(object, "spec", "selector");
  const causes = podCauses(asObject(at(object, "spec", "template", "spec")), "spec.template.spec");
  if (selector === undefined) return [requiredValue("spec.selector"), ...causes];
  const labels = asObject(at(object, "spec", "template", "metadata", "labels"));
  const empty = Object.keys(asObject(selector)).length === 0;
  if (empty) causes.push(invalidValue("spec.selector", selector, "empty selector is invalid for deployment"));
  else if (!objectSelector(selector)(labels)) {
    causes.push(invalidValue("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"));
  }
  if (before !== undefined && !equal(at(before, "spec", "selector"), selector)) {
    causes.push(invalidValue("spec.selector", selector, "field is immutable"));
  }
  return causes;
}

function podCauses(spec: JsonObject, path: string): Cause[] {
  const containers = asObjects(spec["containers"]);
  if (containers.length === 0) return [requiredValue(`${path}.containers`)];
  const names = new Set<string>();
  const volumes = new Set(asObjects(spec["volumes"]).map((volume) => asString(volume["name"])));
  return ["initContainers", "containers"].flatMap((list) =>
    asObjects(spec[list]).flatMap((container, index) => {
      const field = `${path}.${list}[${index}]`;
      const name = asString(container["name"]);
      const causes = containerNameCauses(name, names, field);
      names.add(name);
      if (asString(container["image"]) === "") causes.push(requiredValue(`${field}.image`));
      asObjects(container["volumeMounts"]).forEach((mount, at_) => {
        const volume = asString(mount["name"]);
        const where = `${field}.volumeMounts[${at_}].name`;
        if (!volumes.has(volume))
          causes.push({ reason: "FieldValueNotFound", field: where, message: `Not found: "${volume}"` });
      });
      return causes;
    }),
  );
}

function containerNameCauses(name: string, names: ReadonlySet<string>, field: string): Cause[] {
  if (name === "") return [requiredValue(`${field}.name`)];
  if (!isDnsLabel(name))
    return [
      invalidValue(
        `${field}.name`,
        name,
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-'",
      ),
    ];
  return names.has(name) ? [duplicate(`${field}.name`, name)] : [];
}

/** The parts of a pod spec that may change after creation, taken out so that the rest can be compared. */
function fixedPodSpec(spec: JsonObject): JsonObject {
  const {
    activeDeadlineSeconds: _deadline,
    tolerations: _tolerations,
    nodeName: _node,
    terminationGracePeriodSeconds: _grace,
    ephemeralContainers: _ephemeral,
    schedulingGates: _gates,
    ...rest
  } = clone(spec);
  for (const list of ["containers", "initContainers"]) {
    for (const container of asObjects(rest[list])) {
      delete container["image"];
      delete container["resources"];
    }
  }
  return rest;
}

function podUpdateCauses(object: Obj, before: Obj | undefined): Cause[] {
  if (before === undefined) return [];
  const old = asObject(before.spec);
  const now = asObject(object.spec);
  const moved = asString(old["nodeName"]) !== "" && old["nodeName"] !== now["nodeName"];
  if (!moved && equal(fixedPodSpec(old), fixedPodSpec(now))) return [];
  return [fixedField()];
}

function fixedField(): Cause {
  return {
    reason: "FieldValueForbidden",
    field: "spec",
    message:
      "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
  };
}

const EPHEMERAL = "spec.ephemeralContainers";

/** Ephemeral containers are added by their own path alone; what stands there stays as it is. */
function ephemeralCauses(object: Obj, before: Obj | undefined, subresource: string | undefined): Cause[] {
  const now = asObjects(at(object, "spec", "ephemeralContainers"));
  const old = asObjects(at(before, "spec", "ephemeralContainers"));
  if (before === undefined) return now.length === 0 ? [] : [forbiddenField(EPHEMERAL, "cannot be set on create")];
  if (subresource !== "ephemeralcontainers") return equal(now, old) ? [] : [fixedField()];
  const kept = old.flatMap((container) => {
    const name = asString(container["name"]);
    const next = now.find((entry) => entry["name"] === name);
    const what = `existing ephemeral containers ${JSON.stringify(name)} may not be`;
    if (next === undefined) return [forbiddenField(EPHEMERAL, `${what} removed`)];
    return equal(next, container) ? [] : [forbiddenField(EPHEMERAL, `${what} changed`)];
  });
  return [...kept, ...ephemeralNameCauses(asObject(object.spec), now)];
}

function ephemeralNameCauses(spec: JsonObject, ephemeral: readonly JsonObject[]): Cause[] {
  const others = ["initContainers", "containers"].flatMap((list) =>
    asObjects(spec[list]).map((entry) => asString(entry["name"])),
  );
  const names = new Set(others);
  return ephemeral.flatMap((container, index) => {
    const field = `${EPHEMERAL}[${index}]`;
    const name = asString(container["name"]);
    const causes = containerNameCauses(name, names, field);
    names.add(name);
    const target = asString(container["targetContainerName"]);
    if (asString(container["image"]) === "") causes.push(requiredValue(`${field}.image`));
    if (target !== "" && !others.includes(target))
      causes.push({
        reason: "FieldValueNotFound",
        field: `${field}.targetContainerName`,
        message: `Not found: "${target}"`,
      });
    const unfit = ["ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resources"].filter(
      (key) => container[key] !== undefined && !equal(container[key], {}),
    );
    return [
      ...causes,
      ...unfit.map((key) => forbiddenField(`${field}.${key}`, "cannot be set for an Ephemeral Container")),
    ];
  });
}

function duplicate(field: string, value: unknown): Cause {
  return { reason: "FieldValueDuplicate", field, message: `Duplicate value: ${JSON.stringify(value)}` };
}

function servicePortCauses(ports: readonly JsonObject[]): Cause[] {
  const names = new Set<string>();
  const pairs = new Set<string>();
  return ports.flatMap((port, index) => {
    const field = `spec.ports[${index}]`;
    const name = asString(port["name"]);
    const number = Number(port["port"] ?? 0);
    const pair = `${asString(port["protocol"])}/${number}`;
    const causes: Cause[] = [];
    if (name === "" && ports.length > 1) causes.push(requiredValue(`${field}.name`));
    if (name !== "" && names.has(name)) causes.push(duplicate(`${field}.name`, name));
    if (number < 1 || number > 65_535) {
      causes.push(invalidValue(`${field}.port`, number, "must be between 1 and 65535, inclusive"));
    }
    if (pairs.has(pair)) causes.push(duplicate(field, { protocol: port["protocol"], port: number }));
    names.add(name);
    pairs.add(pair);
    return causes;
  });
}

function serviceCauses(spec: JsonObject, before: Obj | undefined): Cause[] {
  const ports = asObjects(spec["ports"]);
  const external = spec["type"] === "ExternalName";
  const causes = servicePortCauses(ports);
  if (!external && spec["clusterIP"] !== "None" && ports.length === 0) causes.push(requiredValue("spec.ports"));
  if (external && asString(spec["externalName"]) === "") causes.push(requiredValue("spec.externalName"));
  const old = asObject(before?.spec);
  const had = old["type"] === "ExternalName" ? "" : asString(old["clusterIP"]);
  if (had !== "" && !external && had !== spec["clusterIP"]) {
    causes.push(invalidValue("spec.clusterIPs[0]", asArray(spec["clusterIPs"]), "may not change once set"));
  }
  return causes;
}

function immutableDataCauses(object: Obj, before: Obj | undefined): Cause[] {
  if (before?.["immutable"] !== true) return [];
  const same = equal(before["data"], object["data"]) && equal(before["binaryData"], object["binaryData"]);
  const causes: Cause[] = same ? [] : [forbiddenField("data", "field is immutable when `immutable` is set")];
  if (object["immutable"] !== true)
    causes.push(forbiddenField("immutable", "field is immutable when `immutable` is set"));
  return causes;
}

function forbiddenField(field: string, why: string): Cause {
  return { reason: "FieldValueForbidden", field, message: `Forbidden: ${why}` };
}

function roleRefCauses(object: Obj, before: Obj | undefined): Cause[] {
  if (before === undefined || equal(before["roleRef"], object["roleRef"])) return [];
  return [invalidValue("roleRef", object["roleRef"], "cannot change roleRef")];
}

function crdCauses(object: Obj, before: Obj | undefined): Cause[] {
  const spec = asObject(object.spec);
  const names = asObject(spec["names"]);
  const wanted = `${asString(names["plural"])}.${asString(spec["group"])}`;
  const causes: Cause[] = [];
  if (object.metadata.name !== wanted)
    causes.push(invalidValue("metadata.name", object.metadata.name, 'must be spec.names.plural+"."+spec.group'));
  const versions = asObjects(spec["versions"]);
  const storage = versions.filter((version) => version["storage"] === true).length;
  if (storage !== 1)
    causes.push(
      invalidValue(
        "spec.versions",
        versions.map((version) => version["name"]),
        "must have exactly one version marked as storage version",
      ),
    );
  if (asObject(spec["conversion"])["strategy"] === "Webhook") {
    causes.push(
      invalidValue("spec.conversion.strategy", "Webhook", "the embedded endpoint converts only by strategy None"),
    );
  }
  versions.forEach((version, index) => {
    if (at(version, "schema", "openAPIV3Schema") === undefined) {
      causes.push(requiredValue(`spec.versions[${index}].schema.openAPIV3Schema`, "schemas are required"));
    }
  });
  if (before !== undefined && at(before, "spec", "scope") !== spec["scope"]) {
    causes.push(invalidValue("spec.scope", spec["scope"], "field is immutable"));
  }
  return causes;
}

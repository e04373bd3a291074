import { nowText } from "./core.ts";
import type { JsonObject, Obj } from "./json.ts";
import { asObject, asObjects, asString, asStrings, at, isObject } from "./json.ts";
import type { Column, CustomInfo, Registry, ResourceInfo, Subresource } from "./registry.ts";
import type { Schema } from "./schema.ts";
import { objectMetaName } from "./schema.ts";

/** The collection that CRDs themselves are stored in. */
export const crdCollection = "apiextensions.k8s.io/customresourcedefinitions";
/** Holds a deleted CRD until its objects are gone. */
export const crdFinalizer = "customresourcecleanup.apiextensions.k8s.io";

const allVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/** The schema of whole objects of a CRD version: the author's, with the fields every object has. */
function objectSchema(version: JsonObject): Schema {
  const given = at(version, "schema", "openAPIV3Schema");
  const schema = (isObject(given) ? given : { type: "object" }) as Schema;
  const base = { apiVersion: { type: "string" }, kind: { type: "string" }, metadata: { $ref: objectMetaName } };
  return { ...schema, properties: { ...schema.properties, ...base } };
}

function columnsOf(version: JsonObject): Column[] {
  const columns = asObjects(version["additionalPrinterColumns"]).map((column) => ({
    name: asString(column["name"]),
    type: asString(column["type"]),
    priority: Number(column["priority"] ?? 0),
    jsonPath: asString(column["jsonPath"]),
    description: asString(column["description"]),
  }));
  if (columns.length > 0) return columns;
  return [{ name: "Age", type: "date", priority: 0, jsonPath: ".metadata.creationTimestamp", description: "" }];
}

function subresourcesOf(
  version: JsonObject,
  identity: { group: string; version: string; kind: string },
): Map<string, Subresource> {
  const given = asObject(version["subresources"]);
  const verbs = ["get", "patch", "update"];
  const out = new Map<string, Subresource>();
  if (given["status"] !== undefined) out.set("status", { name: "status", ...identity, verbs });
  if (given["scale"] !== undefined) {
    out.set("scale", { name: "scale", group: "autoscaling", version: "v1", kind: "Scale", verbs });
  }
  return out;
}

function scaleOf(version: JsonObject): CustomInfo["scale"] {
  const scale = at(version, "subresources", "scale");
  if (!isObject(scale)) return undefined;
  const labels = scale["labelSelectorPath"];
  return {
    specReplicasPath: asString(scale["specReplicasPath"]),
    statusReplicasPath: asString(scale["statusReplicasPath"]),
    ...(typeof labels === "string" ? { labelSelectorPath: labels } : {}),
  };
}

/** The resources a CRD serves, one per served version. */
export function resourcesOfCrd(crd: Obj): ResourceInfo[] {
  const spec = asObject(crd.spec);
  const group = asString(spec["group"]);
  const names = asObject(spec["names"]);
  const kind = asString(names["kind"]);
  const plural = asString(names["plural"]);
  const versions = asObjects(spec["versions"]);
  const storageVersion = asString(versions.find((version) => version["storage"] === true)?.["name"]);
  return versions
    .filter((version) => version["served"] === true)
    .map((version) => {
      const name = asString(version["name"]);
      return {
        group,
        version: name,
        resource: plural,
        singular: asString(names["singular"]),
        kind,
        listKind: asString(names["listKind"]),
        namespaced: spec["scope"] !== "Cluster",
        verbs: allVerbs,
        shortNames: asStrings(names["shortNames"]),
        categories: asStrings(names["categories"]),
        subresources: subresourcesOf(version, { group, version: name, kind }),
        collection: `${group}/${plural}`,
        schema: objectSchema(version),
        custom: {
          columns: columnsOf(version),
          selectableFields: asObjects(version["selectableFields"]).map((field) =>
            asString(field["jsonPath"]).replace(/^\./, ""),
          ),
          scale: scaleOf(version),
          storageVersion,
        },
      };
    });
}

function condition(crd: Obj, type: string, status: boolean, words: { reason: string; message: string }): JsonObject {
  const old = asObjects(asObject(crd.status)["conditions"]).find((entry) => entry["type"] === type);
  const value = status ? "True" : "False";
  const since = old?.["status"] === value ? old["lastTransitionTime"] : nowText();
  return { type, status: value, lastTransitionTime: since, ...words };
}

/** Accepts a CRD's names and establishes it: its status, and the finalizer that clears its objects. In place. */
export function completeCrd(registry: Registry, crd: Obj): void {
  const spec = asObject(crd.spec);
  const names = asObject(spec["names"]);
  const group = asString(spec["group"]);
  const taken = registry
    .all()
    .some((info) => info.group === group && info.kind === names["kind"] && info.resource !== names["plural"]);
  const words = taken
    ? { reason: "KindConflict", message: `"${asString(names["kind"])}" is already in use` }
    : { reason: "NoConflicts", message: "no conflicts found" };
  const storage = asObjects(spec["versions"]).find((version) => version["storage"] === true);
  crd.status = {
    ...crd.status,
    conditions: [
      condition(crd, "NamesAccepted", !taken, words),
      condition(
        crd,
        "Established",
        !taken,
        taken
          ? { reason: "NotAccepted", message: "not all names are accepted" }
          : { reason: "InitialNamesAccepted", message: "the initial names have been accepted" },
      ),
      ...asObjects(asObject(crd.status)["conditions"]).filter((entry) => entry["type"] === "Terminating"),
    ],
    acceptedNames: taken ? { plural: "", kind: "" } : names,
    storedVersions: [...new Set([...asStrings(asObject(crd.status)["storedVersions"]), asString(storage?.["name"])])],
  };
}

/** True when a CRD's objects are served. */
export function isEstablished(crd: Obj): boolean {
  return asObjects(asObject(crd.status)["conditions"]).some(
    (entry) => entry["type"] === "Established" && entry["status"] === "True",
  );
}

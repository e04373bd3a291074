import { errorText } from "../../base/errors.ts";
import { type LabelMatch, parseLabelQuery } from "../../base/label-query.ts";
import type { JsonObject, Obj } from "./json.ts";
import { asObject, asObjects, asString, asStrings, at } from "./json.ts";
import { badRequest } from "./status.ts";

/** Parses the query form, e.g. `app=web,track in (a,b),!old`. Throws 400. */
export function parseLabelSelector(text: string): LabelMatch {
  try {
    return parseLabelQuery(text);
  } catch (error) {
    throw badRequest(errorText(error));
  }
}

/** A LabelSelector object: matchLabels and matchExpressions; an empty or absent one matches all. */
export function objectSelector(selector: unknown): LabelMatch {
  const { matchLabels, matchExpressions } = asObject(selector);
  const wanted = Object.entries(asObject(matchLabels));
  const expressions = asObjects(matchExpressions);
  return (labels) =>
    wanted.every(([key, value]) => labels[key] === value) &&
    expressions.every((expression) => matchesExpression(labels, expression));
}

function matchesExpression(labels: Readonly<Record<string, unknown>>, expression: JsonObject): boolean {
  const key = asString(expression["key"]);
  const values = asStrings(expression["values"]);
  const has = Object.hasOwn(labels, key);
  switch (expression["operator"]) {
    case "In":
      return has && values.includes(asString(labels[key]));
    case "NotIn":
      return !has || !values.includes(asString(labels[key]));
    case "Exists":
      return has;
    case "DoesNotExist":
      return !has;
    default:
      return false;
  }
}

/** Field selectors a resource knows besides metadata.name and metadata.namespace; others are refused, as the real server does. */
const selectableFields: Readonly<Record<string, readonly string[]>> = {
  "/pods": [
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
  ],
  "/events": [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
  ],
  "/namespaces": ["status.phase"],
  "/secrets": ["type"],
  "/nodes": ["spec.unschedulable"],
  "/services": ["spec.clusterIP", "spec.type"],
  "/replicationcontrollers": ["status.replicas"],
  "apps/replicasets": ["status.replicas"],
  "batch/jobs": ["status.successful"],
};

function fieldText(object: Obj, path: string): string {
  if (path === "source") return asString(at(object, "source", "component"));
  const value = at(object, ...path.split("."));
  return typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);
}

/** Parses a field selector for a stored collection (`group/resource`) with the fields its CRD selects by. Throws 400. */
export function parseFieldSelector(
  text: string,
  collection: string,
  crdFields: readonly string[],
): (object: Obj) => boolean {
  const known = ["metadata.name", "metadata.namespace", ...(selectableFields[collection] ?? []), ...crdFields];
  const checks = text
    .split(",")
    .filter((part) => part.trim() !== "")
    .map((part) => {
      const match = /^\s*([^!=]+?)\s*(==|=|!=)\s*(.*?)\s*$/.exec(part);
      if (match === null) throw badRequest(`invalid field selector: ${part}`);
      const [, path = "", op, value = ""] = match;
      if (!known.includes(path)) throw badRequest(`field label not supported: ${path}`);
      return (object: Obj): boolean => (fieldText(object, path) === value) === (op !== "!=");
    });
  return (object) => checks.every((check) => check(object));
}

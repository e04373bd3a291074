import type { JsonObject, Obj } from "./json.ts";
import { asObject, asObjects, asString, asStrings, at } from "./json.ts";
import { badRequest } from "./status.ts";

/** A predicate over labels. */
export type LabelMatch = (labels: Readonly<Record<string, unknown>>) => boolean;

function splitTopLevel(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < text.length; index++) {
    const char = text[index];
    if (char === "(") depth++;
    if (char === ")") depth--;
    if (char === "," && depth === 0) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(text.slice(start));
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

const requirement = /^(?<not>!\s*)?(?<key>[A-Za-z0-9._/-]+)\s*(?:(?<op>==|=|!=|>|<|\bin\b|\bnotin\b)\s*(?<value>.*))?$/;

function labelRequirement(text: string): LabelMatch {
  const parts = requirement.exec(text)?.groups;
  if (parts === undefined) throw badRequest(`unable to parse requirement: ${text}`);
  const { not, key = "", op, value = "" } = parts;
  if (op === undefined) return (labels) => Object.hasOwn(labels, key) === (not === undefined);
  if (op !== "in" && op !== "notin" && !/^[A-Za-z0-9._-]*$/.test(value)) {
    throw badRequest(`unable to parse requirement: ${text}: ${value} is not a label value`);
  }
  return comparison(key, op, value);
}

function comparison(key: string, op: string, value: string): LabelMatch {
  const has = (labels: Readonly<Record<string, unknown>>): boolean => Object.hasOwn(labels, key);
  const list = /^\((.*)\)$/.exec(value.trim())?.[1]?.split(",") ?? [];
  const values = list.map((item) => item.trim());
  switch (op) {
    case "in":
      return (labels) => has(labels) && values.includes(asString(labels[key]));
    case "notin":
      return (labels) => !has(labels) || !values.includes(asString(labels[key]));
    case "!=":
      return (labels) => labels[key] !== value;
    case ">":
      return (labels) => has(labels) && Number(labels[key]) > Number(value);
    case "<":
      return (labels) => has(labels) && Number(labels[key]) < Number(value);
    default:
      return (labels) => labels[key] === value;
  }
}

/** Parses the query form, e.g. `app=web,track in (a,b),!old`. Throws 400. */
export function parseLabelSelector(text: string): LabelMatch {
  const checks = splitTopLevel(text).map(labelRequirement);
  return (labels) => checks.every((check) => check(labels));
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

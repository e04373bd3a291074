import type { JsonObject, Obj } from "./json.ts";
import { asObject, asObjects, asString, at } from "./json.ts";
import { ageText, type BuiltinColumn, type BuiltinColumns } from "./print.ts";

function text(name: string, cell: (object: Obj) => unknown, priority = 0): BuiltinColumn {
  return { name, type: "string", priority, cell };
}

/** When an event was seen, in the fields of its two forms. */
function seen(event: Obj, field: string): string {
  return ageText(event[field] ?? event["eventTime"]);
}

function eventSource(event: Obj): string {
  const { component, host } = asObject(event["source"]);
  return [component ?? event["reportingComponent"], host]
    .map(asString)
    .filter((part) => part !== "")
    .join(", ");
}

function eventCount(event: Obj): number {
  return Number(at(event, "series", "count") ?? event["count"] ?? 0) || 1;
}

/** Columns of events: all of them, for their name stands last. */
export const eventColumns: BuiltinColumns = [
  text("Last Seen", (event) => seen(event, "lastTimestamp")),
  text("Type", (event) => event["type"]),
  text("Reason", (event) => event["reason"]),
  text(
    "Object",
    (event) =>
      `${asString(at(event, "involvedObject", "kind")).toLowerCase()}/${asString(at(event, "involvedObject", "name"))}`,
  ),
  text("Subobject", (event) => asString(at(event, "involvedObject", "fieldPath")), 1),
  text("Source", eventSource, 1),
  text("Message", (event) => asString(event["message"]).trim()),
  text("First Seen", (event) => seen(event, "firstTimestamp"), 1),
  { ...text("Count", eventCount, 1), type: "string" },
  { ...text("Name", (event) => event.metadata.name, 1), format: "name" },
];

function ingressHosts(ingress: Obj): string {
  const hosts = asObjects(at(ingress, "spec", "rules")).map((rule) => asString(rule["host"]));
  const known = hosts.filter((host) => host !== "");
  if (known.length === 0) return "*";
  return known.length > 3 ? `${known.slice(0, 3).join(",")} + ${known.length - 3} more...` : known.join(",");
}

/** Columns of ingresses after their name. */
export function ingressColumns(age: BuiltinColumn): BuiltinColumns {
  return [
    text("Class", (ingress) => asString(at(ingress, "spec", "ingressClassName")) || "<none>"),
    text("Hosts", ingressHosts),
    text("Address", (ingress) =>
      asObjects(at(ingress, "status", "loadBalancer", "ingress"))
        .map((entry) => asString(entry["ip"] ?? entry["hostname"]))
        .join(","),
    ),
    text("Ports", (ingress) => (asObjects(at(ingress, "spec", "tls")).length > 0 ? "80, 443" : "80")),
    age,
  ];
}

/** What an autoscaler aims at, with what it measured last. */
export function scalingTargets(autoscaler: Obj): string {
  const metrics = asObjects(at(autoscaler, "spec", "metrics"));
  const measured = asObjects(at(autoscaler, "status", "currentMetrics"));
  const texts = metrics.map((metric, index) => scalingTarget(metric, measured[index]));
  if (texts.length === 0) return "<none>";
  return texts.length > 2 ? `${texts.slice(0, 2).join(", ")} + ${texts.length - 2} more...` : texts.join(", ");
}

function scalingTarget(metric: JsonObject, measured: JsonObject | undefined): string {
  const resource = asObject(metric["resource"]);
  const name = asString(resource["name"]);
  const target = asObject(resource["target"]);
  const current = asObject(asObject(measured?.["resource"])["current"]);
  if (name === "") return "<unknown type>";
  const [is, wanted] =
    target["averageUtilization"] === undefined
      ? [current["averageValue"], asString(target["averageValue"])]
      : [percent(current["averageUtilization"]), percent(target["averageUtilization"])];
  return `${name}: ${asString(is) || "<unknown>"}/${wanted ?? ""}`;
}

function percent(value: unknown): string | undefined {
  return typeof value === "number" ? `${value}%` : undefined;
}

import { Agent, request } from "node:https";
import type { RealApiServer } from "./apiserver.ts";

/** GET of a path of the real API server, as parsed JSON. */
export async function getJson(server: RealApiServer, path: string, accept = "application/json"): Promise<unknown> {
  const headers = { authorization: `Bearer ${server.adminToken}`, accept };
  const agent = new Agent({ ca: server.caPem });
  return new Promise((resolve, reject) => {
    const call = request(`${server.url}${path}`, { headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        resolve(JSON.parse(Buffer.concat(chunks).toString("utf8")));
      });
    });
    call.on("error", reject);
    call.end();
  });
}

type Json = { [key: string]: Json } & { [index: number]: Json };

/** Groups and versions the embedded endpoint serves, and the resources of each it leaves out because nothing acts on them. */
const served: Record<string, readonly string[]> = {
  v1: [
    "componentstatuses",
    "limitranges",
    "persistentvolumeclaims",
    "persistentvolumes",
    "podtemplates",
    "resourcequotas",
  ],
  "apps/v1": ["controllerrevisions"],
  "batch/v1": [],
  "autoscaling/v2": [],
  "policy/v1": [],
  "rbac.authorization.k8s.io/v1": [],
  "admissionregistration.k8s.io/v1": [
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
  ],
  "apiextensions.k8s.io/v1": [],
  "coordination.k8s.io/v1": [],
  "discovery.k8s.io/v1": [],
  "events.k8s.io/v1": [],
  "networking.k8s.io/v1": ["ipaddresses", "servicecidrs"],
  "scheduling.k8s.io/v1": [],
  "authentication.k8s.io/v1": [],
  "authorization.k8s.io/v1": [],
};
/** What the schemas keep of OpenAPI: structure, merge keys, defaults. No prose. */
const kept = [
  "type",
  "format",
  "properties",
  "items",
  "additionalProperties",
  "required",
  "default",
  "$ref",
  "oneOf",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-map-type",
  "x-kubernetes-patch-merge-key",
  "x-kubernetes-patch-strategy",
  "x-kubernetes-int-or-string",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-group-version-kind",
];
const prefix = "#/components/schemas/";

/** OpenAPI publishes Go's zero values as defaults of fields that cannot be absent there; they default nothing. */
function isZero(value: unknown): boolean {
  return ["", 0, false].includes(value as string) || JSON.stringify(value) === "{}";
}

/** What one keyword of a schema becomes; nothing when it is not kept. */
function slimKeyword(key: string, value: Json): Record<string, unknown> {
  switch (key) {
    case "$ref":
      return { $ref: String(value as unknown as string).slice(prefix.length) };
    case "allOf":
      return { ...(slim(value[0] as Json) as Record<string, unknown>) };
    case "properties":
      return { properties: Object.fromEntries(Object.entries(value).map(([name, field]) => [name, slim(field)])) };
    case "items":
    case "additionalProperties":
      return { [key]: typeof value === "object" ? slim(value) : value };
    case "oneOf":
      return JSON.stringify(value).includes("integer") ? { "x-kubernetes-int-or-string": true } : {};
    case "default":
      return isZero(value) ? {} : { default: value };
    default:
      return kept.includes(key) ? { [key]: value } : {};
  }
}

function slim(schema: Json): Json {
  return Object.assign({}, ...Object.entries(schema).map(([key, value]) => slimKeyword(key, value))) as Json;
}

function refsOf(schema: unknown, into: Set<string>): void {
  if (typeof schema !== "object" || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    if (key === "$ref") into.add(String(value));
    else refsOf(value, into);
  }
}

/** The schemas of the kinds that the resources speak. */
function rootsOf(resources: readonly Json[], schemas: Record<string, Json>): Set<string> {
  // A subresource may speak a kind of another group: serviceaccounts/token speaks authentication.k8s.io TokenRequest.
  const kindOf = (entry: Json): string => {
    const { group, version, groupVersion, kind } = entry as unknown as Record<string, string>;
    return version === undefined ? `${groupVersion}/${kind}` : `${group}/${version}/${kind}`;
  };
  const kinds = new Set(resources.map(kindOf));
  const names = Object.entries(schemas).flatMap(([name, schema]) => {
    const [gvk, more] = (schema["x-kubernetes-group-version-kind"] ?? []) as unknown as Record<string, string>[];
    if (gvk === undefined || more !== undefined) return [];
    return kinds.has(`${gvk["group"] === "" ? "" : `${gvk["group"]}/`}${gvk["version"]}/${gvk["kind"]}`) ? [name] : [];
  });
  return new Set(names);
}

/** Names, shapes and merge keys of the built-in kinds as the real API server publishes them: the text of src/gen/kube-types.ts. */
export async function kubeTypesSource(server: RealApiServer): Promise<string> {
  const resources: Json[] = [];
  const schemas: Record<string, Json> = {};
  for (const [groupVersion, left] of Object.entries(served)) {
    const base = groupVersion === "v1" ? "api/v1" : `apis/${groupVersion}`;
    const list = (await getJson(server, `/${base}`)) as Json;
    for (const entry of list["resources"] as unknown as Json[]) {
      const name = String(entry["name"] as unknown as string);
      if (left.includes(name.split("/")[0] ?? "")) continue;
      const { storageVersionHash: _, ...rest } = entry as unknown as Record<string, Json>;
      resources.push({ groupVersion, ...rest } as unknown as Json);
    }
    const api = (await getJson(server, `/openapi/v3/${base}`)) as { components: { schemas: Record<string, Json> } };
    for (const [name, schema] of Object.entries(api.components.schemas)) schemas[name] ??= slim(schema);
  }
  const wanted = rootsOf(resources, schemas);
  for (const name of wanted) refsOf(schemas[name], wanted);
  const used = Object.fromEntries([...wanted].sort().map((name) => [name, schemas[name]]));
  const lines = [
    "// Generated from a real kube-apiserver by test/e2e/apiserver/contract/types.test.ts (vitest -u). Not edited by hand.",
    "",
    "/** Discovery entries of the built-in kinds, one JSON text. */",
    `export const kubeResourcesJson = '${JSON.stringify(resources)}';`,
    "",
    "/** Schemas of the built-in kinds: fields, types, list and merge keys, defaults; no descriptions. One JSON text. */",
    "export const kubeSchemasJson =",
    `  '${JSON.stringify(used).replaceAll("\\", "\\\\")}';`,
    "",
  ];
  return lines.join("\n");
}

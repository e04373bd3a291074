import { createHash } from "node:crypto";
import { groupVersions } from "./discovery.ts";
import type { JsonObject } from "./json.ts";
import { isObject } from "./json.ts";
import { patchTypes } from "./patch.ts";
import type { Registry, ResourceInfo } from "./registry.ts";
import { apiVersionOf } from "./registry.ts";
import type { Schema } from "./schema.ts";
import { builtinSchemas, objectMetaName } from "./schema.ts";
import { noSuchPath } from "./status.ts";

const prefix = "#/components/schemas/";

/** Rewrites references to the form documents use, and drops what only we read. */
function published(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(published);
  if (!isObject(value)) return value;
  const out: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    if (key === "$ref" && typeof item === "string") {
      // Siblings of a reference are ignored in OpenAPI 3.0: they stand beside it in an allOf.
      if (Object.keys(value).length === 1) return { $ref: `${prefix}${item}` };
      out["allOf"] = [{ $ref: `${prefix}${item}` }];
    } else out[key] = published(item);
  }
  return out;
}

function referenced(name: string, into: Set<string>): void {
  if (into.has(name)) return;
  into.add(name);
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value as unknown[]) visit(item);
    else if (isObject(value)) {
      for (const [key, item] of Object.entries(value)) {
        if (key === "$ref" && typeof item === "string") referenced(item, into);
        else visit(item);
      }
    }
  };
  visit(builtinSchemas()[name]);
}

function builtinName(info: { group: string; version: string; kind: string }): string | undefined {
  return Object.entries(builtinSchemas()).find(([, schema]) =>
    schema["x-kubernetes-group-version-kind"]?.some(
      (gvk) => gvk.group === info.group && gvk.version === info.version && gvk.kind === info.kind,
    ),
  )?.[0];
}

function customName({ group, version, kind }: ResourceInfo): string {
  return `${group.split(".").toReversed().join(".")}.${version}.${kind}`;
}

function schemasOf(infos: readonly ResourceInfo[]): JsonObject {
  const names = new Set<string>();
  const out: JsonObject = {};
  for (const info of infos) {
    if (info.custom !== undefined) {
      referenced(objectMetaName, names);
      const gvk = [{ group: info.group, version: info.version, kind: info.kind }];
      const schema: Schema = { ...info.schema, "x-kubernetes-group-version-kind": gvk };
      out[customName(info)] = published(schema);
      continue;
    }
    const name = builtinName(info);
    if (name !== undefined) referenced(name, names);
  }
  for (const name of names) out[name] = published(builtinSchemas()[name]);
  return out;
}

const writeParameters = ["dryRun", "fieldManager", "fieldValidation"].map((name) => ({
  name,
  in: "query",
  schema: { type: "string", uniqueItems: true },
}));
const force = { name: "force", in: "query", schema: { type: "boolean", uniqueItems: true } };

function operation(info: ResourceInfo, action: string, extra: JsonObject = {}): JsonObject {
  const name = info.custom === undefined ? builtinName(info) : customName(info);
  const schema = name === undefined ? { type: "object" } : { $ref: `${prefix}${name}` };
  return {
    responses: { 200: { description: "OK", content: { "application/json": { schema } } } },
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": { group: info.group, version: info.version, kind: info.kind },
    ...extra,
  };
}

function pathsOf(info: ResourceInfo): JsonObject {
  const root = info.group === "" ? `/api/${info.version}` : `/apis/${info.group}/${info.version}`;
  const place = info.namespaced ? `${root}/namespaces/{namespace}` : root;
  const collection = `${place}/${info.resource}`;
  const has = (verb: string): boolean => info.verbs.includes(verb);
  const types = Object.values(patchTypes).filter((type) => info.custom === undefined || type !== patchTypes.strategic);
  const content = Object.fromEntries(types.map((type) => [type, { schema: { type: "object" } }]));
  const many = {
    ...(has("list") ? { get: operation(info, "list") } : {}),
    ...(has("create") ? { post: operation(info, "post", { parameters: writeParameters }) } : {}),
    ...(has("deletecollection") ? { delete: operation(info, "deletecollection") } : {}),
  };
  const one = {
    ...(has("get") ? { get: operation(info, "get") } : {}),
    ...(has("update") ? { put: operation(info, "put", { parameters: writeParameters }) } : {}),
    ...(has("patch")
      ? {
          patch: operation(info, "patch", {
            parameters: [...writeParameters, force],
            requestBody: { content, required: true },
          }),
        }
      : {}),
    ...(has("delete") ? { delete: operation(info, "delete") } : {}),
  };
  return { [collection]: many, ...(has("get") ? { [`${collection}/{name}`]: one } : {}) };
}

/** /openapi/v3: where the document of each version is. The hash changes when the served kinds do. */
export function openapiIndex(registry: Registry): JsonObject {
  const paths: JsonObject = {};
  for (const { group, versions } of groupVersions(registry)) {
    for (const version of versions) {
      const path = group === "" ? `api/${version}` : `apis/${group}/${version}`;
      const hash = createHash("sha256").update(`${path} ${registry.revision}`).digest("hex").toUpperCase();
      paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` };
    }
  }
  return { paths };
}

/** /openapi/v3/apis/GROUP/VERSION: schemas and operations of one version. Throws 404. */
export function openapiDocument(registry: Registry, group: string, version: string): JsonObject {
  const infos = registry.all().filter((info) => info.group === group && info.version === version);
  if (infos.length === 0) throw noSuchPath();
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: `embedded ${apiVersionOf({ group, version })}` },
    paths: Object.assign({}, ...infos.map(pathsOf)) as JsonObject,
    components: { schemas: schemasOf(infos) },
  };
}

import type { KubeObject } from "../resources/object.ts";
import { FIELD_MANAGER } from "./apply.ts";

/** An entry of metadata.managedFields. */
interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly fieldsV1?: Fields;
}

/** A set of fields as Kubernetes writes it: `f:name` a member, `k:{…}` the item with these keys, `v:…` an item by value. */
type Fields = { readonly [key: string]: Fields };

/**
 * The part of an object from the API server that install owns by server-side apply; undefined when it owns nothing of it. Where the
 * server keeps no record of owners, the whole object.
 */
export function ownFields(object: KubeObject): unknown {
  const managed = object.metadata["managedFields"] as readonly ManagedFields[] | undefined;
  if (managed === undefined) return withoutServerFields(object);
  const own = managed.find(({ manager, operation }) => manager === FIELD_MANAGER && operation === "Apply");
  if (own?.fieldsV1 === undefined) return undefined;
  const { apiVersion, kind, metadata } = object;
  const { name, namespace } = metadata;
  const picked = pick(object, own.fieldsV1) as { readonly metadata?: object };
  const names = { name, ...(namespace === undefined ? {} : { namespace }) };
  return { apiVersion, kind, ...picked, metadata: { ...names, ...picked.metadata } };
}

function withoutServerFields(object: KubeObject): unknown {
  const { uid: _, resourceVersion: __, generation: ___, creationTimestamp: ____, ...metadata } = object.metadata;
  const { status: _____, ...rest } = object;
  return { ...rest, metadata };
}

function pick(value: unknown, fields: Fields): unknown {
  const inner = Object.keys(fields).filter((key) => key !== ".");
  if (inner.length === 0 || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return pickItems(value as unknown[], fields);
  const record = value as Readonly<Record<string, unknown>>;
  const entries = Object.keys(record).flatMap((name) => {
    const below = fields[`f:${name}`];
    return below === undefined ? [] : [[name, pick(record[name], below)] as const];
  });
  return Object.fromEntries(entries);
}

function pickItems(items: readonly unknown[], fields: Fields): readonly unknown[] {
  return items.flatMap((item) => {
    for (const [key, below] of Object.entries(fields)) {
      if (key.startsWith("v:") && JSON.stringify(item) === key.slice(2)) return [item];
      if (key.startsWith("k:") && hasKeys(item, key.slice(2))) return [pick(item, below)];
    }
    return [];
  });
}

function hasKeys(item: unknown, keys: string): boolean {
  const wanted = JSON.parse(keys) as Readonly<Record<string, unknown>>;
  const record = (item ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(wanted).every(([name, value]) => record[name] === value);
}

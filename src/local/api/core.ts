import { randomInt } from "node:crypto";
import type { Allocator } from "./allocate.ts";
import type { Obj } from "./json.ts";
import type { Registry, ResourceInfo } from "./registry.ts";
import { apiVersionOf } from "./registry.ts";
import type { Subject } from "./status.ts";
import type { Store } from "./store.ts";

/** Who makes a request: what authentication found, what webhooks and reviews are told. */
export interface User {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What a write brings besides the object. */
export interface WriteRequest {
  readonly user: User;
  readonly dryRun: boolean;
  /** Field manager for managedFields. */
  readonly manager: string;
  /** What to do with unknown fields. */
  readonly fieldValidation: "Strict" | "Warn" | "Ignore";
  /** The options as the client sent them, for webhooks. */
  readonly subresource: string | undefined;
  /** Tells the client, by a Warning header. */
  warn(message: string): void;
}

/** One admission question: what is about to happen to an object. */
export interface Attributes {
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  readonly info: ResourceInfo;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly object: Obj | undefined;
  readonly oldObject: Obj | undefined;
  readonly request: WriteRequest;
}

/** Admission: the built-in plugins and the webhooks, in the API server's order. Both throw StatusError to refuse. */
export interface Admission {
  /** Returns the changed object. */
  mutate(attributes: Attributes & { readonly object: Obj }): Promise<Obj>;
  validate(attributes: Attributes): Promise<void>;
}

/** What every operation works on. */
export interface Core {
  readonly store: Store;
  readonly registry: Registry;
  readonly allocator: Allocator;
  readonly admission: Admission;
  readonly log: (message: string) => void;
}

/** The subject of an error about an object of a resource. */
export function subjectOf(info: ResourceInfo, name: string): Subject {
  return { group: info.group, resource: info.resource, name };
}

/** The subject of an Invalid status, which names the kind. */
export function kindSubject(info: ResourceInfo, name: string): Subject {
  return { group: info.group, resource: info.kind, name };
}

/** Now, as Kubernetes writes times: whole seconds, UTC. */
export function nowText(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}

const suffixAlphabet = "bcdfghjklmnpqrstvwxz2456789";

/** Random characters as generateName and volume names end in. */
export function randomSuffix(length = 5): string {
  return Array.from({ length }, () => suffixAlphabet[randomInt(suffixAlphabet.length)]).join("");
}

/** The object under the apiVersion and kind of the version asked for. */
export function present(info: ResourceInfo, object: Obj): Obj {
  const apiVersion = apiVersionOf(info);
  if (object.apiVersion === apiVersion && object.kind === info.kind) return object;
  if (info.group === "events.k8s.io") return toNewEvent(object);
  return { ...object, apiVersion };
}

/** Events are stored in their core form; events.k8s.io/v1 names some fields otherwise. */
const eventNames: Readonly<Record<string, string>> = {
  involvedObject: "regarding",
  message: "note",
  reportingComponent: "reportingController",
  source: "deprecatedSource",
  firstTimestamp: "deprecatedFirstTimestamp",
  lastTimestamp: "deprecatedLastTimestamp",
  count: "deprecatedCount",
};

function toNewEvent(event: Obj): Obj {
  const fields = Object.entries(event).map(([key, value]) => [eventNames[key] ?? key, value]);
  return { ...(Object.fromEntries(fields) as Obj), apiVersion: "events.k8s.io/v1" };
}

/** The stored form of an object of any served version. */
export function storedForm(info: ResourceInfo, object: Obj): Obj {
  if (info.group === "events.k8s.io") {
    const back = new Map(Object.entries(eventNames).map(([core, served]) => [served, core]));
    const fields = Object.entries(object).map(([key, value]) => [back.get(key) ?? key, value]);
    return { ...(Object.fromEntries(fields) as Obj), apiVersion: "v1" };
  }
  const version = info.custom?.storageVersion;
  if (version === undefined || version === info.version) return object;
  return { ...object, apiVersion: apiVersionOf({ group: info.group, version }) };
}

import type { Core } from "./core.ts";
import { present, subjectOf } from "./core.ts";
import type { JsonObject, Obj } from "./json.ts";
import type { ResourceInfo } from "./registry.ts";
import { parseFieldSelector, parseLabelSelector } from "./selectors.ts";
import { badRequest, expired, invalid, notFound, StatusError } from "./status.ts";
import type { Change } from "./store.ts";
import { listKey } from "./store.ts";
import type { Target } from "./write.ts";

/** Which objects of a resource. */
export interface Filter {
  readonly namespace: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** Paging and consistency of a list. */
export interface ListRequest extends Filter {
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: string | undefined;
}

/** A page of a list; `continue` is set when more follow. */
export interface ListResult {
  readonly items: readonly Obj[];
  readonly resourceVersion: string;
  readonly continue: string | undefined;
  readonly remaining: number | undefined;
}

/** One object, or 404. */
export function getObject(core: Core, { info, namespace, name }: Target): Obj {
  const found = core.store.get(info.collection, namespace, name);
  if (found === undefined) throw notFound(subjectOf(info, name));
  return present(info, found);
}

/** The predicate of a filter. Throws 400 for selectors that cannot be read. */
export function matcher(info: ResourceInfo, filter: Filter): (object: Obj) => boolean {
  const checks: ((object: Obj) => boolean)[] = [];
  const { namespace } = filter;
  if (namespace !== undefined) checks.push((object) => object.metadata.namespace === namespace);
  if (isSet(filter.labelSelector)) {
    const labels = parseLabelSelector(filter.labelSelector);
    checks.push((object) => labels(object.metadata.labels ?? {}));
  }
  if (isSet(filter.fieldSelector)) {
    checks.push(parseFieldSelector(filter.fieldSelector, info.collection, info.custom?.selectableFields ?? []));
  }
  return (object) => checks.every((check) => check(object));
}

interface ContinueToken {
  readonly v: number;
  readonly after: string;
}

function readToken(text: string): ContinueToken {
  try {
    const token = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as Partial<ContinueToken>;
    if (typeof token.v === "number" && typeof token.after === "string") return { v: token.v, after: token.after };
  } catch {
    // falls through to the refusal
  }
  throw badRequest("continue key is not valid");
}

function versionOf(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (!/^\d+$/.test(text)) throw badRequest(`Invalid value: "${text}": resourceVersion must be a number`);
  return Number(text);
}

/** The version a list shows: that of its first page, an exact one, or now. Throws 504 for one that is yet to come. */
function versionOfList(core: Core, request: ListRequest, token: ContinueToken | undefined): number {
  const asked = versionOf(request.resourceVersion);
  if (asked !== undefined && asked > core.store.version) throw tooNew(asked, core.store.version);
  if (token !== undefined) return token.v;
  return request.resourceVersionMatch === "Exact" && asked !== undefined ? asked : core.store.version;
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== "";
}

/** What may not be asked together, as the real server has it. Throws 422. */
function checkListRequest({ resourceVersionMatch: match, resourceVersion, continue: token }: ListRequest): void {
  if (!isSet(match)) return;
  const words = !isSet(resourceVersion)
    ? "resourceVersionMatch is forbidden unless resourceVersion is provided"
    : isSet(token)
      ? "resourceVersionMatch is forbidden when continue is provided"
      : match !== "Exact" && match !== "NotOlderThan"
        ? `Unsupported value: "${match}": supported values: "Exact", "NotOlderThan"`
        : match === "Exact" && resourceVersion === "0"
          ? 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
          : undefined;
  if (words === undefined) return;
  const cause = { reason: "FieldValueForbidden", message: `Forbidden: ${words}`, field: "resourceVersionMatch" };
  throw invalid({ group: "meta.k8s.io", resource: "ListOptions", name: "" }, [cause]);
}

/** A list: consistent over its pages, or as of an exact version. 410 when that is no longer known. */
export function listObjects(core: Core, info: ResourceInfo, request: ListRequest): ListResult {
  checkListRequest(request);
  const limit = Math.max(0, request.limit ?? 0);
  const matches = matcher(info, request);
  const token = isSet(request.continue) ? readToken(request.continue) : undefined;
  const version = versionOfList(core, request, token);
  const stored = core.store.listAt(info.collection, request.namespace, version);
  const ahead = token === undefined ? stored : stored.filter((object) => listKey(object) > token.after);
  const rest = ahead.filter(matches);
  const items = rest.slice(0, limit || rest.length);
  const selected = isSet(request.labelSelector) || isSet(request.fieldSelector);
  const { after, more } = endOf(items, ahead, limit);
  return {
    items: items.map((object) => present(info, object)),
    resourceVersion: String(version),
    continue: more > 0 ? writeToken({ v: version, after }) : undefined,
    remaining: more > 0 && !selected ? more : undefined,
  };
}

/**
 * Where a page ends, and how many objects stand behind it. A full page does not look whether they match: the next one may be
 * empty, as the real server's.
 */
function endOf(
  items: readonly Obj[],
  ahead: readonly Obj[],
  limit: number,
): { readonly after: string; readonly more: number } {
  const last = items.at(-1);
  if (last === undefined || limit === 0 || items.length < limit) return { after: "", more: 0 };
  const after = listKey(last);
  return { after, more: ahead.filter((object) => listKey(object) > after).length };
}

function writeToken(token: ContinueToken): string {
  return Buffer.from(JSON.stringify(token)).toString("base64url");
}

function tooNew(asked: number, current: number): StatusError {
  return new StatusError(504, "Timeout", `Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });
}

/** The list as the wire has it; events.k8s.io and CRDs take the kind of the version asked for. */
export function listBody(info: ResourceInfo, apiVersion: string, result: ListResult): JsonObject {
  return {
    kind: info.listKind,
    apiVersion,
    metadata: {
      resourceVersion: result.resourceVersion,
      ...(result.continue === undefined ? {} : { continue: result.continue }),
      ...(result.remaining === undefined ? {} : { remainingItemCount: result.remaining }),
    },
    items: result.items,
  };
}

/** What a watcher is told. */
export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: Obj;
}

/** A bookmark: nothing but a version (and the end of the initial events). */
export function bookmark(
  info: ResourceInfo,
  apiVersion: string,
  at: { version: number; initialEnd: boolean },
): WatchEvent {
  const annotations = at.initialEnd ? { annotations: { "k8s.io/initial-events-end": "true" } } : {};
  const metadata = { resourceVersion: String(at.version), creationTimestamp: null, ...annotations };
  return { type: "BOOKMARK", object: { kind: info.kind, apiVersion, metadata } as unknown as Obj };
}

/**
 * Follows a resource from a version on (undefined or "0": current objects as ADDED first). Objects that enter or leave the
 * filter are ADDED and DELETED. Events come synchronously and in order until the returned function is called. Throws 410.
 */
export function watchObjects(
  core: Core,
  info: ResourceInfo,
  request: Filter & { readonly resourceVersion?: string | undefined; readonly initial?: boolean },
  onEvent: (event: WatchEvent) => void,
): () => void {
  const matches = matcher(info, request);
  const since = versionOf(request.resourceVersion);
  const deliver = (change: Change): void => {
    const type = eventType(change, matches);
    if (type !== undefined) onEvent({ type, object: present(info, change.object) });
  };
  if (since !== undefined && since > core.store.version) throw tooNew(since, core.store.version);
  if (since === undefined || since === 0 || request.initial === true) {
    for (const object of core.store.list(info.collection, request.namespace)) {
      if (matches(object)) onEvent({ type: "ADDED", object: present(info, object) });
    }
  } else for (const change of core.store.changesSince(info.collection, since)) deliver(change);
  return core.store.listen(info.collection, deliver);
}

function eventType(change: Change, matches: (object: Obj) => boolean): WatchEvent["type"] | undefined {
  const before = change.previous !== undefined && matches(change.previous);
  if (change.type === "DELETED") return before ? "DELETED" : undefined;
  const after = matches(change.object);
  if (after) return before ? "MODIFIED" : "ADDED";
  return before ? "DELETED" : undefined;
}

/** The 410 a watch ends with when it falls behind. */
export function watchExpired(): StatusError {
  return expired("The resourceVersion for the provided watch is too old.");
}

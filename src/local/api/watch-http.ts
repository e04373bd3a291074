import type { ServerResponse } from "node:http";
import type { Core } from "./core.ts";
import type { JsonObject, Obj } from "./json.ts";
import type { Filter, WatchEvent } from "./read.ts";
import { bookmark, watchExpired, watchObjects } from "./read.ts";
import type { ResourceInfo } from "./registry.ts";
import { apiVersionOf } from "./registry.ts";
import { badRequest, invalid, StatusError } from "./status.ts";

/** A watch as a client asks for it. */
export interface WatchRequest extends Filter {
  readonly resourceVersion: string | undefined;
  readonly allowBookmarks: boolean;
  /** `sendInitialEvents` with `resourceVersionMatch=NotOlderThan`: the current objects, then a bookmark that says so. */
  readonly initialEvents: boolean;
  readonly timeoutSeconds: number | undefined;
  /** Turns an object into what is sent (a Table row, metadata only). */
  readonly render: (object: Obj) => unknown;
}

const bookmarkEveryMs = 20_000;
const maxPending = 32 << 20;

function forbiddenMatch(why: string): StatusError {
  const subject = { group: "meta.k8s.io", resource: "ListOptions", name: "" };
  return invalid(subject, [
    { reason: "FieldValueForbidden", field: "resourceVersionMatch", message: `Forbidden: ${why}` },
  ]);
}

function checkInitialEvents(initial: string | null, match: string | null): void {
  if (initial !== null && match !== "NotOlderThan") {
    throw forbiddenMatch("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  }
  if (match !== null && initial === null) {
    throw forbiddenMatch("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
  }
}

function isTrue(text: string | null): boolean {
  return text === "true" || text === "1";
}

/** Reads the watch parameters of a query. Throws 400 and 422 as the API server does. */
export function watchParameters(query: URLSearchParams): Omit<WatchRequest, "render" | "namespace"> {
  const initial = query.get("sendInitialEvents");
  checkInitialEvents(initial, query.get("resourceVersionMatch"));
  const timeout = query.get("timeoutSeconds") ?? "0";
  if (!/^\d+$/.test(timeout)) throw badRequest(`invalid timeoutSeconds: ${timeout}`);
  return {
    resourceVersion: query.get("resourceVersion") ?? undefined,
    labelSelector: query.get("labelSelector") ?? undefined,
    fieldSelector: query.get("fieldSelector") ?? undefined,
    allowBookmarks: isTrue(query.get("allowWatchBookmarks")),
    initialEvents: isTrue(initial),
    timeoutSeconds: timeout === "0" ? undefined : Number(timeout),
  };
}

/** Streams a watch as lines of JSON until the client leaves, the time is up, or it falls too far behind. */
export function serveWatch(core: Core, info: ResourceInfo, request: WatchRequest, response: ServerResponse): void {
  const apiVersion = apiVersionOf(info);
  let ended = false;
  let stop: () => void = () => {};
  const send = (event: { type: string; object: unknown }): void => {
    if (ended) return;
    response.write(`${JSON.stringify(event)}\n`);
    if (response.writableLength > maxPending) fail(watchExpired());
  };
  const finish = (): void => {
    if (ended) return;
    ended = true;
    stop();
    clearInterval(beat);
    clearTimeout(end);
    response.end();
  };
  const fail = (error: StatusError): void => {
    send({ type: "ERROR", object: error.body() });
    finish();
  };
  const mark = (initialEnd: boolean): void => {
    const event: WatchEvent = bookmark(info, apiVersion, { version: core.store.version, initialEnd });
    send({ type: event.type, object: request.render(event.object) });
  };
  response.writeHead(200, { "content-type": "application/json", "cache-control": "no-cache, private" });
  response.flushHeaders();
  const beat = setInterval(() => {
    if (request.allowBookmarks) mark(false);
  }, bookmarkEveryMs);
  const seconds = request.timeoutSeconds ?? 1800 + Math.floor(Math.random() * 1800);
  const end = setTimeout(() => {
    if (request.allowBookmarks) mark(false);
    finish();
  }, seconds * 1000);
  beat.unref();
  end.unref();
  response.on("close", finish);
  response.on("error", finish);
  try {
    stop = watchObjects(core, info, { ...request, initial: request.initialEvents }, (event) => {
      send({ type: event.type, object: request.render(event.object) });
    });
    if (request.initialEvents && request.allowBookmarks) mark(true);
    if (ended) stop();
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    fail(error);
  }
}

/** The metadata alone, as `PartialObjectMetadata`. */
export function partialObject(object: { metadata: unknown }): JsonObject {
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata };
}

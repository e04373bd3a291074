import type { JsonObject, Obj } from "./json.ts";
import { asObject, asObjects, asString, at } from "./json.ts";
import { getObject } from "./read.ts";
import type { Call } from "./call.ts";
import { badRequest, invalid, notImplemented, StatusError } from "./status.ts";
import type { PodBackend } from "./types.ts";
import type { Target } from "./write.ts";

function containerOf(pod: Obj, asked: string): string {
  const names = ["initContainers", "containers", "ephemeralContainers"].flatMap((list) =>
    asObjects(at(pod, "spec", list)).map((entry) => asString(entry["name"])),
  );
  const regular = asObjects(at(pod, "spec", "containers")).map((entry) => asString(entry["name"]));
  if (asked !== "") {
    if (!names.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${pod.metadata.name}`);
    return asked;
  }
  const only = regular[0];
  if (regular.length === 1 && only !== undefined) return only;
  throw badRequest(
    `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${regular.join(" ")}]`,
  );
}

function checkStarted(pod: Obj, container: string, previous: boolean): void {
  const all: JsonObject[] = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"].flatMap(
    (list) => asObjects(at(pod, "status", list)),
  );
  const status = all.find((entry) => entry["name"] === container);
  const reason = asString(asObject(asObject(status?.["state"])["waiting"])["reason"]) || "ContainerCreating";
  const where = `container "${container}" in pod "${pod.metadata.name}"`;
  if (previous && at(status, "lastState", "terminated") === undefined) {
    throw badRequest(`previous terminated ${where} not found`);
  }
  const state = asObject(status?.["state"]);
  const ran =
    state["running"] !== undefined ||
    state["terminated"] !== undefined ||
    at(status, "lastState", "terminated") !== undefined;
  if (!ran) throw badRequest(`${where} is waiting to start: ${reason}`);
}

function flag(query: URLSearchParams, name: string): boolean {
  return ["true", "1"].includes(query.get(name) ?? "");
}

type LogTarget = Parameters<PodBackend["logs"]>[0];

/** The time before which lines are left out, in milliseconds. Throws 400 and 422 as a real API server does. */
function sinceOf({ query }: Call): number | undefined {
  const [seconds, time] = [query.get("sinceSeconds"), query.get("sinceTime")];
  if (seconds !== null && time !== null)
    throw invalidOptions("", "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified");
  if (seconds !== null) {
    if (!/^-?\d+$/.test(seconds)) throw badRequest(`invalid sinceSeconds: ${seconds}`);
    if (Number(seconds) < 1) throw invalidOptions("sinceSeconds", `Invalid value: ${seconds}: must be greater than 0`);
    return Date.now() - Number(seconds) * 1000;
  }
  if (time === null) return undefined;
  const since = Date.parse(time);
  if (Number.isNaN(since)) throw badRequest(`invalid sinceTime: ${time}`);
  return since;
}

function invalidOptions(field: string, message: string): StatusError {
  return invalid({ group: "", resource: "PodLogOptions", name: "" }, [{ field, message, reason: "FieldValueInvalid" }]);
}

/** What is asked for, checked against the pod. Throws 400, 422, and 501 for what the node cannot do. */
function logTarget(call: Call, target: Target): LogTarget {
  const { query } = call;
  if (query.has("stream")) throw notImplemented("the embedded cluster does not have stream for logs");
  const tail = query.get("tailLines");
  if (tail !== null && !/^\d+$/.test(tail)) throw badRequest(`invalid tailLines: ${tail}`);
  const pod = getObject(call.deps.core, target);
  const container = containerOf(pod, query.get("container") ?? "");
  const previous = flag(query, "previous");
  checkStarted(pod, container, previous);
  return {
    namespace: target.namespace ?? "",
    pod: target.name,
    container,
    follow: flag(query, "follow"),
    tailLines: tail === null ? undefined : Number(tail),
    since: sinceOf(call),
    previous,
    timestamps: flag(query, "timestamps"),
  };
}

/** Streams a container's log as the node has it. */
export async function serveLog(call: Call, target: Target): Promise<void> {
  const { query, response } = call;
  const options = logTarget(call, target);
  const backend = call.deps.backend();
  if (backend === undefined) throw new StatusError(503, "ServiceUnavailable", "no node is running");
  const abort = new AbortController();
  response.on("close", () => {
    abort.abort();
  });
  response.writeHead(200, { "content-type": "text/plain", "cache-control": "no-cache, private" });
  response.flushHeaders();
  let left = Number(query.get("limitBytes") ?? Number.POSITIVE_INFINITY);
  for await (const chunk of backend.logs(options, abort.signal)) {
    if (abort.signal.aborted || left <= 0) break;
    const part = chunk.subarray(0, left);
    left -= part.length;
    if (!response.write(part)) await drained(call);
  }
  response.end();
}

async function drained({ response }: Call): Promise<void> {
  await new Promise<void>((resolve) => {
    response.once("drain", resolve);
    response.once("close", resolve);
  });
}

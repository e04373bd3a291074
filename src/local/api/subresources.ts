import { createTokenRequest } from "./token-request.ts";
import { nowText } from "./core.ts";
import type { JsonObject, Obj } from "./json.ts";
import { asObject, asObjects, asString, at, clone, isObject } from "./json.ts";
import { valuesAt } from "./jsonpath.ts";
import { applyPatch } from "./patch.ts";
import { serveLog } from "./pod-log.ts";
import { getObject } from "./read.ts";
import type { ResourceInfo } from "./registry.ts";
import { removeObject } from "./remove.ts";
import { objectSelector } from "./selectors.ts";
import { type Call, writeRequestOf } from "./call.ts";
import { badRequest, conflict, methodNotAllowed, StatusError } from "./status.ts";
import { mediaType, readBody, sendJson } from "./wire.ts";
import { replaceObject, type Target } from "./write.ts";

type Handler = (call: Call, target: Target, method: string) => Promise<void>;

const handlers: Readonly<Record<string, Handler>> = {
  scale: handleScale,
  token: handleToken,
  log: async (call, target) => {
    await serveLog(call, target);
  },
  binding: handleBinding,
  eviction: handleEviction,
  portforward: async () => {
    await Promise.resolve();
    throw badRequest("Upgrade request required");
  },
};

/** True for subresources with a form of their own; status and finalize are writes of the object itself. */
export function isOwnSubresource(name: string): boolean {
  return handlers[name] !== undefined;
}

/** Answers a request to one of them. */
export async function handleSubresource(call: Call, subresource: string, method: string): Promise<void> {
  const { info, namespace, name } = call;
  const verb = { GET: "get", POST: "create", PUT: "update", PATCH: "patch" }[method];
  if (verb === undefined || info.subresources.get(subresource)?.verbs.includes(verb) !== true || name === undefined) {
    throw methodNotAllowed("the server does not allow this method on the requested resource");
  }
  await handlers[subresource]?.(call, { info, namespace, name }, method);
}

function trimmed(path: string): string[] {
  return path.split(".").filter((step) => step !== "");
}

function scaleOf(info: ResourceInfo, object: Obj): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const paths = info.custom?.scale;
  const number = (path: string): number => Number(valuesAt(object, path)[0] ?? 0);
  const selector =
    paths === undefined
      ? Object.entries(asObject(at(object, "spec", "selector", "matchLabels") ?? {}))
          .map(([key, value]) => `${key}=${asString(value)}`)
          .join(",")
      : asString(valuesAt(object, paths.labelSelectorPath ?? "")[0]);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: number(paths?.specReplicasPath ?? ".spec.replicas") },
    status: {
      replicas: number(paths?.statusReplicasPath ?? ".status.replicas"),
      ...(selector === "" ? {} : { selector }),
    },
  };
}

async function handleScale(call: Call, target: Target, method: string): Promise<void> {
  const { info } = target;
  const { core } = call.deps;
  const object = getObject(core, target);
  const current = scaleOf(info, object);
  if (method === "GET") {
    sendJson(call.response, 200, current);
    return;
  }
  const body = await readBody(call.message);
  const wanted = method === "PATCH" ? applyPatch(current, body, mediaType(call.message), undefined) : asObject(body);
  const replicas = asObject(wanted["spec"])["replicas"] ?? 0;
  if (!Number.isInteger(replicas) || Number(replicas) < 0) {
    throw new StatusError(
      422,
      "Invalid",
      `Scale.autoscaling "${target.name}" is invalid: spec.replicas: Invalid value: ${JSON.stringify(replicas)}: must be greater than or equal to 0`,
      {},
    );
  }
  const next = clone(object);
  setAt(next, trimmed(info.custom?.scale?.specReplicasPath ?? ".spec.replicas"), replicas);
  const version = asString(asObject(wanted["metadata"])["resourceVersion"]);
  if (version !== "" && version !== object.metadata.resourceVersion)
    throw conflict({ group: info.group, resource: info.resource, name: target.name }, "the object has been modified");
  const request = { ...writeRequestOf(call), subresource: undefined };
  sendJson(call.response, 200, scaleOf(info, await replaceObject(core, target, next, request)));
}

function setAt(object: JsonObject, path: readonly string[], value: unknown): void {
  let current = object;
  for (const step of path.slice(0, -1)) {
    if (!isObject(current[step])) current[step] = {};
    current = asObject(current[step]);
  }
  const last = path.at(-1);
  if (last !== undefined) current[last] = value;
}

async function handleToken(call: Call, target: Target): Promise<void> {
  const body = await readBody(call.message);
  sendJson(call.response, 201, await createTokenRequest(call.deps, target, asObject(body)));
}

/** Binds a pod to a node, as a scheduler does. */
async function handleBinding(call: Call, target: Target): Promise<void> {
  const { core } = call.deps;
  const body = asObject(await readBody(call.message));
  const node = asString(at(body, "target", "name"));
  const pod = clone(getObject(core, target));
  if (asString(at(pod, "spec", "nodeName")) !== "") {
    throw conflict(
      { group: "", resource: "pods/binding", name: target.name },
      `pod ${target.name} is already assigned to node "${asString(at(pod, "spec", "nodeName"))}"`,
    );
  }
  pod.spec = { ...pod.spec, nodeName: node };
  const request = { ...writeRequestOf(call), subresource: undefined };
  const bound = await replaceObject(core, target, pod, request);
  const scheduled = { type: "PodScheduled", status: "True", lastProbeTime: null, lastTransitionTime: nowText() };
  const others = asObjects(at(bound, "status", "conditions")).filter((entry) => entry["type"] !== "PodScheduled");
  await replaceObject(
    core,
    target,
    { ...bound, status: { ...bound.status, conditions: [...others, scheduled] } },
    { ...request, subresource: "status" },
  );
  sendJson(call.response, 201, success());
}

/** Deletes a pod unless a PodDisruptionBudget says that no more may go. */
async function handleEviction(call: Call, target: Target): Promise<void> {
  const { core } = call.deps;
  const body = asObject(await readBody(call.message));
  const pod = getObject(core, target);
  const budgets = core.store.list("policy/poddisruptionbudgets", target.namespace);
  const held = budgets.some(
    (budget) =>
      objectSelector(at(budget, "spec", "selector"))(pod.metadata.labels ?? {}) &&
      Number(at(budget, "status", "disruptionsAllowed") ?? 0) < 1,
  );
  if (held)
    throw new StatusError(
      429,
      "TooManyRequests",
      "Cannot evict pod as it would violate the pod's disruption budget.",
      {},
    );
  const options = asObject(body["deleteOptions"]);
  const grace = options["gracePeriodSeconds"];
  await removeObject(core, target, typeof grace === "number" ? { gracePeriodSeconds: grace } : {}, {
    ...writeRequestOf(call),
    subresource: undefined,
  });
  sendJson(call.response, 201, success());
}

function success(): JsonObject {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success" };
}

import type { JsonObject } from "./json.ts";
import { asObject, asString, asStrings } from "./json.ts";
import { getObject } from "./read.ts";
import type { ServerDeps } from "./server-deps.ts";
import { conflict, notFound, StatusError } from "./status.ts";
import { issuer } from "./tokens.ts";
import type { Target } from "./write.ts";

const shortest = 600;
const longest = 2 ** 32;
const boundCollections = { Pod: "/pods", Secret: "/secrets", Node: "/nodes" } as const;

/** Answers a TokenRequest: a token for the audiences asked for, bound to an object when one is named. */
export async function createTokenRequest(deps: ServerDeps, target: Target, body: JsonObject): Promise<JsonObject> {
  const account = getObject(deps.core, target);
  const spec = asObject(body["spec"]);
  const seconds = Number(spec["expirationSeconds"] ?? 3600);
  if (seconds < shortest || seconds > longest) {
    const limit =
      seconds < shortest
        ? "may not specify a duration less than 10 minutes"
        : "may not specify a duration larger than 2^32 seconds";
    throw new StatusError(
      422,
      "Invalid",
      `TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: ${seconds}: ${limit}`,
      {},
    );
  }
  const audiences = asStrings(spec["audiences"]);
  const namespace = target.namespace ?? "";
  const bound = boundObject(deps, namespace, spec["boundObjectRef"]);
  const request = { namespace, serviceAccount: target.name, audiences, expirationSeconds: seconds, bound };
  const { token, expires } = await deps.tokens.issue(request);
  return {
    kind: "TokenRequest",
    apiVersion: "authentication.k8s.io/v1",
    metadata: {
      name: account.metadata.name,
      namespace,
      creationTimestamp: `${new Date().toISOString().slice(0, 19)}Z`,
    },
    spec: {
      ...spec,
      audiences: audiences.length === 0 ? [issuer] : audiences,
      expirationSeconds: seconds,
      boundObjectRef: spec["boundObjectRef"] ?? null,
    },
    status: { token, expirationTimestamp: `${expires.toISOString().slice(0, 19)}Z` },
  };
}

function boundObject(
  deps: ServerDeps,
  namespace: string,
  ref: unknown,
): Parameters<ServerDeps["tokens"]["issue"]>[0]["bound"] {
  const { kind, name, uid } = asObject(ref);
  if (kind !== "Pod" && kind !== "Secret" && kind !== "Node") return undefined;
  const collection = boundCollections[kind];
  const found = deps.core.store.get(collection, kind === "Node" ? undefined : namespace, asString(name));
  const subject = { group: "", resource: collection.slice(1), name: asString(name) };
  if (found === undefined) throw notFound(subject);
  if (uid !== undefined && uid !== "" && uid !== found.metadata.uid) {
    throw conflict(
      subject,
      `the UID in the bound object reference (${asString(uid)}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  return { kind, name: asString(name), uid: found.metadata.uid ?? "" };
}

import { existsSync, readFileSync } from "node:fs";
import type { KubeConfig } from "@kubernetes/client-node";
import { ClusterError } from "../base/errors.ts";
import type {
  Cluster,
  ClusterReader,
  ClusterWriter,
  KindRef,
  LogTarget,
  ReviewedToken,
  TargetRef,
} from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import { loadConfig, type OpenOptions } from "./config.ts";
import { foreignConfig } from "./foreign-config.ts";
import { type ApiClient, type ApiRequest, createApiClient } from "./http.ts";
import { listAll } from "./list.ts";
import { createDiscovery, type Discovery, query, resourcePath } from "./paths.ts";
import { openPortForward } from "./port-forward.ts";
import { watchKind } from "./watch.ts";

/**
 * Opens a client for the cluster that flags, environment and files name (src/kube/config.ts says in which order). Reads
 * configuration only: the first request finds out whether the cluster is there.
 */
export function openCluster(options: OpenOptions): Promise<Cluster> {
  return Promise.resolve().then(() => clusterOf(loadConfig(options)));
}

/**
 * The same for the text of a kubeconfig that somebody else wrote, as another cluster's Secret has it: with credentials that
 * stand in it and nothing that would read files or start programs here, but for what `allowed` names (src/kube/foreign-config.ts).
 */
export function openForeignCluster(text: string, allowed: ReadonlySet<string>): Cluster {
  return clusterOf(foreignConfig(text, allowed));
}

function clusterOf(config: KubeConfig): Cluster {
  const client = createApiClient(config);
  const discovery = createDiscovery(client);
  const reader = createReader(client, discovery);
  const ca = authorityOf(config);
  return {
    ...reader,
    context: ca === undefined ? reader.context : { ...reader.context, ca },
    ...createWriter(client, discovery),
    portForward: (target) => openPortForward(config, target),
  };
}

/** The authority of the API server, as the kubeconfig has it: in the text, or in a file. */
function authorityOf(config: KubeConfig): string | undefined {
  const { caData, caFile } = config.getCurrentCluster() ?? {};
  if (caData !== undefined) return Buffer.from(caData, "base64").toString("utf8");
  return caFile !== undefined && existsSync(caFile) ? readFileSync(caFile, "utf8") : undefined;
}

function createReader(client: ApiClient, discovery: Discovery): Omit<ClusterReader, "portForward"> {
  return {
    context: { name: client.contextName, server: client.server },
    async get(target) {
      const info = await discovery.find(target);
      if (info === undefined) return undefined;
      return asObject(await client.json({ method: "GET", path: resourcePath(info, target.namespace, target.name) }));
    },
    async list(kind, options = {}) {
      const info = await discovery.find(kind);
      return info === undefined ? [] : (await listAll(client, info, kind, options)).items;
    },
    serves: async (kind) => (await discovery.find(kind)) !== undefined,
    watch: (kind, options, onEvent, signal) => watchKind({ client, discovery }, { kind, options, onEvent, signal }),
    async version() {
      const answer = (await client.json({ method: "GET", path: "/version" })) ?? {};
      const text = (name: string): string => (typeof answer[name] === "string" ? answer[name] : "");
      return { gitVersion: text("gitVersion"), major: text("major"), minor: text("minor") };
    },
    serverTime: () => client.date(),
    async canI(access) {
      const answer = await client.json({
        method: "POST",
        path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        body: {
          apiVersion: "authorization.k8s.io/v1",
          kind: "SelfSubjectAccessReview",
          spec: { resourceAttributes: access },
        },
      });
      return (answer?.["status"] as { allowed?: boolean } | undefined)?.allowed === true;
    },
    async mayAccount({ namespace, name }, access) {
      const everyone = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"];
      const answer = await client.json({
        method: "POST",
        path: "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        body: {
          apiVersion: "authorization.k8s.io/v1",
          kind: "SubjectAccessReview",
          spec: {
            user: `system:serviceaccount:${namespace}:${name}`,
            groups: everyone,
            resourceAttributes: { ...access, namespace },
          },
        },
      });
      return (answer?.["status"] as { allowed?: boolean } | undefined)?.allowed === true;
    },
    logs: (target) => client.text({ method: "GET", path: logPath(target) }),
    followLogs: (target, signal) => followLogs(client, target, signal),
  };
}

function logPath(target: LogTarget, follow?: true): string {
  const { namespace, pod, container, tailLines, sinceSeconds } = target;
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`;
  return path + query({ container, tailLines, sinceSeconds, follow });
}

async function* followLogs(client: ApiClient, target: LogTarget, signal: AbortSignal): AsyncGenerator<string> {
  const response = await client.stream(logPath(target, true), signal);
  response.setEncoding("utf8");
  try {
    for await (const chunk of response) yield String(chunk);
  } catch (error) {
    // the connection ends with the signal
    if (!signal.aborted) throw error;
  } finally {
    response.destroy();
  }
}

function createWriter(client: ApiClient, discovery: Discovery): ClusterWriter {
  const send = async (ref: TargetRef, request: ApiRequest): Promise<KubeObject> => {
    const answer = asObject(await client.json(request));
    if (answer !== undefined) return answer;
    const where = ref.namespace === undefined ? "" : `${ref.namespace}/`;
    throw new ClusterError("not-found", `${ref.kind} ${where}${ref.name} does not exist`);
  };
  return {
    async apply(object, { fieldManager, force, dryRun }) {
      const options = query({ fieldManager, force, dryRun: dryRun === true ? "All" : undefined });
      const path = (await objectPath(discovery, object)) + options;
      return send(target(object), { method: "PATCH", path, body: object, contentType: "application/apply-patch+yaml" });
    },
    async create(object, options = {}) {
      const info = await discovery.need(object);
      const dryRun = options.dryRun === true ? "All" : undefined;
      const path = resourcePath(info, scope(info.namespaced, object)) + query({ dryRun });
      return send(target(object), { method: "POST", path, body: object });
    },
    async mergePatch(ref, patch, options = {}) {
      const rest = options.subresource === undefined ? [] : [options.subresource];
      const path = resourcePath(await discovery.need(ref), ref.namespace, ref.name, ...rest);
      return send(ref, { method: "PATCH", path, body: patch, contentType: "application/merge-patch+json" });
    },
    async replace(object) {
      return send(target(object), { method: "PUT", path: await objectPath(discovery, object), body: object });
    },
    async delete(ref, options = {}) {
      const info = await discovery.find(ref);
      if (info === undefined) return;
      const { gracePeriodSeconds, propagation, resourceVersion } = options;
      const grace = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds };
      const body = {
        kind: "DeleteOptions",
        apiVersion: "v1",
        propagationPolicy: propagation ?? "Foreground",
        ...grace,
        ...(resourceVersion === undefined ? {} : { preconditions: { resourceVersion } }),
      };
      await client.json({ method: "DELETE", path: resourcePath(info, ref.namespace, ref.name), body });
    },
    createToken: (request) => createToken(client, request),
    reviewToken: (token, audiences) => reviewToken(client, token, audiences),
  };
}

async function createToken(client: ApiClient, request: Parameters<ClusterWriter["createToken"]>[0]): Promise<string> {
  const { namespace, serviceAccount, audiences, expirationSeconds, pod } = request;
  const expiry = expirationSeconds === undefined ? {} : { expirationSeconds };
  const bound = pod === undefined ? {} : { boundObjectRef: { apiVersion: "v1", kind: "Pod", ...pod } };
  const answer = await client.json({
    method: "POST",
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(serviceAccount)}/token`,
    body: {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { audiences: [...audiences], ...expiry, ...bound },
    },
  });
  const token = (answer?.["status"] as { token?: string } | undefined)?.token;
  if (token !== undefined) return token;
  throw new ClusterError("not-found", `ServiceAccount ${namespace}/${serviceAccount} does not exist`);
}

async function reviewToken(
  client: ApiClient,
  token: string,
  audiences: readonly string[],
): Promise<ReviewedToken | undefined> {
  const answer = await client.json({
    method: "POST",
    path: "/apis/authentication.k8s.io/v1/tokenreviews",
    body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token, audiences: [...audiences] } },
  });
  const status = (answer?.["status"] ?? {}) as {
    authenticated?: boolean;
    audiences?: string[];
    user?: { username?: string; groups?: string[]; extra?: Record<string, string[]> };
  };
  // A server that does not know audiences answers without them: then the token is not known to be for us.
  const forUs = (status.audiences ?? []).some((audience) => audiences.includes(audience));
  if (status.authenticated !== true || !forUs || status.user?.username === undefined) return undefined;
  return { username: status.user.username, groups: status.user.groups ?? [], extra: status.user.extra ?? {} };
}

async function objectPath(discovery: Discovery, object: KubeObject): Promise<string> {
  const info = await discovery.need(object);
  return resourcePath(info, scope(info.namespaced, object), object.metadata.name);
}

function scope(namespaced: boolean, object: KubeObject): string | undefined {
  if (!namespaced) return undefined;
  if (object.metadata.namespace !== undefined) return object.metadata.namespace;
  throw new ClusterError("no-namespace", `${object.kind} ${object.metadata.name} needs a namespace`, {
    hint: "set metadata.namespace",
  });
}

function target(object: KubeObject): TargetRef {
  const { namespace, name } = object.metadata;
  const ref: KindRef = { apiVersion: object.apiVersion, kind: object.kind };
  return namespace === undefined ? { ...ref, name } : { ...ref, namespace, name };
}

function asObject(value: Record<string, unknown> | undefined): KubeObject | undefined {
  return value as KubeObject | undefined;
}

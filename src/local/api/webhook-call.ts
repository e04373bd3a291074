import { request } from "node:https";
import type { Duplex } from "node:stream";
import type { PeerCertificate } from "node:tls";
import { checkServerIdentity, connect } from "node:tls";
import { errorText } from "../../base/errors.ts";
import type { JsonObject } from "./json.ts";
import { asObject, asString, isObject } from "./json.ts";
import type { ServiceResolver } from "./types.ts";

/** The webhook could not be asked, or its answer cannot be used: failurePolicy decides. */
export class WebhookCallError extends Error {}

/** Sends an AdmissionReview to the place a webhook's clientConfig names and returns the answer. */
export type WebhookCaller = (hook: JsonObject, review: JsonObject) => Promise<unknown>;

interface Destination {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly serverName: string;
  readonly dial: (() => Promise<Duplex>) | undefined;
}

async function destinationOf(config: JsonObject, resolver: ServiceResolver | undefined): Promise<Destination> {
  const service = config["service"];
  if (isObject(service)) {
    const namespace = asString(service["namespace"]);
    const name = asString(service["name"]);
    const serverName = `${name}.${namespace}.svc`;
    if (resolver === undefined)
      throw new WebhookCallError(`service "${name}" cannot be reached yet: no node is running`);
    const port = Number(service["port"] ?? 443);
    const found = await resolver(namespace, name, port);
    return { host: found.host, port: found.port, path: asString(service["path"]) || "/", serverName, dial: found.dial };
  }
  const url = new URL(asString(config["url"]));
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? 443 : Number(url.port);
  return { host, port, path: `${url.pathname}${url.search}`, serverName: host, dial: undefined };
}

/** A resolver or a dial that hangs must not hold a request longer than the webhook's timeout. */
async function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return Promise.race([
    work,
    new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error("timeout")), { once: true });
    }),
  ]);
}

const maxAnswer = 16 << 20;

async function post(
  destination: Destination,
  ca: string | undefined,
  body: string,
  signal: AbortSignal,
): Promise<unknown> {
  const { host, port, path, serverName, dial } = destination;
  // The certificate is checked for the service's name, whatever address it is reached at.
  const tls = {
    ca,
    servername: /^[\d.:]+$/.test(serverName) ? "" : serverName,
    checkServerIdentity: (_: string, certificate: PeerCertificate) => checkServerIdentity(serverName, certificate),
  };
  const socket = dial === undefined ? undefined : connect({ ...tls, socket: await dial() });
  const headers = {
    "content-type": "application/json",
    accept: "application/json",
    "content-length": Buffer.byteLength(body),
  };
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host,
        port,
        path,
        method: "POST",
        headers: { ...headers, host: `${serverName}:${port}` },
        signal,
        ...tls,
        ...(socket === undefined ? { agent: false as const } : { createConnection: () => socket }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > maxAnswer) response.destroy(new Error("the answer is too long"));
          else chunks.push(chunk);
        });
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          if (response.statusCode === 200) resolve(JSON.parse(text));
          else reject(new Error(`the server answered ${response.statusCode}: ${text.slice(0, 200)}`));
        });
      },
    );
    call.on("error", reject);
    socket?.on("error", reject);
    call.end(body);
  });
}

/** Asks webhooks over HTTPS, within their timeout, trusting only their caBundle when they have one. */
export function createWebhookCaller(resolver: () => ServiceResolver | undefined): WebhookCaller {
  return async (hook, review) => {
    const config = asObject(hook["clientConfig"]);
    const seconds = Number(hook["timeoutSeconds"] ?? 10);
    const signal = AbortSignal.timeout(seconds * 1000);
    const bundle = asString(config["caBundle"]);
    const ca = bundle === "" ? undefined : Buffer.from(bundle, "base64").toString("utf8");
    try {
      const destination = await inTime(destinationOf(config, resolver()), signal);
      const path = `${destination.path}${destination.path.includes("?") ? "&" : "?"}timeout=${seconds}s`;
      return await inTime(post({ ...destination, path }, ca, JSON.stringify(review), signal), signal);
    } catch (error) {
      if (error instanceof WebhookCallError) throw error;
      const why = signal.aborted ? "context deadline exceeded" : errorText(error);
      throw new WebhookCallError(`failed to call webhook: Post ${whereTo(config)}: ${why}`);
    }
  };
}

function whereTo(config: JsonObject): string {
  const service = config["service"];
  if (!isObject(service)) return JSON.stringify(config["url"]);
  const host = `${asString(service["name"])}.${asString(service["namespace"])}.svc:${Number(service["port"] ?? 443)}`;
  return `"https://${host}${asString(service["path"])}"`;
}

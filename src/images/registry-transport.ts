import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { rootCertificates } from "node:tls";
import type { Credentials } from "./docker-config.ts";

/** How a registry is reached. */
export interface RegistryOptions {
  readonly credentials?: Credentials | undefined;
  /** PEM of certificate authorities to trust besides the well-known ones. */
  readonly ca?: string | undefined;
  /** Without TLS: for registries on the own machine. */
  readonly isPlain?: boolean;
  readonly signal: AbortSignal;
}

/** One request. `scope` is what a token service is asked for: `repository:NAME:pull,push`, several parted by spaces. */
export interface RegistryRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT";
  /** Path with query, or a whole URL. */
  readonly path: string;
  readonly scope?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Opened anew for each try. */
  readonly body?: { readonly length: number; readonly open: () => AsyncIterable<Uint8Array> };
}

/** An answer; who asked reads its stream, or `text`. */
export interface RegistryAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly url: URL;
  readonly stream: IncomingMessage;
}

/** Sends one request, with no word about who asks unless it is given and the server is the registry itself. */
interface Transport {
  once(url: URL, request: RegistryRequest, authorization: string | undefined): Promise<RegistryAnswer>;
  /** Until it is no redirect; the registry may keep its bytes elsewhere. */
  follow(request: RegistryRequest, authorization: string | undefined): Promise<RegistryAnswer>;
  close(): void;
}

const REDIRECTS = 5;
const IDLE_MS = 60_000;

/** Builds it; opens no connection. */
export function createTransport(base: URL, options: RegistryOptions): Transport {
  const agents = {
    "http:": new HttpAgent({ keepAlive: true }),
    "https:": new HttpsAgent({
      keepAlive: true,
      ...(options.ca === undefined ? {} : { ca: [...rootCertificates, options.ca] }),
    }),
  };

  async function once(url: URL, request: RegistryRequest, authorization: string | undefined): Promise<RegistryAnswer> {
    const { method, body } = request;
    const headers: Record<string, string> = { "user-agent": "meshctl", ...request.headers };
    if (authorization !== undefined && url.host === base.host) headers["authorization"] = authorization;
    if (body !== undefined) headers["content-length"] = String(body.length);
    const isTls = url.protocol === "https:";
    const call = (isTls ? httpsRequest : httpRequest)(url, {
      method,
      headers,
      agent: agents[isTls ? "https:" : "http:"],
      signal: options.signal,
    });
    call.setTimeout(IDLE_MS, () => call.destroy(new Error(`nothing was heard for ${IDLE_MS / 1000} s`)));
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      call.once("response", resolve);
      call.once("error", reject);
    });
    if (body === undefined) call.end();
    // an answer may come before everything is sent: then it counts, and not that the rest could not be sent
    else pipeline(Readable.from(body.open(), { objectMode: false }), call).catch((error: Error) => call.destroy(error));
    const stream = await answered;
    return { status: stream.statusCode ?? 0, headers: stream.headers, url, stream };
  }

  async function follow(request: RegistryRequest, authorization: string | undefined): Promise<RegistryAnswer> {
    let url = new URL(request.path, base);
    for (let hops = 0; ; hops += 1) {
      const answer = await once(url, request, authorization);
      const { location } = answer.headers;
      const isRedirect = [301, 302, 303, 307, 308].includes(answer.status) && location !== undefined;
      if (!isRedirect || hops === REDIRECTS || !["GET", "HEAD"].includes(request.method)) return answer;
      answer.stream.resume();
      url = new URL(location, url);
    }
  }

  return {
    once,
    follow,
    close: () => {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

/** Reads an answer to its end, as text. */
export async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.from(await bytesOf(stream)).toString("utf8");
}

/** Reads an answer to its end. */
export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

import { Agent, request } from "node:https";
import type { IncomingMessage } from "node:http";

/** JSON of any shape: tests reach into it and compare. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Loose = any;

/** Where and as whom. */
export interface RestTarget {
  readonly url: string;
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
}

export interface RestOptions {
  /** Content type; application/json unless told. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Another bearer token than the target's; "" for none at all. */
  readonly token?: string;
}

export interface RestAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Loose;
}

/** A bare HTTP client of a Kubernetes API: what is sent is what the test says, nothing is added or retried. */
export interface RestClient {
  readonly target: RestTarget;
  call(method: string, path: string, body?: unknown, options?: RestOptions): Promise<RestAnswer>;
  get(path: string, options?: RestOptions): Promise<RestAnswer>;
  post(path: string, body: unknown, options?: RestOptions): Promise<RestAnswer>;
  put(path: string, body: unknown): Promise<RestAnswer>;
  patch(path: string, kind: "json" | "merge" | "strategic" | "apply", body: unknown): Promise<RestAnswer>;
  del(path: string, body?: unknown): Promise<RestAnswer>;
  /** Follows a watch: `next()` gives event after event, undefined at its end. */
  watch(path: string): Promise<WatchStream>;
  close(): void;
}

export interface WatchStream {
  readonly status: number;
  next(): Promise<Loose>;
  stop(): void;
}

const patchTypes = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

function parsed(text: string): Loose {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Lines of a response as they come. */
function lineReader(response: IncomingMessage): WatchStream {
  const lines = (async function* read(): AsyncGenerator<string> {
    let pending = "";
    for await (const chunk of response) {
      pending += String(chunk);
      const parts = pending.split("\n");
      pending = parts.pop() ?? "";
      yield* parts.filter((line) => line !== "");
    }
  })();
  return {
    status: response.statusCode ?? 0,
    async next() {
      const { value, done } = await lines.next();
      return done === true ? undefined : parsed(value);
    },
    stop: () => response.destroy(),
  };
}

export function createRestClient(target: RestTarget): RestClient {
  const { ca, cert, key } = target;
  const agent = new Agent({ keepAlive: true, ca, ...(cert === undefined || key === undefined ? {} : { cert, key }) });

  function send(method: string, path: string, body: unknown, options: RestOptions): Promise<IncomingMessage> {
    const token = options.token ?? target.token;
    const text = body === undefined || typeof body === "string" ? (body ?? "") : JSON.stringify(body);
    const anonymous = options.token === "" || (options.token !== undefined && cert !== undefined);
    const headers = {
      "user-agent": "contract/1.0",
      ...(text === ""
        ? {}
        : { "content-type": options.type ?? "application/json", "content-length": Buffer.byteLength(text) }),
      ...(token === undefined || token === "" ? {} : { authorization: `Bearer ${token}` }),
      ...options.headers,
    };
    return new Promise((resolve, reject) => {
      // A client certificate would win over the token: another credential needs a connection without it.
      const through = anonymous ? new Agent({ ca }) : agent;
      const outgoing = request(`${target.url}${path}`, { method, headers, agent: through }, resolve);
      outgoing.on("error", reject);
      outgoing.end(text);
    });
  }

  async function call(method: string, path: string, body?: unknown, options: RestOptions = {}): Promise<RestAnswer> {
    const response = await send(method, path, body, options);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: parsed(Buffer.concat(chunks).toString("utf8")),
    };
  }

  return {
    target,
    call,
    get: (path, options) => call("GET", path, undefined, options),
    post: (path, body, options) => call("POST", path, body, options),
    put: (path, body) => call("PUT", path, body),
    patch: (path, kind, body) => call("PATCH", path, body, { type: patchTypes[kind] }),
    del: (path, body) => call("DELETE", path, body),
    async watch(path) {
      return lineReader(await send("GET", path, undefined, {}));
    },
    close: () => agent.destroy(),
  };
}

import { request } from "node:http";
import { errorText, EnvironmentError } from "../base/errors.ts";

/** Envoy's admin interface at one address. */
export interface EnvoyAdmin {
  /** The body of a 200. Throws EnvironmentError for any other answer and when Envoy cannot be reached. */
  call(method: "GET" | "POST", path: string): Promise<string>;
}

/** `timeout` in milliseconds. */
export function createEnvoyAdmin(host: string, port: number, timeout = 5_000): EnvoyAdmin {
  return {
    call: async (method, path) => {
      const answer = await fetchText({ host, port, method, path, timeout });
      if (answer.status === 200) return answer.body;
      throw new EnvironmentError("agent-envoy", `Envoy's admin answered ${answer.status} to ${method} ${path}`);
    },
  };
}

export interface HttpTarget {
  readonly host: string;
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly timeout: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One HTTP/1.1 request on a connection of its own. Throws EnvironmentError when there is no answer. */
export function fetchText(target: HttpTarget): Promise<{ readonly status: number; readonly body: string }> {
  const { host, port, method, path, timeout, headers } = target;
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown): void =>
      reject(
        new EnvironmentError("agent-http", `${method} http://${host}:${port}${path}: ${errorText(cause)}`, { cause }),
      );
    const call = request({ host, port, method, path, headers: { ...headers }, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", failed);
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    call.setTimeout(timeout, () => call.destroy(new Error(`no answer within ${timeout} ms`)));
    call.on("error", failed);
    call.end();
  });
}

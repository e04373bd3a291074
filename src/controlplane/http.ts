import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { limitConnections } from "../base/connection-limit.ts";
import { EnvironmentError, errorText, MeshError } from "../base/errors.ts";
import { BodyError } from "./bodies.ts";

/** An address to listen on: `:8080`, `127.0.0.1:8080`, `[::1]:8080`. Port 0 takes a free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Reads a listen address as Istio's flags write it; without a host it is `anyHost`. Undefined when it is none. */
export function parseListenAddress(text: string, anyHost: string): ListenAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  const host = match[1] ?? match[2] ?? "";
  return port > 65_535 ? undefined : { host: host === "" ? anyHost : host, port };
}

/** A listening HTTP server. */
export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens; `handle` may throw or reject, the client then sees 500. Throws EnvironmentError `port-in-use`. */
export async function listen(server: Server, address: ListenAddress): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  // A connection of any quality must not end the process.
  server.on("clientError", (_error, socket) => void socket.destroy());
  limitConnections(server);
  // Whoever sends a request byte by byte is cut off; Node looks for such every 30 s.
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      reject(
        new EnvironmentError("port-in-use", `cannot listen on ${address.host}:${address.port}: ${errorText(error)}`, {
          hint: "stop what listens there, or choose another port",
          cause: error,
        }),
      );
    });
    server.listen(address.port, address.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** What a handler answers. */
export interface Answer {
  readonly status: number;
  readonly body: string | Uint8Array;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Makes a request listener of a function; what it throws becomes 500 and is told to `onFault`. */
export function answering(
  handle: (request: IncomingMessage, url: URL) => Promise<Answer> | Answer,
  onFault: (error: unknown) => void,
): RequestListener {
  return (request, response) => {
    void respond(handle, request, response, onFault);
  };
}

async function respond(
  handle: (request: IncomingMessage, url: URL) => Promise<Answer> | Answer,
  request: IncomingMessage,
  response: ServerResponse,
  onFault: (error: unknown) => void,
): Promise<void> {
  let answer: Answer;
  try {
    answer = await handle(request, urlOf(request));
  } catch (error) {
    // Whoever went away in the middle of a request gets no answer, and it is nobody's defect.
    if (isAbort(error)) return;
    if (isBusy(error)) answer = { status: 429, body: "ask again later\n" };
    else if (error instanceof BodyError) answer = { status: error.status, body: `${error.message}\n` };
    else {
      onFault(error);
      answer = { status: 500, body: "internal error\n" };
    }
  }
  if (response.destroyed) return;
  // Of a request that was not read to its end the rest is still to come: such a connection serves no second one.
  if (!request.complete) response.setHeader("connection", "close");
  const contentType = answer.contentType ?? "text/plain; charset=utf-8";
  response.writeHead(answer.status, { ...answer.headers, "content-type": contentType });
  response.end(answer.body);
}

/** The client waits for too much already. */
function isBusy(error: unknown): boolean {
  return error instanceof MeshError && error.code === "busy";
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === "ECONNRESET";
}

/** Throws BodyError 400 for a target that is no address, as `http://[`. */
function urlOf({ url = "/" }: IncomingMessage): URL {
  const base = "http://localhost";
  // istioctl asks for //version, which as a whole address would be a host of that name
  const path = url.replace(/^\/+/, "/");
  if (URL.canParse(path, base)) return new URL(path, base);
  throw new BodyError(400, "expected an address that can be read");
}

/** Content type of JSON. */
export const JSON_TYPE = "application/json";

/** An answer of JSON; indented when asked for. */
export function json(value: unknown, isPretty = false): Answer {
  return { status: 200, body: `${JSON.stringify(value, null, isPretty ? 2 : 0)}\n`, contentType: JSON_TYPE };
}

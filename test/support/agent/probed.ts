import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTls } from "node:https";
import { createServer as createTcp, type Server } from "node:net";
import { Server as GrpcServer, ServerCredentials } from "@grpc/grpc-js";
import { bytesMethod } from "../../../src/grpc/server.ts";
import { createRoot, issueServing } from "../../../src/pki/ca.ts";
import type { Container } from "../../../src/resources/core.ts";

/** Ports by name, as the containers that are probed declare them. */
export const PROBED_PORTS = [
  { name: "health", containerPort: 9090 },
  { name: "raw", containerPort: 9092 },
];

/** What the kubelet asks of an injected container, port and path, sorted. */
export function askedOf(container: Container): readonly string[] {
  const text = JSON.stringify(container);
  return [...text.matchAll(/"path":"([^"]+)","port":(\d+)/g)].map(([, path, port]) => `:${port}${path}`).toSorted();
}

/** What is probed: HTTP on 9090, HTTPS on 9443, gRPC on 9091, bytes on 9092. */
export interface Probed {
  /** Paths of HTTP and services of gRPC that were asked for. */
  readonly seen: readonly string[];
  isWell: boolean;
  close(): Promise<void>;
}

/** Where it listens: a unix socket, and who hands a port of the pod to it. */
export interface Place {
  socket(): string;
  listen(port: number, path: string): Promise<void>;
}

/** Listens on ports of the pod. */
export async function startProbed(place: Place, open: { close(): unknown }[]): Promise<Probed> {
  const seen: string[] = [];
  const state = { seen, isWell: true };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    seen.push(request.url ?? "");
    response.writeHead(state.isWell ? 200 : 503).end();
  };
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  const { certificate, key } = await issueServing(await createRoot("nobody.local", validity), { dns: ["x"] }, validity);
  const servers: readonly (readonly [Server, number])[] = [
    [createServer(answer), 9090],
    [createTls({ cert: certificate, key: key.pem() }, answer), 9443],
    [createTcp((socket) => socket.on("error", () => socket.destroy()).end()), 9092],
  ];
  for (const [server, port] of servers) {
    const path = place.socket();
    await new Promise<void>((resolve) => void server.listen(path, resolve));
    await place.listen(port, path);
  }
  const path = place.socket();
  const grpc = await startGrpc(path, state, seen);
  await place.listen(9091, path);
  const close = async (): Promise<void> => {
    grpc.forceShutdown();
    await Promise.all(servers.map(([server]) => new Promise((resolve) => server.close(resolve))));
  };
  open.push({ close });
  return Object.assign(state, { close });
}

/** Health by the gRPC protocol for it: field 1 is 1 for SERVING, 2 for NOT_SERVING. */
async function startGrpc(path: string, state: { readonly isWell: boolean }, seen: string[]): Promise<GrpcServer> {
  const server = new GrpcServer();
  server.addService(
    { Check: bytesMethod("/grpc.health.v1.Health/Check", { request: false, response: false }) },
    {
      Check: (call: { request: Buffer }, answer: (error: null, value: Buffer) => void) => {
        seen.push(call.request.subarray(2).toString());
        answer(null, Buffer.from([0x08, state.isWell ? 1 : 2]));
      },
    },
  );
  await new Promise<void>((resolve, reject) => {
    const bound = (error: Error | null): void => (error === null ? resolve() : reject(error));
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), bound);
  });
  return server;
}

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTls } from "node:https";
import { createServer as createTcp, type Server } from "node:net";
import { Server as GrpcServer, ServerCredentials } from "@grpc/grpc-js";
import { bytesMethod } from "../../../src/grpc/server.ts";
import { inject } from "../../../src/inject/inject.ts";
import { createRoot, issueServing } from "../../../src/pki/ca.ts";
import type { Container } from "../../../src/resources/core.ts";
import { injectionContext } from "../injection.ts";

const HOST = "127.251.0.2";
const PORTS = [
  { name: "health", containerPort: 9090 },
  { name: "raw", containerPort: 9092 },
];

type Probes = Readonly<Record<string, object>>;

/** A pod with these containers' probes, injected: what the agent is told, and what the kubelet then asks (port and path), sorted. */
export function rewritten(containers: Probes): { readonly probers: string; readonly asked: readonly string[] } {
  const spec = {
    containers: Object.entries(containers).map(([name, probes]) => ({ name, image: name, ports: PORTS, ...probes })),
  };
  const { pod } = inject({ metadata: { name: "web-1", labels: { app: "web" } }, spec }, injectionContext());
  const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const proxy = all.find(({ name }) => name === "istio-proxy") as {
    readonly env: readonly { name: string; value: string }[];
  };
  const probers = proxy.env.find(({ name }) => name === "ISTIO_KUBE_APP_PROBERS")?.value ?? "";
  const asked = pod.spec.containers.filter(({ name }) => name !== "istio-proxy").flatMap(gets);
  return { probers, asked: asked.toSorted() };
}

function gets(container: Container): readonly string[] {
  const text = JSON.stringify(container);
  return [...text.matchAll(/"path":"([^"]+)","port":(\d+)/g)].map(([, path, port]) => `:${port}${path}`);
}

/** What is probed: HTTP on 9090, HTTPS on 9443, gRPC on 9091, bytes on 9092. */
export interface Probed {
  /** Paths of HTTP and services of gRPC that were asked for. */
  readonly seen: readonly string[];
  isWell: boolean;
  close(): Promise<void>;
}

/** Listens on the pod's application address. */
export async function startProbed(open: { close(): unknown }[]): Promise<Probed> {
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
  for (const [server, port] of servers) await new Promise<void>((resolve) => void server.listen(port, HOST, resolve));
  const grpc = await startGrpc(state, seen);
  const close = async (): Promise<void> => {
    grpc.forceShutdown();
    await Promise.all(servers.map(([server]) => new Promise((resolve) => server.close(resolve))));
  };
  open.push({ close });
  return Object.assign(state, { close });
}

/** Health by the gRPC protocol for it: field 1 is 1 for SERVING, 2 for NOT_SERVING. */
async function startGrpc(state: { readonly isWell: boolean }, seen: string[]): Promise<GrpcServer> {
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
    server.bindAsync(`${HOST}:9091`, ServerCredentials.createInsecure(), bound);
  });
  return server;
}

import { createServer, type RequestListener } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server } from "node:net";
import { Server as GrpcServer, ServerCredentials } from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import { probeTarget, readProbes, runProbe } from "../../src/agent/probe.ts";
import { bytesMethod } from "../../src/grpc/server.ts";

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const item of open.splice(0)) item.close();
});

const TARGET = { address: "127.0.0.1", source: "127.0.0.6" };

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => void server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  open.push(server);
  return (server.address() as AddressInfo).port;
}

async function http(handler: RequestListener): Promise<number> {
  return listen(createServer(handler));
}

async function run(action: Readonly<Record<string, unknown>>, headers: Readonly<Record<string, string>> = {}) {
  const { probes, problems } = readProbes({ "/app-health/web/readyz": action });
  expect(problems).toEqual([]);
  return runProbe(probes.get("/app-health/web/readyz")!, TARGET, headers);
}

test("an HTTP probe passes the application's status and body, with its own headers and the kubelet's", async () => {
  const port = await http((request, response) => {
    const { "x-one": one, "user-agent": agent, host } = request.headers;
    response.statusCode = 503;
    response.end(JSON.stringify([request.url, one, agent, host, request.socket.remoteAddress]));
  });
  const httpGet = {
    path: "/ready?full=1",
    port,
    httpHeaders: [
      { name: "X-One", value: "1" },
      { name: "Host", value: "web.shop" },
    ],
  };
  const answer = await run({ httpGet }, { "user-agent": "kube-probe/1.36", host: "10.0.0.1:15020" });
  expect(answer.status).toBe(503);
  expect(JSON.parse(answer.body)).toEqual(["/ready?full=1", "1", "kube-probe/1.36", "web.shop", "127.0.0.6"]);
});

test.each([
  ["on the same host are followed", (port: number) => `http://app:${port}/there`, 204],
  ["by a path are followed", () => "/there", 204],
  ["to another host are success", () => "https://login.example.com/", 200],
  ["in a circle are failure", () => "/here", 500],
])("redirects %s", async (_name, location, status) => {
  const port: number = await http((request, response) => {
    if (request.url === "/there") response.writeHead(204).end();
    else response.writeHead(302, { location: location(port) }).end();
  });
  expect((await run({ httpGet: { path: "/here", port } })).status).toBe(status);
});

test("silence for longer than the timeout is failure, and a long body is cut", async () => {
  const silent = await http(() => undefined);
  expect(await run({ httpGet: { port: silent }, timeoutSeconds: 1 })).toMatchObject({ status: 500 });
  const long = await http((_request, response) => response.end("x".repeat(100_000)));
  const answer = await run({ httpGet: { port: long } });
  expect([answer.status, answer.body.length]).toEqual([200, 10 * 1024]);
});

test("a TCP probe asks whether the port is open", async () => {
  const server = createTcpServer((socket) => socket.end());
  const port = await listen(server);
  expect(await run({ tcpSocket: { port } })).toEqual({ status: 200, body: "" });
  server.close();
  expect(await run({ tcpSocket: { port } })).toEqual({ status: 500, body: "" });
});

test("a gRPC probe wants SERVING of the service it names", async () => {
  const server = new GrpcServer();
  const asked: string[] = [];
  server.addService(
    { Check: bytesMethod("/grpc.health.v1.Health/Check", { request: false, response: false }) },
    {
      Check: (call: { request: Buffer }, answer: (error: null, value: Buffer) => void) => {
        asked.push(call.request.subarray(2).toString());
        answer(null, Buffer.from([0x08, call.request.length === 0 ? 1 : 2]));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  open.push({ close: () => server.forceShutdown() });
  expect((await run({ grpc: { port } })).status).toBe(200);
  expect((await run({ grpc: { port, service: "shop.Cart" } })).status).toBe(500);
  expect(asked).toEqual(["", "shop.Cart"]);
  server.forceShutdown();
  expect((await run({ grpc: { port } })).status).toBe(500);
});

test("what is no probe is named, never run", () => {
  const { probes, problems } = readProbes({
    "/app-health/web/livez": { httpGet: { port: "http" } },
    "/app-health/web/other": { httpGet: { port: 80 } },
    "/app-health/web/readyz": { exec: { command: ["true"] } },
    "/app-lifecycle/web/prestopz": { httpGet: { port: 80, path: "bye" } },
  });
  expect([...probes]).toEqual([["/app-lifecycle/web/prestopz", expect.objectContaining({ path: "/bye" })]]);
  expect(problems).toHaveLength(3);
});

test("the source address is the one that capture rules let pass", () => {
  expect(probeTarget("10.1.2.3", false).source).toBe("127.0.0.6");
  expect(probeTarget("fd00::1", false).source).toBe("::6");
  expect(probeTarget("127.3.0.2", true).source).toBeUndefined();
});

test("schemes are read in any case, and a TCP probe goes where its host points", async () => {
  const port = await http((_request, response) => response.end());
  expect((await run({ httpGet: { port, scheme: "http" } })).status).toBe(200);
  expect((await run({ httpGet: { port, scheme: "https" } })).status).toBe(500);
  expect((await run({ tcpSocket: { port, host: "127.0.0.1" } })).status).toBe(200);
  // nobody listens there
  expect((await run({ tcpSocket: { port, host: "127.0.0.7" } })).status).toBe(500);
});

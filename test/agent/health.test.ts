import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { readConfig } from "../../src/agent/config.ts";
import type { AgentConfig } from "../../src/agent/config.ts";
import type { NameTable } from "../../src/agent/dns/names.ts";
import { createEnvoyAdmin, fetchText } from "../../src/agent/envoy-admin.ts";
import { createHealth } from "../../src/agent/health.ts";
import { createMetrics } from "../../src/agent/metrics.ts";
import { scrapeTargets } from "../../src/agent/scrape.ts";
import { silentLogger } from "../../src/base/logger.ts";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const item of open.splice(0).reverse()) await item.close();
});

const LIVE =
  "cluster_manager.cds.update_success: 1\nlistener_manager.lds.update_success: 1\nlistener_manager.workers_started: 1\nserver.state: 0\n";

async function standIn(answers: Readonly<Record<string, string>>): Promise<number> {
  const server = createServer((request, response) => {
    const body = answers[(request.url ?? "").split("?")[0] ?? ""];
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  await new Promise<void>((resolve) => void server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  open.push({ close: () => server.close() });
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const port = await standIn({});
  await open.pop()?.close();
  return port;
}

async function start(
  change: (config: AgentConfig) => Partial<AgentConfig>,
  more: { readonly port?: number; readonly names?: () => NameTable | undefined } = {},
) {
  const env = { POD_NAME: "web-1", POD_NAMESPACE: "shop", INSTANCE_IP: "127.0.0.1" };
  const base = readConfig({ args: ["sidecar"], env, readFile: () => undefined, version: "0" });
  const { port, names } = more;
  const status = port ?? (await freePort());
  const config: AgentConfig = { ...base, ...change(base) };
  const own = {
    ...config,
    ports: { ...config.ports, status },
    addresses: { ...config.addresses, listen: "127.0.0.1" },
  };
  const asked: string[] = [];
  let level = "info";
  const health = createHealth({
    config: own,
    admin: createEnvoyAdmin("127.0.0.1", own.ports.admin),
    metrics: createMetrics("0.1.0"),
    ask: (event) => asked.push(event),
    log: silentLogger,
    names,
    logLevel: {
      get: () => level,
      set: (name) => {
        if (name !== "debug") return false;
        level = name;
        return true;
      },
    },
  });
  await health.start();
  open.push(health);
  const ask = (path: string, method = "GET") =>
    fetchText({ host: "127.0.0.1", port: status, path, method, timeout: 2_000 });
  return { ask, asked, status };
}

test("ready as Envoy's statistics say; an Envoy that does not answer is not ready", async () => {
  const stats: Record<string, string> = { "/stats": "server.state: 2\n" };
  const admin = await standIn(stats);
  const { ask } = await start((base) => ({ ports: { ...base.ports, admin } }));
  expect(await ask("/healthz/ready")).toEqual({ status: 503, body: "no clusters and listeners from meshd yet\n" });
  stats["/stats"] = LIVE;
  expect(await ask("/healthz/ready")).toEqual({ status: 200, body: "" });
  stats["/stats"] = "server.state: 1\n";
  expect((await ask("/healthz/ready")).status).toBe(503);
  const gone = await start((base) => ({ ports: { ...base.ports, admin: 1 } }));
  expect(await gone.ask("/healthz/ready")).toEqual({ status: 503, body: "Envoy does not answer\n" });
});

test("where the agent answers DNS queries it is not ready without names, and shows them", async () => {
  const admin = await standIn({ "/stats": LIVE });
  let table: NameTable | undefined;
  const { ask } = await start((base) => ({ ports: { ...base.ports, admin } }), { names: () => table });
  expect(await ask("/healthz/ready")).toEqual({ status: 503, body: "no names from meshd yet\n" });
  expect((await ask("/debug/ndsz")).body).toBe("{}\n");
  table = { table: { "db.internal": { ips: ["240.240.0.1"] } } };
  expect((await ask("/healthz/ready")).status).toBe(200);
  expect(JSON.parse((await ask("/debug/ndsz")).body)).toEqual(table);
  const without = await start((base) => ({ ports: { ...base.ports, admin } }));
  expect((await without.ask("/debug/ndsz")).status).toBe(404);
});

test("metrics of agent, Envoy and application in one text, no end mark between them; a part that fails is left out", async () => {
  const admin = await standIn({ "/stats/prometheus": "envoy_up 1\n" });
  const app = await standIn({ "/m": "app_up 1\n# EOF\n" });
  const { ask, status } = await start((base) => ({
    ports: { ...base.ports, admin },
    scrape: {
      scrape: "true",
      targets: [
        { port: app, path: "/m" },
        { port: 1, path: "/none" },
      ],
    },
  }));
  const { body } = await ask("/stats/prometheus");
  expect(body).toMatch(/^# HELP istio_agent_num_outgoing_requests/);
  expect(body).toMatch(/istio_build\{component="agent",tag="0.1.0"\} 1\n[\s\S]*envoy_up 1\napp_up 1\n$/);
  expect((await ask("/metrics")).body).toContain("envoy_up 1");
  const zipped = await fetch(`http://127.0.0.1:${status}/metrics`, { headers: { "accept-encoding": "gzip" } });
  expect(zipped.headers.get("content-encoding")).toBe("gzip");
  expect(await zipped.text()).toContain("app_up 1");
});

test("OpenMetrics when the one application speaks it and the scraper takes it: one end mark, no empty line", async () => {
  const admin = await standIn({ "/stats/prometheus": "# TYPE envoy_up gauge\nenvoy_up 1\n\n" });
  const asked: (string | undefined)[] = [];
  const type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
  const server = createServer((request, response) => {
    asked.push(request.headers.accept);
    response.writeHead(200, { "content-type": type }).end("# TYPE jobs counter\njobs_total 3\n# EOF\n");
  });
  await new Promise<void>((resolve) => void server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  open.push({ close: () => server.close() });
  const { port } = server.address() as AddressInfo;
  const { status } = await start((base) => ({ ports: { ...base.ports, admin }, scrape: { scrape: true, port } }));
  const accept =
    "application/vnd.google.protobuf;q=0.7, application/openmetrics-text;version=1.0.0;q=0.5, text/plain;q=0.3";
  const answer = await fetch(`http://127.0.0.1:${status}/metrics`, { headers: { accept } });
  expect(answer.headers.get("content-type")).toBe(type);
  const text = await answer.text();
  expect(text).toMatch(/\nenvoy_up 1\n# TYPE jobs counter\njobs_total 3\n# EOF\n$/);
  expect(text).not.toContain("\n\n");
  expect(asked).toEqual(["application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3"]);
});

test("a big body passes through without being held, and one that breaks off leaves its whole lines", async () => {
  const admin = await standIn({ "/stats/prometheus": "envoy_up 1\n" });
  const line = `big{l="é${"x".repeat(200)}"} 1\n`;
  const wanted = 200_000;
  let most = 0;
  const server = createServer((_request, response) => {
    response.writeHead(200);
    let sent = 0;
    const more = (): void => {
      while (sent < wanted) {
        sent += 1;
        if (!response.write(line)) break;
      }
      if (sent < wanted) response.once("drain", more);
      // Broken off in the middle of a line.
      else response.write('cut{l="', () => response.socket?.end());
    };
    more();
  });
  await new Promise<void>((resolve) => void server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  open.push({ close: () => server.close() });
  const { port } = server.address() as AddressInfo;
  const { status, ask } = await start((base) => ({ ports: { ...base.ports, admin }, scrape: { scrape: true, port } }));
  const before = process.memoryUsage().arrayBuffers;
  const answer = await fetch(`http://127.0.0.1:${status}/metrics`);
  let [size, tail] = [0, ""];
  const decoder = new TextDecoder();
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    tail = (tail + decoder.decode(chunk, { stream: true })).slice(-300);
  }
  // What was on its way when the connection broke may be lost.
  expect(size).toBeGreaterThan(0.99 * wanted * Buffer.byteLength(line));
  expect(tail.endsWith(line)).toBe(true);
  expect(most).toBeLessThan((wanted * line.length) / 2);
  expect((await ask("/metrics")).body).toContain('istio_agent_scrape_failures_total{type="application"} 1');
});

test("the agent's log level is told and changed while it runs", async () => {
  const { ask } = await start(() => ({}));
  expect(await ask("/logging")).toEqual({ status: 200, body: "info\n" });
  expect(await ask("/logging?level=debug", "POST")).toEqual({ status: 200, body: "debug\n" });
  expect((await ask("/logging?level=loud", "POST")).status).toBe(400);
  expect((await ask("/logging?level=error")).body).toBe("debug\n");
});

test("probes of the application run at their path; unknown paths answer 404", async () => {
  const app = await standIn({ "/ok": "fine" });
  const { ask } = await start(() => ({
    appAddress: "127.0.0.1",
    appProbers: { "/app-health/web/livez": { httpGet: { path: "/ok", port: app } } },
  }));
  expect(await ask("/app-health/web/livez")).toEqual({ status: 200, body: "fine" });
  expect((await ask("/app-health/web/readyz")).status).toBe(404);
});

test("drain and quit are POSTs", async () => {
  const { ask, asked } = await start(() => ({}));
  expect((await ask("/drain")).status).toBe(405);
  expect((await ask("/drain", "POST")).status).toBe(200);
  expect((await ask("/quitquitquit", "POST")).status).toBe(200);
  expect(asked).toEqual(["drain-only", "quit"]);
});

test("garbage at the port ends its own connection and nothing else", async () => {
  const { ask, asked, status } = await start(() => ({}));
  const end = "\r\nHost: a\r\n";
  const texts = [
    "\u0016\u0003\u0001\u0002\u0000 no HTTP at all\r\n\r\n",
    `GET http://[ HTTP/1.1${end}\r\n`,
    `POST /logging?level=%zz HTTP/1.1${end}\r\n`,
    `POST //logging?level=[ HTTP/1.1${end}\r\n`,
    `GET /debug/ndsz?%00 HTTP/1.1${end}\r\n`,
    `GET /metrics HTTP/1.1${end}X: ${"x".repeat(100_000)}\r\n\r\n`,
    `POST /quitquitquit HTTP/1.1${end}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `GET /healthz/ready HTTP/1.1${end}Content-Length: -1\r\n\r\n`,
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  ];
  await Promise.all(
    texts.map(
      (text) =>
        new Promise<void>((resolve) => {
          const socket = connect(status, "127.0.0.1", () => socket.end(text));
          socket.on("error", () => undefined);
          socket.on("close", () => resolve());
          socket.resume();
        }),
    ),
  );
  expect(asked).toEqual([]);
  expect((await ask("/logging")).body).toBe("info\n");
});

test("a port in use is an error in words", async () => {
  const taken = await standIn({});
  await expect(start(() => ({}), { port: taken })).rejects.toThrow(`cannot listen on 127.0.0.1:${taken}: EADDRINUSE`);
});

test.each([
  [undefined, []],
  [{ scrape: "false", port: "9090" }, []],
  [{ scrape: "true", port: "9090", path: "/m" }, [{ port: 9090, path: "/m" }]],
  [{ scrape: "true", port: "9090" }, [{ port: 9090, path: "/metrics" }]],
  [{ scrape: "true" }, [{ port: 80, path: "/metrics" }]],
  [{ scrape: "true", port: "15020" }, []],
  [{ scrape: "true", targets: [{ port: 1 }, { port: 15090 }, { port: "x" }] }, [{ port: 1, path: "/metrics" }]],
])("scrape targets of %j", (annotations, expected) => {
  expect(scrapeTargets(annotations)).toEqual(expected);
});

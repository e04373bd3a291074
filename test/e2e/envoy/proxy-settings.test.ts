import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { proxySettings } from "../../../src/model/proxy-settings.ts";
import { createRoot } from "../../../src/pki/ca.ts";
import { testEnvoy } from "../../support/envoy/binary.ts";
import { type EchoApp, startEchoApp } from "../../support/envoy/echo-app.ts";
import { freePorts } from "../../support/envoy/free-ports.ts";
import { startProxy, type TestProxy } from "../../support/envoy/mesh-pair.ts";
import { waitFor } from "../../support/wait.ts";
import { peer, type XdsCase, xdsCase } from "../../support/xds-case.ts";

// A gateway whose own configuration says what stands before it and what it adds: real requests, byte by byte.
const CONFIG = {
  proxyHeaders: {
    server: { value: "edge" },
    requestId: { disabled: true },
    attemptCount: { disabled: true },
    envoyDebugHeaders: { disabled: true },
    preserveHttp1HeaderCase: true,
    xForwardedPort: { enabled: true },
  },
  gatewayTopology: { numTrustedProxies: 1, proxyProtocol: {} },
  connectionSettings: { profile: "EDGE", httpMergeSlashes: false },
};
const CLUSTER = "outbound|80||echo.shop.svc.cluster.local";

let app: EchoApp;
let plain: TestProxy;
let edge: TestProxy;
let ports: { plain: number; edge: number };

beforeAll(async () => {
  const binary = await testEnvoy();
  const [one = 0, two = 0] = await freePorts(2);
  ports = { plain: one, edge: two };
  app = await startEchoApp({ host: "127.0.0.1", port: 0 });
  const hour = 3_600_000;
  const validity = { notBefore: new Date(Date.now() - hour), notAfter: new Date(Date.now() + hour) };
  const ca = await createRoot("cluster.local", validity);
  const start = (port: number, config: unknown): Promise<TestProxy> =>
    startProxy(binary, { ca, peer: peer({ workload: "gateway", ns: "istio-system" }), xds: gateway(port, config) });
  [plain, edge] = await Promise.all([start(ports.plain, {}), start(ports.edge, CONFIG)]);
  await waitFor(() => say(ports.plain, get("/")), { what: "a gateway" });
  await waitFor(() => say(ports.edge, `${PROXY}${get("/")}`), { what: "a gateway with settings" });
});

afterAll(async () => {
  await plain?.stop();
  await edge?.stop();
  app?.close();
});

/** From 192.0.2.7, says the load balancer. */
const PROXY = "PROXY TCP4 192.0.2.7 203.0.113.1 4711 80\r\n";

function get(path: string, ...headers: readonly string[]): string {
  return [`GET ${path} HTTP/1.1`, "Host: echo.shop", "Connection: close", ...headers, "", ""].join("\r\n");
}

test("the client is who the PROXY protocol names, and the last hop before it is believed", async () => {
  const { headers } = await say(ports.edge, `${PROXY}${get("/", "X-Forwarded-For: 198.51.100.9")}`);
  expect(headers).toMatchObject({
    "x-forwarded-for": "198.51.100.9,192.0.2.7",
    "x-envoy-external-address": "198.51.100.9",
  });
  // what the client itself says stands before what the last hop added, and is not believed
  const forged = await say(ports.edge, `${PROXY}${get("/", "X-Forwarded-For: 10.9.9.9, 198.51.100.9")}`);
  expect(forged.headers["x-envoy-external-address"]).toBe("198.51.100.9");
  await expect(say(ports.edge, get("/"))).rejects.toThrow(/closed|ECONNRESET/);
  const believed = await say(ports.plain, get("/", "X-Forwarded-For: 198.51.100.9"));
  expect(believed.headers["x-envoy-external-address"]).toBe("127.0.0.1");
});

test("headers that the proxy adds on its own", async () => {
  const usual = await say(ports.plain, get("/"));
  expect(Object.keys(usual.headers)).toEqual(expect.arrayContaining(["x-request-id", "x-envoy-attempt-count"]));
  expect(usual.answer).toMatch(/^server: istio-envoy\r$[\s\S]*/m);
  expect(usual.answer).toContain("x-envoy-upstream-service-time");
  const set = await say(ports.edge, `${PROXY}${get("/")}`);
  const names = Object.keys(set.headers);
  expect(names.filter((name) => /^x-request-id|attempt-count/.test(name))).toEqual([]);
  expect(set.headers["x-forwarded-port"]).toBe("80");
  expect(set.answer).toMatch(/^server: edge\r$/m);
  expect(set.answer).not.toContain("x-envoy-upstream-service-time");
});

test("HTTP/1 headers keep their letters", async () => {
  expect((await say(ports.edge, `${PROXY}${get("/")}`)).answer).toMatch(/^Content-Length: /m);
  expect((await say(ports.plain, get("/"))).answer).toMatch(/^content-length: /m);
});

test("the profile for the edge refuses what is ambiguous; what is set counts more", async () => {
  expect((await say(ports.edge, `${PROXY}${get("/", "under_score: 1")}`)).status).toBe(400);
  expect((await say(ports.plain, get("/", "under_score: 1"))).status).toBe(200);
  expect((await say(ports.edge, `${PROXY}${get("/a%2Fb")}`)).status).toBe(307);
  expect((await say(ports.plain, get("/a%2Fb"))).status).toBe(200);
  expect((await say(ports.edge, `${PROXY}${get("/a//b")}`)).status).toBe(200);
});

test("Envoy refused nothing", () => {
  expect([...plain.refusals, ...edge.refusals]).toEqual([]);
});

interface Answer {
  readonly status: number;
  /** Head of the answer, as it came. */
  readonly answer: string;
  /** What the application saw. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Sends bytes, reads the answer to its end. */
function say(port: number, text: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let got = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.setTimeout(5_000, () => socket.destroy(new Error("no answer")));
    socket.on("data", (chunk: Buffer) => {
      got += chunk.toString();
      // what it refuses Envoy closes late
      if (isWhole(got)) socket.destroy();
    });
    socket.on("error", reject);
    socket.on("close", () => {
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(got)?.[1]);
      if (Number.isNaN(status)) return reject(new Error("closed without an answer"));
      const [answer = ""] = got.split("\r\n\r\n");
      const body = /\{.*\}/.exec(got)?.[0];
      const seen = body === undefined ? {} : (JSON.parse(body) as { headers: Answer["headers"] }).headers;
      resolve({ status, answer, headers: seen });
    });
  });
}

function isWhole(text: string): boolean {
  const [head = "", ...body] = text.split("\r\n\r\n");
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  return length !== undefined && body.join("").length >= Number(length);
}

function gateway(port: number, config: unknown): XdsCase {
  const settings = proxySettings(config, "router");
  const to = { clusters: [{ cluster: CLUSTER, weight: 1 }] };
  const name = `127.0.0.1_${port}`;
  return xdsCase({
    proxy: { type: "router", ...(settings === undefined ? {} : { settings }) },
    clusters: [{ name: CLUSTER, protocol: "http" }],
    endpoints: [{ cluster: CLUSTER, endpoints: [{ address: "127.0.0.1", port: app.port }] }],
    gateways: [
      {
        name,
        address: "127.0.0.1",
        port,
        kind: "http",
        chains: [{ serverNames: [], routeTable: "http.80", clusters: [] }],
      },
    ],
    routes: [{ name: "http.80", hosts: [{ name: "any", domains: ["*"], routes: [{ action: to }] }] }],
  });
}

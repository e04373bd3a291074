import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildRules } from "../../../src/agent/iptables.ts";
import { captureArgs } from "../../../src/agent/iptables-args.ts";
import { applyIptables } from "../../../src/agent/iptables-command.ts";
import { applyScript } from "../../../src/agent/iptables-script.ts";
import { systemIptables } from "../../../src/agent/iptables-tools.ts";
import { createRoot } from "../../../src/pki/ca.ts";
import { testEnvoy } from "../../support/envoy/binary.ts";
import type { Echoed } from "../../support/envoy/client.ts";
import { shownByEnvoy } from "../../support/envoy/config-dump.ts";
import { startProxy, type TestProxy } from "../../support/envoy/mesh-pair.ts";
import {
  AS_PROXY,
  AS_TRANSPARENT_PROXY,
  createNetnsPair,
  type NetnsPair,
  netnsProblem,
} from "../../support/envoy/netns.ts";
import { findSample } from "../../support/envoy/prometheus.ts";
import { waitFor } from "../../support/wait.ts";
import { peer, type XdsCase, xdsCase } from "../../support/xds-case.ts";

// Captured traffic: the agent's iptables rules in two network namespaces, virtualOutbound and virtualInbound from our bytes.
const problem = netnsProblem();
if (problem !== undefined && process.env["CI"] !== undefined) throw new Error(`network namespaces: ${problem}`);
if (problem !== undefined) console.warn(`skipped: captured traffic ${problem}`); // oxlint-disable-line no-console

const HOST = "echo.shop.svc.cluster.local";
const VIP = "10.96.0.10";
const WEB = peer({ workload: "web-v1", ns: "shop", app: "web" });
const ECHO = peer({ workload: "echo-v1", ns: "shop", app: "echo" });
const web = "spiffe://cluster.local/ns/shop/sa/web";

const ALL = { "istio-inbound-ports": "*", "istio-service-cidr": "*" };

const at = (host: string, port: number): { host: string; port: number; authority: string } => ({
  host,
  port,
  authority: HOST,
});

function lastingADay(): { notBefore: Date; notAfter: Date } {
  const day = 24 * 3_600_000;
  return { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
}

describe.skipIf(problem !== undefined)("captured traffic", () => {
  let net: NetnsPair;
  let client: TestProxy;
  let server: TestProxy;

  beforeAll(async () => {
    const binary = await testEnvoy();
    net = createNetnsPair();
    const rules = applyScript(buildRules(captureArgs(ALL), "ipv4"), "");
    const ca = await createRoot("cluster.local", lastingADay());
    await net.server.serve(80, 7777, 8080, 9000);
    for (const side of [net.client, net.server]) side.restore(rules);
    const [under, within] = [net.server, net.client].map((side) => [...side.enter, ...AS_PROXY]);
    server = await startProxy(binary, { ca, peer: ECHO, xds: serverSide(), under: under ?? [] });
    client = await startProxy(binary, { ca, peer: WEB, xds: clientSide(net.server.address), under: within ?? [] });
    await waitFor(() => net.client.call("http1", at(VIP, 80), "/"), { what: "the first request", timeoutMs: 20_000 });
  });

  afterAll(async () => {
    await client?.stop();
    await server?.stop();
    net?.close();
  });

  test("HTTP to a service's address is routed, mutual TLS", async () => {
    const { status, body } = await net.client.call<{ status: number; body: Echoed }>("http1", at(VIP, 80), "/");
    expect(status).toBe(200);
    expect(body.headers["x-forwarded-client-cert"]).toContain(web);
    await findSample(server, "istio_requests_total", { source_workload: "web-v1", destination_service: HOST });
  });

  test("an undeclared port takes HTTP/2 and plain bytes", async () => {
    const seen = await net.client.call<Echoed>("http2", at(VIP, 7000), "/");
    expect(seen.protocol).toBe("2.0");
    expect(seen.headers["x-forwarded-client-cert"]).toContain(web);
    expect(await net.client.call("echo", at(VIP, 7000), "bytes\n")).toBe("bytes\n");
  });

  test("declared TCP goes through both proxies", async () => {
    expect(await net.client.call("echo", at("10.96.0.20", 9000), "ledger\n")).toBe("ledger\n");
    await findSample(server, "istio_tcp_connections_closed_total", {
      source_workload: "web-v1",
      connection_security_policy: "mutual_tls",
    });
  });

  test("what no service names passes through in plaintext, in both directions", async () => {
    const { body } = await net.client.call<{ body: Echoed }>("http1", at(net.server.address, 7777), "/");
    expect(body.headers["x-forwarded-client-cert"]).toBeUndefined();
    await findSample(server, "istio_requests_total", {
      destination_service_name: "InboundPassthroughCluster",
      connection_security_policy: "none",
    });
    await findSample(client, "istio_tcp_connections_opened_total", { destination_service_name: "PassthroughCluster" });
  });

  test("bytes that are no HTTP pass on a port of HTTP services", async () => {
    expect(await net.client.call("echo", at(net.server.address, 80), "smtp?\n")).toBe("smtp?\n");
  });

  test("STRICT resets plaintext; a capture port takes nothing", async () => {
    await expect(net.client.call("http1", at(net.server.address, 8080), "/", true)).rejects.toThrow(
      /socket hang up|ECONNRESET/,
    );
    await expect(net.client.call("http1", at(net.server.address, 15006), "/", true)).rejects.toThrow(
      /socket hang up|ECONNRESET/,
    );
    await expect(net.client.call("http1", at("127.0.0.1", 15001), "/")).rejects.toThrow(/socket hang up|ECONNRESET/);
  });

  test("Envoy shows what it was sent, field by field", async () => {
    for (const { name, sent, shown } of [
      ...(await shownByEnvoy(client, clientSide(net.server.address))),
      ...(await shownByEnvoy(server, serverSide())),
    ])
      expect(shown, name).toEqual(sent);
  });

  test("Envoy refused nothing of what it was sent", () => {
    expect([...client.refusals, ...server.refusals]).toEqual([]);
  });
});

describe.skipIf(problem !== undefined)("captured by TPROXY", () => {
  let net: NetnsPair;
  let client: TestProxy;
  let server: TestProxy;
  const xds = serverSide({ transparent: true });

  beforeAll(async () => {
    const binary = await testEnvoy();
    net = createNetnsPair();
    const ca = await createRoot("cluster.local", lastingADay());
    await net.server.serve(7777, 8080, 9000);
    net.client.restore(applyScript(buildRules(captureArgs(ALL), "ipv4"), ""));
    const flags = ["--network-namespace", net.server.path, "-m", "TPROXY", "-b", "*", "-i", "*"];
    const io = { out: () => undefined, env: {}, readFile: () => "", tools: systemIptables };
    expect(await applyIptables(flags, { ...io, verify: () => Promise.reject(new Error("not asked for")) })).toBe(0);
    server = await startProxy(binary, { ca, peer: ECHO, xds, under: [...net.server.enter, ...AS_TRANSPARENT_PROXY] });
    const seen = clientSide(net.server.address);
    client = await startProxy(binary, { ca, peer: WEB, xds: seen, under: [...net.client.enter, ...AS_PROXY] });
    await waitFor(() => net.client.call("http1", at(VIP, 80), "/"), { what: "the first request", timeoutMs: 20_000 });
  });

  afterAll(async () => {
    await client?.stop();
    await server?.stop();
    net?.close();
  });

  test("the application sees the address of a client that came by mutual TLS", async () => {
    const { body } = await net.client.call<{ body: Echoed }>("http1", at(VIP, 80), "/");
    expect(body.headers["x-forwarded-client-cert"]).toContain(web);
    expect(body.client).toMatch(net.client.address);
    expect((await net.client.call<Echoed>("http2", at(VIP, 7000), "/")).client).toMatch(net.client.address);
    expect(await net.client.call("echo", at("10.96.0.20", 9000), "ledger\n")).toBe("ledger\n");
  });

  test("and of one without a proxy, on a port that no service names; STRICT refuses it", async () => {
    const plain = await net.client.call<{ body: Echoed }>("http1", at(net.server.address, 7777), "/", true);
    expect(plain.body.client).toMatch(net.client.address);
    await expect(net.client.call("http1", at(net.server.address, 8080), "/", true)).rejects.toThrow(
      /socket hang up|ECONNRESET/,
    );
  });

  test("the pod's calls to itself are answered: direct ones, and those that its proxy hands to its own inbound side", async () => {
    for (const asProxy of [false, true]) {
      const { body } = await net.server.call<{ body: Echoed }>("http1", at(net.server.address, 7777), "/", asProxy);
      expect(body.client).toMatch(net.server.address);
      expect("x-request-id" in body.headers).toBe(asProxy);
    }
    const self = await net.server.call<{ body: Echoed }>("http1", at("127.0.0.1", 7777), "/");
    expect(self.body.client).toMatch("127.0.0.1");
  });

  test("Envoy shows what it was sent, and refused nothing", async () => {
    for (const { name, sent, shown } of await shownByEnvoy(server, xds)) expect(shown, name).toEqual(sent);
    expect(server.refusals).toEqual([]);
  });
});

const SERVICE = { host: HOST, name: "echo", namespace: "shop" };
const SPECIAL = [
  { name: "PassthroughCluster", discovery: "original-dst", protocol: "tcp" },
  { name: "BlackHoleCluster", discovery: "static", protocol: "tcp" },
  {
    name: "InboundPassthroughCluster",
    direction: "inbound",
    discovery: "original-dst",
    protocol: "tcp",
    sourceAddress: "127.0.0.6",
  },
];

function serverSide(more: { readonly transparent?: true } = {}): XdsCase {
  const port = (
    targetPort: number,
    protocol: string,
  ): { targetPort: number; protocol: string; cluster: string; mtls: string; service: object } => ({
    targetPort,
    protocol,
    cluster: `inbound|${targetPort}||`,
    mtls: "STRICT",
    service: { ...SERVICE, port: 80 },
  });
  const ports = [port(8080, "auto"), port(9000, "tcp")];
  return xdsCase({
    clusters: [
      ...SPECIAL,
      ...ports.map(({ cluster, protocol }) => ({
        name: cluster,
        direction: "inbound",
        discovery: "original-dst",
        protocol,
        sourceAddress: "127.0.0.6",
      })),
    ],
    inbound: { defaultMtls: "PERMISSIVE", ports, ...more },
  });
}

function clientSide(server: string): XdsCase {
  const outbound = (port: number): string => `outbound|${port}||${HOST}`;
  const to = (cluster: string): object => ({ clusters: [{ cluster, weight: 1 }] });
  const tls = { mode: "auto", sni: "echo", subjectAltNames: ["spiffe://cluster.local/ns/shop/sa/echo"] };
  const endpoint = (port: number): object => ({ address: server, port, tlsMode: "istio", peer: ECHO });
  const targets = [
    [80, "auto", 8080],
    [7000, "auto", 8080],
    [9000, "tcp", 9000],
  ] as const;
  return xdsCase({
    clusters: [
      ...SPECIAL,
      ...targets.map(([port, protocol]) => ({ name: outbound(port), protocol, tls, service: SERVICE })),
    ],
    endpoints: targets.map(([port, , target]) => ({ cluster: outbound(port), endpoints: [endpoint(target)] })),
    outbound: [
      { name: "virtualOutbound", port: 15001, bindToPort: true, kind: "capture" },
      { name: "0.0.0.0_80", port: 80, kind: "http", routeTable: "80" },
      { name: `${VIP}_7000`, address: VIP, port: 7000, kind: "auto", routeTable: "7000", ...to(outbound(7000)) },
      { name: "10.96.0.20_9000", address: "10.96.0.20", port: 9000, kind: "tcp", ...to(outbound(9000)) },
    ],
    routes: [
      { name: "80", hosts: [{ name: HOST, domains: [HOST], routes: [{ action: to(outbound(80)) }] }] },
      { name: "7000", hosts: [{ name: HOST, domains: ["*"], routes: [{ action: to(outbound(7000)) }] }] },
    ],
    inbound: {},
  });
}

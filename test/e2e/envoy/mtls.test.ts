import { connect as connectTls } from "node:tls";
import { Agent, get } from "node:https";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PEER_KEYS, type PeerLabels, peerLabel } from "../../../src/base/peer.ts";
import { type Ca, createRoot, signWorkload } from "../../../src/pki/ca.ts";
import { createCsr } from "../../../src/pki/create-csr.ts";
import { testEnvoy } from "../../support/envoy/binary.ts";
import { type EchoApp, startEchoApp } from "../../support/envoy/echo-app.ts";
import { echo, http1, http2, type Target } from "../../support/envoy/client.ts";
import { shownByEnvoy } from "../../support/envoy/config-dump.ts";
import { freePorts } from "../../support/envoy/free-ports.ts";
import { startProxy, type TestProxy } from "../../support/envoy/mesh-pair.ts";
import { findSample as find, samples } from "../../support/envoy/prometheus.ts";
import { waitFor } from "../../support/wait.ts";
import { peer, type XdsCase, xdsCase } from "../../support/xds-case.ts";

// Two real Envoys with identities from our CA, resources from our builders' bytes over ADS: one port takes HTTP/1, HTTP/2
// and plain bytes under mutual TLS, and both ends count them with all of the standard labels.
const HOST = "echo.shop.svc.cluster.local";
const AUTO = `outbound|80||${HOST}`;
const H1 = `outbound|80|h1|${HOST}`;
const H2 = `outbound|80|h2|${HOST}`;
const WEB = peer({
  workload: "web-v1",
  ns: "shop",
  canonical: "web",
  revision: "v1",
  app: "web",
  version: "v1",
  cluster: "Kubernetes",
});
const ECHO = peer({
  workload: "echo-v2",
  ns: "shop",
  canonical: "echo",
  revision: "v2",
  app: "echo",
  version: "v2",
  cluster: "Kubernetes",
});
const SPIFFE = (name: string): string => `spiffe://cluster.local/ns/shop/sa/${name}`;

let app: EchoApp;
let client: TestProxy;
let server: TestProxy;
let ports: { inbound: number; auto: number; routed: number };
let ca: Ca;

beforeAll(async () => {
  const binary = await testEnvoy();
  const [inbound = 0, auto = 0, routed = 0] = await freePorts(3);
  ports = { inbound, auto, routed };
  app = await startEchoApp({ host: "127.0.0.1", port: 0 });
  const day = 24 * 3_600_000;
  ca = await createRoot("cluster.local", {
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + day),
  });
  server = await startProxy(binary, { ca, peer: ECHO, xds: serverSide("STRICT") });
  client = await startProxy(binary, { ca, peer: WEB, xds: clientSide({}) });
  for (const port of Object.values(ports))
    await waitFor(() => echo(at(port), "").then(() => true), { what: `a listener at ${port}` });
});

afterAll(async () => {
  await client?.stop();
  await server?.stop();
  app?.close();
});

test("HTTP/1 goes through two sidecars under mutual TLS, and the application learns who called", async () => {
  const { status, body } = await http1(at(ports.auto), "/");
  expect(status).toBe(200);
  expect(body.protocol).toBe("1.1");
  const xfcc = String(body.headers["x-forwarded-client-cert"]);
  expect(xfcc).toContain(`By=${SPIFFE("echo")}`);
  expect(xfcc).toContain(`URI=${SPIFFE("web")}`);
});

test("HTTP/2 stays HTTP/2 over the same cluster and port", async () => {
  const seen = await http2(at(ports.auto), "/");
  expect(seen.protocol).toBe("2.0");
  expect(seen.headers["x-forwarded-client-cert"]).toContain(SPIFFE("web"));
});

test("plain bytes go over the same cluster and port", async () => {
  expect(await echo(at(ports.auto), "not HTTP at all\n")).toBe("not HTTP at all\n");
});

test("routes set the ALPN per target, weighted or not", async () => {
  // explicit h1 and h2 clusters have a static list; the auto one is set per request, by the route or the weighted cluster
  for (const path of ["/h1", "/h2", "/auto", "/mixed"]) {
    for (let turn = 0; turn < 8; turn += 1) {
      const { body } = await http1(at(ports.routed), path);
      const other = await http2(at(ports.routed), path);
      // a wrong ALPN makes the server take the request for plain bytes: it arrives, but nobody says who called
      for (const seen of [body, other]) expect(seen.headers["x-forwarded-client-cert"]).toContain(SPIFFE("web"));
    }
  }
  expect((await http1(at(ports.routed), "/h2")).body.protocol).toBe("2.0");
  expect((await http2(at(ports.routed), "/h1")).protocol).toBe("1.1");
});

test("STRICT refuses plaintext and takes it again in PERMISSIVE, while counting it as such", async () => {
  await expect(http1(at(ports.inbound), "/")).rejects.toThrow(/socket hang up|ECONNRESET/);
  server.update(serverSide("PERMISSIVE"));
  const { body } = await waitFor(() => http1(at(ports.inbound), "/"), { what: "plaintext to be taken" });
  expect(body.headers["x-forwarded-client-cert"]).toBeUndefined();
  const plain = await waitFor(
    async () =>
      (await samples(server, "istio_requests_total")).find((s) => s.labels["connection_security_policy"] === "none"),
    { what: "plaintext requests to be counted" },
  );
  expect(plain.labels["source_workload"]).toBe("unknown");
  expect(plain.labels["source_principal"]).toBe("unknown");
  // the counters of the listener that was replaced are still there
  expect((await samples(server, "istio_requests_total")).some((s) => s.labels["source_workload"] === "web-v1")).toBe(
    true,
  );
});

test("a server with the wrong identity gets nothing", async () => {
  client.update(clientSide({ sans: [SPIFFE("somebody-else")] }));
  await waitFor(async () => (await http1(at(ports.auto), "/")).status === 503, {
    what: "the wrong identity to be refused",
  });
  client.update(clientSide({}));
  await waitFor(async () => (await http1(at(ports.auto), "/")).status === 200, {
    what: "the right identity to be taken",
  });
});

test("of what has no destination every label says so", async () => {
  expect((await http1(at(ports.routed), "/nowhere")).status).toBe(404);
  const { labels: seen } = await find(client, "istio_requests_total", { response_code: "404" });
  const unknown = Object.keys(seen).filter((name) => name.startsWith("destination_"));
  expect(unknown).toHaveLength(11);
  expect(seen).toMatchObject({
    ...Object.fromEntries(unknown.map((name) => [name, "unknown"])),
    destination_canonical_revision: "latest",
    source_principal: "unknown",
    source_workload: WEB.workload,
  });
});

test("both ends count HTTP with all of Istio's labels", async () => {
  const both = { response_code: "200", request_protocol: "http", response_flags: "-", grpc_response_status: "" };
  const source = await find(client, "istio_requests_total", { response_code: "200" });
  expect(source.labels).toEqual({ ...labels("source", SERVICE), ...both, connection_security_policy: "unknown" });
  const destination = await find(server, "istio_requests_total", { connection_security_policy: "mutual_tls" });
  expect(destination.labels).toEqual({
    ...labels("destination", SERVICE),
    ...both,
    connection_security_policy: "mutual_tls",
  });
  for (const proxy of [client, server])
    for (const name of ["duration_milliseconds", "bytes"])
      await find(proxy, `istio_request_${name}_count`, { destination_workload: "echo-v2" });
});

test("both ends count TCP with all of Istio's labels", async () => {
  const both = { request_protocol: "tcp", response_flags: "-" };
  for (const name of ["opened", "closed"]) {
    const source = await find(client, `istio_tcp_connections_${name}_total`, { response_flags: "-" });
    expect(source.labels).toEqual({ ...labels("source", SERVICE), ...both, connection_security_policy: "unknown" });
    const destination = await find(server, `istio_tcp_connections_${name}_total`, {
      connection_security_policy: "mutual_tls",
    });
    expect(destination.labels).toEqual({
      ...labels("destination", SERVICE),
      ...both,
      connection_security_policy: "mutual_tls",
    });
  }
  const received = await find(server, "istio_tcp_received_bytes_total", { source_workload: "web-v1" });
  expect(received.value).toBe("not HTTP at all\n".length);
});

test("a connection that could not be made counts as opened, too", async () => {
  client.update(clientSide({ sans: [SPIFFE("somebody-else")] }));
  await waitFor(async () => (await http1(at(ports.auto), "/")).status === 503, {
    what: "the wrong identity to be refused",
  });
  await echo(at(ports.auto), "not HTTP at all\n").catch(() => undefined);
  const failed = await find(client, "istio_tcp_connections_opened_total", { response_flags: "UF,URX" });
  expect(failed.labels).toMatchObject({ destination_workload: "echo-v2", destination_principal: "unknown" });
  client.update(clientSide({}));
  await waitFor(async () => (await http1(at(ports.auto), "/")).status === 200, {
    what: "the right identity to be taken",
  });
});

// Whatever pods are labelled with: what the CA writes into the subject is what the other side's Envoy counts by.
test("labels of any text come out of a handshake as they went into the certificate", async () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 90 }),
    fc.string({ unit: fc.constantFrom(",", "=", "+", ";", '"', "\\", " ", "/", "#", "<"), maxLength: 9 }),
  );
  const raw = fc.record(Object.fromEntries(PEER_KEYS.map((key) => [key, fc.option(text, { nil: undefined })])));
  const dots = Object.fromEntries(PEER_KEYS.map((key, index) => [key, `${"a".repeat(index % 2)}${".".repeat(index)}`]));
  const peers = [dots, ...fc.sample(raw, 25)].map((values, index) => {
    const of = { ...values, workload: `w${index}-${values["workload"] ?? ""}` } as Record<string, string | undefined>;
    return peer(Object.fromEntries(PEER_KEYS.map((key) => [key, peerLabel(key, of[key])])));
  });
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  for (const labelled of peers) {
    const { csr, key } = await createCsr();
    const identity = { trustDomain: "cluster.local", namespace: "shop", serviceAccount: "web" };
    const cert = await signWorkload(ca, csr, { identity, peer: labelled, podUid: "uid" }, validity);
    expect(await getWith({ cert, key: key.pem() })).toBe(200);
  }
  const isSeen = async (): Promise<boolean> =>
    (await samples(server, "istio_requests_total")).some((s) => s.labels["source_workload"] === peers.at(-1)?.workload);
  await waitFor(isSeen, { what: "the last one to be counted" });
  const counted = await samples(server, "istio_requests_total");
  for (const labelled of peers) {
    const found = counted.find((s) => s.labels["source_workload"] === labelled.workload);
    expect(found?.labels).toMatchObject(side("source", labelled, "web"));
  }
});

function getWith(pair: { readonly cert: string; readonly key: string }): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const ALPNProtocols = ["istio-http/1.1", "istio", "http/1.1"];
    const agent = new Agent({ ...pair, ALPNProtocols, rejectUnauthorized: false });
    const sent = get({ host: "127.0.0.1", port: ports.inbound, agent, headers: { host: HOST } }, (answer) => {
      answer.resume();
      answer.on("end", () => {
        agent.destroy();
        resolve(answer.statusCode);
      });
    });
    sent.on("error", reject);
  });
}

test("Envoy shows what it was sent, field by field", async () => {
  for (const { name, sent, shown } of [
    ...(await shownByEnvoy(client, clientSide({}))),
    ...(await shownByEnvoy(server, serverSide("PERMISSIVE"))),
  ])
    expect(shown, name).toEqual(sent);
});

test("Envoy refused nothing of what it was sent", () => {
  expect([...client.refusals, ...server.refusals]).toEqual([]);
});

test("STRICT refuses a TLS downgrade, and TLS without a certificate", async () => {
  server.update(serverSide("STRICT"));
  const isPlain = () =>
    http1(at(ports.inbound), "/").then(
      () => true,
      () => false,
    );
  await waitFor(async () => !(await isPlain()), { what: "plaintext to be refused" });
  const handshake = (maxVersion: "TLSv1.1" | "TLSv1.2" | "TLSv1.3") =>
    new Promise<string>((resolve) => {
      const old = { minVersion: "TLSv1" as const, ciphers: "DEFAULT@SECLEVEL=0" };
      const options = { ...old, host: "127.0.0.1", port: ports.inbound, rejectUnauthorized: false };
      const socket = connectTls({ ...options, maxVersion, ALPNProtocols: ["istio"] });
      // with 1.3 the client is done before the server has looked for its certificate
      socket.on("secureConnect", () => socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
      socket.on("data", () => resolve("an answer"));
      socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    });
  expect(await handshake("TLSv1.1")).toBe("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
  // what is refused here is the missing certificate
  expect(await handshake("TLSv1.2")).toMatch(/HANDSHAKE_FAILURE|CERTIFICATE_REQUIRED/);
  expect(await handshake("TLSv1.3")).toMatch(/CERTIFICATE_REQUIRED/);
});

const SERVICE = { host: HOST, name: "echo", namespace: "shop" };

function labels(reporter: "source" | "destination", service: typeof SERVICE): Record<string, string> {
  return {
    reporter,
    ...side("source", WEB, "web"),
    ...side("destination", ECHO, "echo"),
    destination_service: service.host,
    destination_service_name: service.name,
    destination_service_namespace: service.namespace,
  };
}

function side(prefix: string, who: PeerLabels, account: string): Record<string, string> {
  return {
    [`${prefix}_workload`]: who.workload,
    [`${prefix}_canonical_service`]: who.canonical,
    [`${prefix}_canonical_revision`]: who.revision,
    [`${prefix}_workload_namespace`]: who.ns,
    [`${prefix}_principal`]: SPIFFE(account),
    [`${prefix}_app`]: who.app,
    [`${prefix}_version`]: who.version,
    [`${prefix}_cluster`]: who.cluster,
  };
}

function serverSide(mtls: "STRICT" | "PERMISSIVE"): XdsCase {
  const cluster = `inbound|${ports.inbound}||`;
  const application = { address: "127.0.0.1", port: app.port };
  return xdsCase({
    clusters: [{ name: cluster, direction: "inbound", discovery: "static", endpoints: [application] }],
    inbound: {
      bindAddress: "127.0.0.1",
      ports: [{ targetPort: ports.inbound, protocol: "auto", cluster, mtls, service: { ...SERVICE, port: 80 } }],
    },
  });
}

function clientSide({ sans = [SPIFFE("echo")] }: { sans?: readonly string[] }): XdsCase {
  const tls = { mode: "auto", sni: `outbound_.80_._.${HOST}`, subjectAltNames: sans };
  const protocols = { [AUTO]: "auto", [H1]: "http", [H2]: "grpc" };
  const endpoints = [{ address: "127.0.0.1", port: ports.inbound, tlsMode: "istio", peer: ECHO }];
  const forward = (...clusters: readonly string[]): unknown => ({
    clusters: clusters.map((cluster) => ({ cluster, weight: 1 })),
  });
  const to = (path: string, ...clusters: readonly string[]): unknown => ({
    match: { path: { kind: "prefix", value: path } },
    action: forward(...clusters),
  });
  return xdsCase({
    clusters: Object.entries(protocols).map(([name, protocol]) => ({ name, protocol, tls, service: SERVICE })),
    endpoints: Object.keys(protocols).map((cluster) => ({ cluster, endpoints })),
    outbound: [
      {
        name: "auto",
        address: "127.0.0.1",
        port: ports.auto,
        bindToPort: true,
        kind: "auto",
        routeTable: "auto",
        clusters: [{ cluster: AUTO, weight: 1 }],
      },
      {
        name: "routed",
        address: "127.0.0.1",
        port: ports.routed,
        bindToPort: true,
        kind: "http-proxy",
        routeTable: "routed",
      },
    ],
    routes: [
      { name: "auto", hosts: [{ name: "echo", domains: ["*"], routes: [{ action: forward(AUTO) }] }] },
      {
        name: "routed",
        hosts: [
          {
            name: "echo",
            domains: ["*"],
            routes: [to("/h1", H1), to("/h2", H2), to("/auto", AUTO), to("/mixed", AUTO, H1, H2)],
          },
        ],
      },
    ],
  });
}

function at(port: number): Target {
  return { host: "127.0.0.1", port, authority: HOST };
}

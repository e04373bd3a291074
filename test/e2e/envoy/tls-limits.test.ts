import { createServer as createSecureServer } from "node:tls";
import type { AddressInfo } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { terminatedTls } from "../../../src/compile/gateway-tls.ts";
import { generatedOptions } from "../../../src/model/generated-options.ts";
import { type MeshConfig, meshConfigOf } from "../../../src/model/mesh-config.ts";
import { type Ca, createRoot, issueServing, signWorkload } from "../../../src/pki/ca.ts";
import { createCsr } from "../../../src/pki/create-csr.ts";
import { testEnvoy } from "../../support/envoy/binary.ts";
import { http1 } from "../../support/envoy/client.ts";
import { type EchoApp, startEchoApp } from "../../support/envoy/echo-app.ts";
import { freePorts } from "../../support/envoy/free-ports.ts";
import { startProxy, type TestProxy } from "../../support/envoy/mesh-pair.ts";
import { waitFor } from "../../support/wait.ts";
import { peer, type XdsCase, xdsCase } from "../../support/xds-case.ts";

// What MeshConfig and COMPLIANCE_POLICY say about TLS, in real handshakes: at a workload's port, at a gateway's, and where the
// proxy is the client. For each one handshake that is allowed, one refused by its version and one by its suite or curve.

const HOST = "tls.example";
const OUT = "outbound|443||tls.example";
const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };

let ca: Ca;
let app: EchoApp;
let outside: ReturnType<typeof createSecureServer>;
let serverPair: { readonly cert: string; readonly key: string };
let clientPair: { readonly cert: string; readonly key: string };
let sidecar: TestProxy;
let gateway: TestProxy;
let ports: Readonly<Record<"mesh" | "gateway" | "out", number>>;

beforeAll(async () => {
  const binary = await testEnvoy();
  const [mesh = 0, atGateway = 0, out = 0] = await freePorts(3);
  ports = { mesh, gateway: atGateway, out };
  ca = await createRoot("cluster.local", validity);
  const serving = await issueServing(ca, { dns: [HOST] }, validity);
  serverPair = { cert: serving.certificate, key: serving.key.pem() };
  const { csr, key } = await createCsr();
  const identity = { trustDomain: "cluster.local", namespace: "shop", serviceAccount: "raw" };
  clientPair = {
    cert: await signWorkload(ca, csr, { identity, peer: peer({}), podUid: "" }, validity),
    key: key.pem(),
  };
  app = await startEchoApp({ host: "127.0.0.1", port: 0 });
  outside = await startOutside();
  const labels = (workload: string) => peer({ workload, ns: "shop", app: workload });
  [sidecar, gateway] = await Promise.all([
    startProxy(binary, { ca, peer: labels("server"), xds: sidecarSide("") }),
    startProxy(binary, { ca, peer: labels("gateway"), xds: gatewaySide("") }),
  ]);
  for (const port of [ports.mesh, ports.gateway])
    await waitFor(async () => (await handshake(port, {})) !== "ECONNREFUSED", { what: `a listener at ${port}` });
});

afterAll(async () => {
  await Promise.all([sidecar?.stop(), gateway?.stop()]);
  outside?.close();
  app?.close();
});

/** A server outside of the mesh, that takes what a test last said. */
function startOutside(): Promise<typeof outside> {
  const server = createSecureServer({ ...serverPair, ALPNProtocols: ["http/1.1"] }, (socket) => {
    socket.on("error", () => undefined);
    const body = JSON.stringify({ version: socket.getProtocol(), suite: socket.getCipher().standardName });
    socket.once("data", () => socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`));
  });
  server.on("tlsClientError", () => undefined);
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

type Policy = Parameters<typeof generatedOptions>[1];

function optionsOf(mesh: string, policy: Policy): { readonly config: MeshConfig; readonly options: object } {
  const config = meshConfigOf(mesh, "istio-system");
  return { config, options: { ...generatedOptions(config, policy), protocolDetectionTimeoutMs: 0 } };
}

function sidecarSide(mesh: string, policy?: Policy): XdsCase {
  const cluster = `inbound|${ports.mesh}||`;
  const endpoints = [{ address: "127.0.0.1", port: app.port }];
  return xdsCase({
    options: optionsOf(mesh, policy).options as Readonly<Record<string, unknown>>,
    clusters: [{ name: cluster, direction: "inbound", discovery: "static", endpoints }],
    inbound: {
      bindAddress: "127.0.0.1",
      ports: [{ targetPort: ports.mesh, protocol: "http", cluster, mtls: "STRICT" }],
    },
  });
}

/** A server with a certificate of its own, and a listener whose requests go out by TLS of a DestinationRule (SIMPLE). */
function gatewaySide(mesh: string, policy?: Policy): XdsCase {
  const { config, options } = optionsOf(mesh, policy);
  const tls = terminatedTls({ mode: "SIMPLE", credentialName: "web" }, config);
  const action = { clusters: [{ cluster: OUT, weight: 1 }] };
  const listener = (name: keyof typeof ports, more: object) => ({
    name: `127.0.0.1_${ports[name]}`,
    address: "127.0.0.1",
    port: ports[name],
    kind: "http",
    chains: [{ serverNames: [], routeTable: "http.80", clusters: [], ...more }],
  });
  return xdsCase({
    options: options as Readonly<Record<string, unknown>>,
    proxy: { type: "router" },
    secrets: { "kubernetes://web": { kind: "certificate", chain: serverPair.cert, key: serverPair.key } },
    clusters: [
      { name: OUT, protocol: "http", tls: { mode: "simple", sni: HOST, subjectAltNames: [], roots: ca.certificate } },
    ],
    endpoints: [{ cluster: OUT, endpoints: [{ address: "127.0.0.1", port: (outside.address() as AddressInfo).port }] }],
    gateways: [listener("gateway", { tls }), listener("out", {})],
    routes: [{ name: "http.80", hosts: [{ name: "any", domains: ["*"], routes: [{ action }] }] }],
  });
}

/** `VERSION SUITE` of a connection that got an answer, else why there was none. */
function handshake(port: number, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const pair = port === ports.mesh ? { ...clientPair, ALPNProtocols: ["istio-http/1.1"] } : {};
    const all = { ciphers: "DEFAULT@SECLEVEL=0", ...pair, ...options };
    const socket: TLSSocket = connect({ host: "127.0.0.1", port, servername: HOST, rejectUnauthorized: false, ...all });
    // with TLS 1.3 a client is done before the server has judged it: an answer says that it has
    socket.on("secureConnect", () => socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`));
    socket.on("data", () => {
      resolve(`${socket.getProtocol() ?? ""} ${socket.getCipher().standardName}`);
      socket.destroy();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on("close", () => resolve("closed"));
  });
}

const NEW: ConnectionOptions = { minVersion: "TLSv1.3" };
const OLD: ConnectionOptions = { maxVersion: "TLSv1.2" };
const AGED: ConnectionOptions = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1" };
const suite = (name: string): ConnectionOptions => ({ ...OLD, ciphers: `${name}:@SECLEVEL=0` });
const AES256 = suite("ECDHE-ECDSA-AES256-GCM-SHA384");
const AES128 = suite("ECDHE-ECDSA-AES128-GCM-SHA256");
const CHACHA = suite("ECDHE-ECDSA-CHACHA20-POLY1305");
const curve = (name: string): ConnectionOptions => ({ ...AES128, ecdhCurve: name });

const VERSION = "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION";
const SUITE = "refused by suite or curve";
const TAKEN = "taken";

interface Row {
  readonly it: string;
  readonly mesh: string;
  readonly policy?: Policy;
  readonly at: readonly ("mesh" | "gateway")[];
  readonly taken: readonly ConnectionOptions[];
  readonly byVersion: ConnectionOptions;
  readonly bySuite: readonly ConnectionOptions[];
}

const ROWS: readonly Row[] = [
  {
    it: "nothing is said",
    mesh: "",
    at: ["mesh", "gateway"],
    taken: [NEW, AES256, AES128],
    byVersion: AGED,
    bySuite: [CHACHA],
  },
  {
    it: "meshMTLS.minProtocolVersion",
    mesh: "meshMTLS: { minProtocolVersion: TLSV1_3 }",
    at: ["mesh"],
    taken: [NEW],
    byVersion: OLD,
    bySuite: [],
  },
  {
    it: "meshMTLS.cipherSuites",
    mesh: "meshMTLS: { cipherSuites: [ECDHE-ECDSA-AES256-GCM-SHA384] }",
    at: ["mesh"],
    taken: [NEW, AES256],
    byVersion: AGED,
    bySuite: [AES128, CHACHA],
  },
  {
    it: "tlsDefaults.minProtocolVersion",
    mesh: "tlsDefaults: { minProtocolVersion: TLSV1_3 }",
    at: ["gateway"],
    taken: [NEW],
    byVersion: OLD,
    bySuite: [],
  },
  {
    it: "tlsDefaults.cipherSuites and ecdhCurves",
    mesh: "tlsDefaults: { cipherSuites: [ECDHE-ECDSA-AES128-GCM-SHA256], ecdhCurves: [P-256] }",
    at: ["gateway"],
    taken: [AES128, curve("P-256")],
    byVersion: AGED,
    bySuite: [AES256, CHACHA, curve("X25519")],
  },
  {
    it: "COMPLIANCE_POLICY=fips-140-2, whatever else is said",
    mesh: "{ meshMTLS: { minProtocolVersion: TLSV1_3 }, tlsDefaults: { minProtocolVersion: TLSV1_3, ecdhCurves: [X25519] } }",
    policy: "fips-140-2",
    at: ["mesh", "gateway"],
    taken: [AES128, AES256, curve("P-256")],
    byVersion: NEW,
    bySuite: [CHACHA, curve("X25519")],
  },
];

test.each(ROWS)("$it: who is taken, who is refused by version, who by suite", async (row) => {
  const { mesh, policy, at, taken, byVersion, bySuite } = row;
  sidecar.update(sidecarSide(mesh, policy));
  gateway.update(gatewaySide(mesh, policy));
  for (const place of at) {
    const port = ports[place];
    const answers = async (): Promise<readonly string[]> => {
      const all = await Promise.all([...taken, byVersion, ...bySuite].map((options) => handshake(port, options)));
      return all.map((answer) => answer.replace(/^TLSv1\.[23] TLS_.*/, TAKEN).replace(/.*HANDSHAKE_FAILURE$/, SUITE));
    };
    const expected = [...taken.map(() => TAKEN), VERSION, ...bySuite.map(() => SUITE)];
    let last: readonly string[] = [];
    const isHeeded = async (): Promise<boolean> => (last = await answers()).join() === expected.join();
    // what is sent takes the proxy a moment
    await waitFor(isHeeded, { what: row.it }).catch(() => undefined);
    expect(last).toEqual(expected);
  }
});

/** What a request that the gateway sends out by TLS gets from a server that takes this. */
async function sentOut(options: ConnectionOptions): Promise<string> {
  outside.setSecureContext({ ...serverPair, ...options });
  const { status, body } = await http1({ host: "127.0.0.1", port: ports.out, authority: HOST }, "/");
  return status === 200 ? JSON.stringify(body) : String(status);
}

test("a proxy that calls out by TLS keeps to the policy too", async () => {
  gateway.update(gatewaySide(""));
  await waitFor(async () => (await sentOut(NEW)).includes("TLSv1.3"), { what: "TLS 1.3 to a server outside" });
  expect(await sentOut(AES128)).toContain("TLSv1.2");
  gateway.update(gatewaySide("", "fips-140-2"));
  await waitFor(async () => (await sentOut(NEW)) === "503", { what: "a server of TLS 1.3 alone to be refused" });
  expect(await sentOut(AES128)).toContain("TLSv1.2");
  expect(await sentOut(CHACHA)).toBe("503");
  expect(await sentOut(curve("X25519"))).toBe("503");
  gateway.update(gatewaySide("tlsDefaults: { cipherSuites: [ECDHE-ECDSA-AES256-GCM-SHA384], ecdhCurves: [P-256] }"));
  await waitFor(async () => (await sentOut(AES128)) === "503", { what: "a suite that tlsDefaults leaves out" });
  expect(await sentOut({ ...AES256, ecdhCurve: "P-256" })).toContain("TLSv1.2");
  expect(await sentOut({ ...AES256, ecdhCurve: "X25519" })).toBe("503");
});

test("no proxy refused its configuration", () => {
  expect([...sidecar.refusals, ...gateway.refusals]).toEqual([]);
});

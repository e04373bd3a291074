import { connect as http2Connect } from "node:http2";
import { connect } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import { PEER_KEYS, type PeerLabels } from "../../src/base/peer.ts";
import { adsService, type DeltaRequest, type XdsConnection } from "../../src/grpc/ads-server.ts";
import { type GrpcServer, type Peer, startGrpcServer } from "../../src/grpc/server.ts";
import { type Ca, createRoot, issueServing, signWorkload } from "../../src/pki/ca.ts";
import { readCertificate } from "../../src/pki/certificate.ts";
import { createCsr } from "../../src/pki/create-csr.ts";
import { encodeMessage } from "../../src/wire/codec.ts";
import { waitFor } from "../support/wait.ts";

const HOUR = 3600_000;
const around = (from: number, to: number) => ({
  notBefore: new Date(Date.now() + from),
  notAfter: new Date(Date.now() + to),
});
const peer = Object.fromEntries(PEER_KEYS.map((key) => [key, "x"])) as PeerLabels;
const identity = { trustDomain: "cluster.local", namespace: "shop", serviceAccount: "web" };

interface Rig {
  readonly server: GrpcServer;
  readonly root: Ca;
  readonly peers: Peer[];
  readonly requests: DeltaRequest[];
  readonly connections: XdsConnection[];
  readonly faults: unknown[];
}

const running: GrpcServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close(0)));
});

async function rig(onRequest: (request: DeltaRequest, connection: XdsConnection) => void = () => {}): Promise<Rig> {
  const root = await createRoot("cluster.local", around(-HOUR, 24 * HOUR));
  const serving = await issueServing(root, { dns: ["istiod.istio-system.svc"] }, around(-HOUR, HOUR));
  const seen = {
    peers: [] as Peer[],
    requests: [] as DeltaRequest[],
    connections: [] as XdsConnection[],
    faults: [] as unknown[],
  };
  const accept = (connection: XdsConnection) => {
    seen.peers.push(connection.peer);
    seen.connections.push(connection);
    return {
      request(request: DeltaRequest) {
        seen.requests.push(request);
        onRequest(request, connection);
      },
      drained() {},
      closed() {},
    };
  };
  const service = adsService({ delta: accept, sotw: accept }, (error) => seen.faults.push(error));
  const server = await startGrpcServer({ host: "127.0.0.1", port: 0 }, { ...serving, clientRoots: root.certificate }, [
    service,
  ]);
  running.push(server);
  return { server, root, ...seen };
}

async function clientCertificate(ca: Ca, from: number, to: number): Promise<{ certificate: string; key: string }> {
  const { csr, key } = await createCsr();
  return { certificate: await signWorkload(ca, csr, { identity, peer }, around(from, to)), key: key.pem() };
}

/** Opens a delta stream and sends one request; resolves with what ended it. */
function open(
  rigged: Rig,
  with_: { certificate?: { certificate: string; key: string }; token?: string; bytes?: Buffer },
) {
  const roots = Buffer.from(rigged.root.certificate);
  const pair = with_.certificate;
  const tls =
    pair === undefined
      ? credentials.createSsl(roots)
      : credentials.createSsl(roots, Buffer.from(pair.key), Buffer.from(pair.certificate));
  const client = new Client(`127.0.0.1:${rigged.server.port}`, tls, {
    "grpc.ssl_target_name_override": "istiod.istio-system.svc",
    "grpc.use_local_subchannel_pool": 1,
    "grpc.max_send_message_length": -1,
  });
  const metadata = new Metadata();
  if (with_.token !== undefined) metadata.set("authorization", `Bearer ${with_.token}`);
  const same = (bytes: Buffer): Buffer => bytes;
  const path = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
  const call = client.makeBidiStreamRequest(path, same, same, metadata);
  const ended = new Promise<{ code: number; details: string }>((resolve) => {
    call.on("error", () => {});
    call.on("status", (status) => {
      client.close();
      resolve(status);
    });
  });
  call.on("data", () => {});
  call.write(
    with_.bytes ?? Buffer.from(encodeMessage("envoy.service.discovery.v3.DeltaDiscoveryRequest", { type_url: "t" })),
  );
  return { call, ended, client };
}

test("one port takes client certificates and tokens side by side", async () => {
  const rigged = await rig();
  const certificate = await clientCertificate(rigged.root, -HOUR, HOUR);
  const one = open(rigged, { certificate });
  const two = open(rigged, { token: "abc.def" });
  const three = open(rigged, {});
  await waitFor(() => rigged.requests.length === 3, { what: "three requests" });
  const shown = rigged.peers.filter((found) => found.certificate !== undefined);
  expect(shown).toHaveLength(1);
  expect(readCertificate(shown[0]!.certificate!).identity).toEqual(identity);
  expect(rigged.peers.map((found) => found.bearer)).toContain("abc.def");
  for (const { call, client } of [one, two, three]) {
    call.cancel();
    client.close();
  }
});

test("an expired or foreign certificate counts as none, and the connection still stands for a token", async () => {
  const rigged = await rig();
  const stranger = await createRoot("cluster.local", around(-HOUR, 24 * HOUR));
  const expired = open(rigged, { certificate: await clientCertificate(rigged.root, -2 * HOUR, -HOUR), token: "t1" });
  const foreign = open(rigged, { certificate: await clientCertificate(stranger, -HOUR, HOUR), token: "t2" });
  await waitFor(() => rigged.requests.length === 2, { what: "two requests" });
  expect(rigged.peers.map((found) => found.certificate)).toEqual([undefined, undefined]);
  expect(new Set(rigged.peers.map((found) => found.bearer))).toEqual(new Set(["t1", "t2"]));
  for (const { call, client } of [expired, foreign]) {
    call.cancel();
    client.close();
  }
});

test("a new serving certificate and new client roots hold for the next connection", async () => {
  const rigged = await rig();
  const next = await createRoot("cluster.local", around(-HOUR, 24 * HOUR));
  const serving = await issueServing(next, { dns: ["istiod.istio-system.svc"] }, around(-HOUR, HOUR));
  rigged.server.update({ ...serving, clientRoots: rigged.root.certificate + next.certificate });
  const certificate = await clientCertificate(next, -HOUR, HOUR);
  const stream = open({ ...rigged, root: next }, { certificate });
  await waitFor(() => rigged.requests.length === 1, { what: "a request over the new certificate" });
  expect(rigged.peers[0]?.certificate).toBeDefined();
  stream.call.cancel();
  stream.client.close();
});

test("malformed, huge and unfinished requests end their stream and nothing else", async () => {
  const rigged = await rig((request) => {
    if (request.type_url === "boom") throw new Error("a defect of ours");
  });
  const junk = open(rigged, { bytes: Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3]) });
  expect(await junk.ended).toMatchObject({ code: 3 });
  const huge = open(rigged, { bytes: Buffer.alloc(9 * 1024 * 1024) });
  expect(await huge.ended).toMatchObject({ code: 8 });
  const boom = open(rigged, {
    bytes: Buffer.from(encodeMessage("envoy.service.discovery.v3.DeltaDiscoveryRequest", { type_url: "boom" })),
  });
  expect(await boom.ended).toEqual(
    expect.objectContaining({ code: 13, details: "the stream met an error of the control plane" }),
  );
  expect(rigged.faults).toHaveLength(1);

  // Bytes that are no TLS, TLS that is no HTTP/2, HTTP/2 that is no gRPC, and a socket that dies in the handshake.
  const { port } = rigged.server;
  const plain = connect(port, "127.0.0.1", () => plain.write("GET / HTTP/1.1\r\n\r\n"));
  const dying = connect(port, "127.0.0.1", () => dying.destroy());
  const tls = tlsConnect({ port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2"] }, () =>
    tls.write("nonsense\r\n\r\n"),
  );
  const session = http2Connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  const posted = session.request({ ":method": "POST", ":path": "/nothing", "content-type": "text/plain" });
  for (const socket of [plain, dying, tls, session, posted]) socket.on("error", () => {});
  await waitFor(() => posted.closed || posted.destroyed, { what: "the answer to a request that is not gRPC" });
  plain.destroy();
  tls.destroy();
  session.destroy();

  const fine = open(rigged, { token: "still-here" });
  await waitFor(() => rigged.peers.some((found) => found.bearer === "still-here"), { what: "a stream after all that" });
  fine.call.cancel();
  fine.client.close();
});

test("TLS 1.2 is refused unless it is allowed, before and after the certificate is renewed", async () => {
  const { server, root } = await rig();
  const serving = await issueServing(root, { dns: ["istiod.istio-system.svc"] }, around(-HOUR, HOUR));
  const spoken = (maxVersion: "TLSv1.2" | "TLSv1.3") =>
    new Promise<string>((resolve) => {
      const options = { port: server.port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2"] };
      const socket = tlsConnect({ ...options, maxVersion }, () => {
        resolve(socket.getProtocol() ?? "");
        socket.destroy();
      });
      socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    });
  const both = async () => [await spoken("TLSv1.2"), await spoken("TLSv1.3")];
  const refused = ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "TLSv1.3"];
  expect(await both()).toEqual(refused);
  server.update({ ...serving, clientRoots: root.certificate, tls: { minVersion: "TLSv1.2" } });
  expect(await both()).toEqual(["TLSv1.2", "TLSv1.3"]);
  server.update({ ...serving, clientRoots: root.certificate });
  expect(await both()).toEqual(refused);
});

test("a response is told to be drained, and a refusal carries its status", async () => {
  const rigged = await rig((request, connection) => {
    if (request.type_url === "t") connection.end({ status: "PERMISSION_DENIED", details: "not yours" });
  });
  expect(await open(rigged, {}).ended).toMatchObject({ code: 7, details: "not yours" });
});

test("closing ends open streams, and a port in use is said clearly", async () => {
  const rigged = await rig();
  const stream = open(rigged, {});
  await waitFor(() => rigged.requests.length === 1, { what: "the stream" });
  const serving = await issueServing(rigged.root, { dns: ["x"] }, around(-HOUR, HOUR));
  const address = { host: "127.0.0.1", port: rigged.server.port };
  await expect(
    startGrpcServer(address, { ...serving, clientRoots: rigged.root.certificate }, []),
  ).rejects.toMatchObject({ code: "port-in-use" });
  await rigged.server.close(50);
  expect((await stream.ended).code).not.toBe(0);
});

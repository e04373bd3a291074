import { request } from "node:http";
import { type ConnectionOptions, connect } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { peerOf } from "../../../../src/model/workload.ts";
import { signWorkload } from "../../../../src/pki/ca.ts";
import { createCsr } from "../../../../src/pki/create-csr.ts";
import type { KubeObject } from "../../../../src/resources/object.ts";
import type { CaseRequest, TrafficCase } from "../../../support/traffic/case.ts";
import { type Lab, startLab } from "../../../support/traffic/lab.ts";
import { type Load, startLoad } from "../../../support/traffic/load.ts";
import { targetOf } from "../../../support/traffic/run.ts";
import { waitFor } from "../../../support/wait.ts";

// Mutual TLS changes under load: clients of the mesh, whose proxies learn what the server takes, lose no request at any moment;
// clients without a proxy are refused exactly while the server takes mutual TLS alone.

const asked: CaseRequest = { it: "goes on", expect: {}, to: "echo", port: 80 };
/** The same server by connections that carry one request each: each request is a handshake. */
const fresh: CaseRequest = { ...asked, to: "fresh" };
const selector = { app: "echo", version: "v1" };
const item: TrafficCase = {
  name: "mtls",
  namespace: "mtls",
  requests: [asked],
  objects: [
    ...["echo", "fresh"].map(
      (name) =>
        ({
          apiVersion: "v1",
          kind: "Service",
          metadata: { name, namespace: "mtls" },
          spec: { selector },
        }) as KubeObject,
    ),
    {
      apiVersion: "networking.istio.io/v1",
      kind: "DestinationRule",
      metadata: { name: "fresh", namespace: "mtls" },
      spec: { host: "fresh", trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 1 } } } },
    } as KubeObject,
  ],
};
let lab: Lab;
let load: Load;
let pair: { readonly cert: string; readonly key: string };

beforeAll(async () => {
  lab = await startLab([item]);
  const target = targetOf(lab, item, asked);
  load = startLoad({ target, path: "/", secure: false, times: 1 });
  await load.steady(({ who }) => who === "v1", 20);
  const { csr, key } = await createCsr();
  const identity = { trustDomain: "cluster.local", namespace: "traffic", serviceAccount: "raw" };
  const leaf = await signWorkload(lab.plane.ca, csr, { identity, peer: peerOf({}), podUid: "" }, lab.plane.validity);
  pair = { cert: leaf, key: key.pem() };
  load.restart();
});
afterAll(async () => {
  await load?.stop();
  await lab?.stop();
});

function apply(...objects: readonly KubeObject[]): void {
  lab.plane.state.world.apply(objects.map((object) => ({ type: "set", object })));
}

function take(mode: "STRICT" | "PERMISSIVE" | "DISABLE", port?: "STRICT" | "PERMISSIVE" | "DISABLE"): void {
  apply({
    apiVersion: "security.istio.io/v1",
    kind: "PeerAuthentication",
    metadata: { name: "changing", namespace: "servers" },
    spec: {
      selector: { matchLabels: { version: "v1" } },
      mtls: { mode },
      ...(port === undefined ? {} : { portLevelMtls: { 8080: { mode: port } } }),
    },
  });
}

/** A request in plain text over a connection of its own: its status, or why there is none. */
function plain(): Promise<string> {
  return new Promise((resolve) => {
    const asked = request({ host: `${lab.places.v1}.0.1`, port: 8080, agent: false, timeout: 5_000 }, (response) => {
      response.resume();
      response.on("end", () => resolve(String(response.statusCode)));
      response.on("error", (error) => resolve(error.message));
    });
    asked.on("timeout", () => asked.destroy(new Error("no answer")));
    asked.on("error", (error) => resolve(error.message));
    asked.end();
  });
}

/** The TLS version of a connection to the server's port with a certificate of the mesh; empty when it is refused. */
function handshake(options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({
      host: `${lab.places.v1}.0.1`,
      port: 8080,
      ALPNProtocols: ["istio-http/1.1"],
      rejectUnauthorized: false,
      ...pair,
      ...options,
    });
    // with TLS 1.3 a client is done before the server has judged it: an answer says that it has
    socket.on("secureConnect", () => socket.write("GET / HTTP/1.1\r\nhost: echo\r\nconnection: close\r\n\r\n"));
    socket.on("data", () => {
      resolve(`${socket.getProtocol() ?? ""} ${socket.getCipher().standardName}`);
      socket.destroy();
    });
    socket.on("error", () => resolve(""));
    socket.on("close", () => resolve(""));
  });
}

/** Ten plain requests in a row with this outcome. */
async function plainBecomes(isWanted: (outcome: string) => boolean, what: string): Promise<void> {
  let row = 0;
  await waitFor(
    async () => {
      row = isWanted(await plain()) ? row + 1 : 0;
      return row >= 10;
    },
    { what, timeoutMs: 15_000 },
  );
}

const passes = (outcome: string): boolean => outcome === "200";
const isRefused = (outcome: string): boolean => !/^\d+$/.test(outcome);

async function meshLostNothing(): Promise<void> {
  await load.steady(({ who }) => who === "v1", 12);
  expect(load.failures).toEqual([]);
}

test("STRICT switched on under load: exactly the plaintext requests fail", async () => {
  await plainBecomes(passes, "plain text to pass by default");
  take("STRICT");
  await plainBecomes(isRefused, "plain text to be refused");
  await meshLostNothing();
  take("PERMISSIVE");
  await plainBecomes(passes, "plain text to pass again");
  await meshLostNothing();
});

test("a port says otherwise than its workload, both ways", async () => {
  take("PERMISSIVE", "STRICT");
  await plainBecomes(isRefused, "plain text to be refused at the port");
  await meshLostNothing();
  take("STRICT", "PERMISSIVE");
  await plainBecomes(passes, "plain text to pass at the port");
  await meshLostNothing();
});

test("DISABLE and back: clients of the mesh turn to plain text and to mutual TLS, and lose nothing", async () => {
  for (const mode of ["DISABLE", "STRICT", "DISABLE", "PERMISSIVE", "STRICT"] as const) {
    take(mode);
    if (mode === "STRICT") await plainBecomes(isRefused, "plain text to be refused");
    else await plainBecomes(passes, `plain text to pass with ${mode}`);
    await meshLostNothing();
  }
});

/** The mesh's configuration as it began, and this. */
function say(more: object): void {
  const object = lab.plane.state.world.get("ConfigMap", "istio-system", "istio");
  begun ??= JSON.parse(object?.data?.["mesh"] ?? "{}") as object;
  apply({ ...object!, data: { mesh: JSON.stringify({ ...begun, ...more }) } } as KubeObject);
}
let begun: object | undefined;

test("versions and suites of the mesh's own TLS are those of MeshConfig, at every moment on both sides", async () => {
  const old = { maxVersion: "TLSv1.2" } as const;
  expect(await handshake({})).toMatch(/^TLSv1\.3/);
  expect(await handshake(old)).toMatch(/^TLSv1\.2/);
  say({ meshMTLS: { minProtocolVersion: "TLSV1_3" } });
  await waitFor(async () => (await handshake(old)) === "", { what: "TLS 1.2 to be refused" });
  expect(await handshake({})).toMatch(/^TLSv1\.3/);
  await meshLostNothing();
  say({ meshMTLS: { cipherSuites: ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"] } });
  const weak = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";
  await waitFor(async () => (await handshake(old)).includes("AES_256"), { what: "TLS 1.2 with the suites" });
  expect(await handshake({ ...old, ciphers: weak })).toBe("");
  await meshLostNothing();
  say({});
  await waitFor(async () => (await handshake({ ...old, ciphers: weak })).includes("AES_128"), {
    what: "the usual suites",
  });
  await meshLostNothing();
  expect(load.sent()).toBeGreaterThan(200);
});

/** The status of a request through the client's proxy, by a handshake of its own. */
function throughMesh(): Promise<number> {
  const { host, port, authority } = targetOf(lab, item, fresh);
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, agent: false, timeout: 10_000, headers: { host: authority } }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    sent.on("error", reject);
    sent.end();
  });
}

async function becomes(status: number, what: string): Promise<void> {
  let row = 0;
  const isSo = async (): Promise<boolean> => {
    row = (await throughMesh()) === status ? row + 1 : 0;
    return row >= 5;
  };
  await waitFor(isSo, { what, timeoutMs: 15_000 });
}

/** How often a proxy refused a peer for its name. */
async function refusedNames(proxy: "client" | "v1"): Promise<number> {
  const text = await lab.proxies[proxy].admin("/stats?filter=fail_verify_san");
  return [...text.matchAll(/: (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
}

function allowClient(account: string): void {
  apply({
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: "by-principal", namespace: "servers" },
    spec: {
      selector: { matchLabels: { version: "v1" } },
      rules: [{ from: [{ source: { principals: [`cluster.local/ns/traffic/sa/${account}`] } }] }],
    },
  } as KubeObject);
}

test("identities of another trust domain are taken while it is an alias, by servers, clients and policies", async () => {
  const { client, v1 } = lab.proxies;
  const { ca } = lab.plane;
  await load.stop();
  take("STRICT");
  allowClient("client");
  await becomes(200, "the client to be let in");
  // a caller of the other trust domain
  const before = { v1: await refusedNames("v1"), client: await refusedNames("client") };
  await client.identify({ ca, trustDomain: "old.example" });
  await becomes(503, "a caller of another trust domain to be refused in the handshake");
  expect(await refusedNames("v1")).toBeGreaterThan(before.v1);
  say({ trustDomainAliases: ["old.example"] });
  await becomes(200, "a caller of an alias to be let in by a policy about the trust domain's own name");
  allowClient("somebody");
  await becomes(403, "a caller of an alias to be refused by a policy about another account");
  allowClient("client");
  await becomes(200, "the client to be let in again");
  // a server of it: the client looks at the server's name
  await v1.identify({ ca, trustDomain: "old.example" });
  await becomes(200, "a server of an alias to be taken");
  await client.identify({ ca });
  await becomes(200, "a server of an alias to be taken by a client of the trust domain");
  expect(await refusedNames("client")).toBe(before.client);
  say({});
  await becomes(503, "a server of another trust domain to be refused");
  expect(await refusedNames("client")).toBeGreaterThan(before.client);
  await v1.identify({ ca });
  await becomes(200, "all of one trust domain again");
});

test("no proxy refused anything", () => {
  expect(lab.plane.problems).toEqual([]);
});

import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { webcrypto } from "node:crypto";
import { Client, credentials, Metadata, type StatusObject, status as code } from "@grpc/grpc-js";
import { decodeJwt, importPKCS8, SignJWT } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createCsr } from "../../../src/pki/create-csr.ts";
import { readCertificate } from "../../../src/pki/certificate.ts";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  X509Certificate,
} from "../../../src/pki/x509.ts";
import { decodeMessage, encodeMessage } from "../../../src/wire/codec.ts";
import { askForClusters, clusterNames } from "../../support/controlplane/ask.ts";
import { throwGarbage } from "../../support/controlplane/garbage.ts";
import { type Installed, install } from "../../support/controlplane/installed.ts";
import { namespace, pod } from "../../support/controlplane/mesh-objects.ts";
import { type MeshdProcess, spawnMeshd } from "../../support/controlplane/meshd-process.ts";
import { waitFor } from "../../support/wait.ts";

// Attacks on the ports of a real meshd, in a process of its own, whose tokens a real kube-apiserver reviews. The list of all attacks
// and their tests is docs/internals/attacks.md.

const SERVER_NAME = "istiod.istio-system.svc";
const MIB = 1 << 20;

let mesh: Installed;
let meshd: MeshdProcess;
let roots: string;
let web: { readonly uid: string; readonly token: string };

beforeAll(async () => {
  mesh = await install();
  const { cluster } = mesh;
  await namespace(cluster, "bank", ["web"]);
  const uid = await pod(cluster, { namespace: "shop", name: "web-1", account: "web", ip: "10.1.0.1" }, { app: "web" });
  await pod(cluster, { namespace: "shop", name: "web-2", account: "web", ip: "10.1.0.2" }, { app: "web" });
  await pod(cluster, { namespace: "shop", name: "other-1", account: "other", ip: "10.1.0.3" }, { app: "other" });
  meshd = spawnMeshd(mesh.ports, mesh.kubeconfig);
  await waitFor(isReady, { timeoutMs: 30_000, what: "meshd to be ready" }).catch((error: unknown) => {
    throw new Error(meshd.output(), { cause: error });
  });
  roots = await mesh.roots();
  web = { uid, token: await mesh.tokenOf("shop", "web", { name: "web-1", uid }) };
});

afterAll(async () => {
  meshd?.process.kill("SIGTERM");
  await meshd?.ended;
  await mesh?.stop();
});

async function isReady(): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${mesh.ports.http}/ready`)).status === 200;
}

/** How a request for a certificate ended: the leaf, or the name of the status. */
type Signed = { readonly leaf: string } | { readonly refused: string };

/** Requests for certificates over one connection, under one token. */
function certificates(token: string | undefined) {
  const client = new Client(`127.0.0.1:${mesh.ports.secureGrpc}`, credentials.createSsl(Buffer.from(roots)), {
    "grpc.ssl_target_name_override": SERVER_NAME,
    "grpc.use_local_subchannel_pool": 1,
  });
  const metadata = new Metadata();
  if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
  const ask = (csr: string, seconds = 600): Promise<Signed> => {
    const message = { csr, validity_duration: String(seconds) };
    const bytes = Buffer.from(encodeMessage("istio.v1.auth.IstioCertificateRequest", message));
    return new Promise((resolve) => {
      client.makeUnaryRequest(
        "/istio.v1.auth.IstioCertificateService/CreateCertificate",
        (value: Buffer) => value,
        (value: Buffer) => decodeMessage("istio.v1.auth.IstioCertificateResponse", value),
        bytes,
        metadata,
        { deadline: Date.now() + 120_000 },
        (error, answer) => {
          if (error === null) resolve({ leaf: answer?.cert_chain?.[0] ?? "" });
          else resolve({ refused: code[error.code] });
        },
      );
    });
  };
  return { ask, close: () => client.close() };
}

async function askOnce(token: string | undefined, csr?: string): Promise<Signed> {
  const { ask, close } = certificates(token);
  const signed = await ask(csr ?? (await createCsr()).csr);
  close();
  return signed;
}

const node = (name: string, account: string, ns = "shop") => ({
  id: `sidecar~10.1.0.1~${name}.${ns}~${ns}.svc.cluster.local`,
  metadata: { NAMESPACE: ns, SERVICE_ACCOUNT: account },
});

/** The status of a stream that asks for this node's clusters; CANCELLED, by us, when they came. */
async function stream(token: string, who: ReturnType<typeof node>): Promise<string> {
  return code[(await askForClusters({ port: mesh.ports.secureGrpc, roots, token, node: who })).code];
}

test("a forged SAN, subject or constraint in a CSR: the certificate is the caller's all the same", async () => {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const forged = await Pkcs10CertificateRequestGenerator.create({
    name: "CN=system:masters, O=istiod, OU=istio-system",
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new SubjectAlternativeNameExtension([
        { type: "url", value: "spiffe://cluster.local/ns/istio-system/sa/istiod" },
        { type: "dns", value: SERVER_NAME },
        { type: "ip", value: "127.0.0.1" },
      ]),
      new BasicConstraintsExtension(true, 3, true),
      new ExtendedKeyUsageExtension(["1.3.6.1.5.5.7.3.3"]),
    ],
  });
  const signed = await askOnce(web.token, forged.toString("pem"));
  if ("refused" in signed) throw new Error(signed.refused);
  const { identity, dnsNames, podUid } = readCertificate(signed.leaf);
  expect(identity).toEqual({ trustDomain: "cluster.local", namespace: "shop", serviceAccount: "web" });
  expect(dnsNames).toEqual([]);
  expect(podUid).toBe(web.uid);
  const leaf = new X509Certificate(signed.leaf);
  expect(leaf.subject).not.toMatch(/system:masters|istiod/);
  expect(leaf.getExtension(BasicConstraintsExtension)?.ca).toBe(false);
  expect(leaf.getExtension(SubjectAlternativeNameExtension)?.names.toJSON()).toEqual([
    { type: "url", value: "spiffe://cluster.local/ns/shop/sa/web" },
  ]);
});

test("tokens: of another audience, expired, changed, or none: nobody", async () => {
  const { cluster } = mesh;
  const elsewhere = await cluster.createToken({ namespace: "shop", serviceAccount: "web", audiences: ["vault"] });
  // The API server gives no token for less than ten minutes: one of its own, signed again by its own key.
  const key = await importPKCS8(mesh.server.accountKey, "RS256");
  const again = (changes: object) => {
    const claims = { ...decodeJwt(web.token), ...changes };
    return new SignJWT(claims)
      .setProtectedHeader({ alg: "RS256", kid: headerOf(web.token)["kid"] as string })
      .sign(key);
  };
  const now = Math.floor(Date.now() / 1000);
  const expired = await again({ iat: now - 7_200, nbf: now - 7_200, exp: now - 3_600 });
  const [head, , signature] = web.token.split(".");
  const claims = { ...decodeJwt(web.token), sub: "system:serviceaccount:istio-system:istiod" };
  const changed = [head, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
  const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${web.token.split(".")[1]}.`;
  for (const token of [elsewhere, expired, changed, unsigned, mesh.server.adminToken, "a.b.c", undefined])
    expect(await askOnce(token)).toEqual({ refused: "UNAUTHENTICATED" });
  // the same way of signing, within its time, is taken: what was refused above was refused for its time
  expect(await askOnce(await again({ iat: now, nbf: now, exp: now + 600 }))).toHaveProperty("leaf");
});

test("a token of another namespace's account gets that account's name, and no configuration of this one's", async () => {
  const foreign = await mesh.tokenOf("bank", "web");
  const signed = await askOnce(foreign);
  expect("leaf" in signed && readCertificate(signed.leaf).identity).toMatchObject({ namespace: "bank" });
  expect(await stream(foreign, node("web-1", "web"))).toBe("PERMISSION_DENIED");
});

test("a replayed node id, and xDS as another workload: own configuration or none", async () => {
  expect(await stream(web.token, node("web-1", "web"))).toBe("CANCELLED");
  // of another pod of the same account, of another account, of another namespace
  expect(await stream(web.token, node("web-2", "web"))).toBe("PERMISSION_DENIED");
  expect(await stream(web.token, node("other-1", "other"))).toBe("PERMISSION_DENIED");
  expect(await stream(web.token, node("web-1", "web", "bank"))).toBe("PERMISSION_DENIED");
  expect(await stream(web.token, { ...node("web-1", "web"), id: "router~10.1.0.1~istiod-0.istio-system~x" })).toBe(
    "PERMISSION_DENIED",
  );
});

/** A stream under a certificate of pod web-1 that says it is web-2; it takes the time that a pod may take to become known. */
let stolen: Promise<StatusObject>;

test("a certificate serves its own pod", async () => {
  const { csr, key } = await createCsr();
  const signed = await askOnce(web.token, csr);
  if ("refused" in signed) throw new Error(signed.refused);
  const pair = { certificate: signed.leaf, key: key.pem() };
  const asking = { port: mesh.ports.secureGrpc, roots, token: undefined, pair };
  expect(await clusterNames({ ...asking, node: node("web-1", "web") })).not.toEqual([]);
  stolen = askForClusters({ ...asking, node: node("web-2", "web") });
});

test("plaintext and a TLS downgrade at the ports of meshd", async () => {
  for (const port of [mesh.ports.secureGrpc, mesh.ports.https]) {
    const old = await new Promise((resolve) => {
      const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, maxVersion: "TLSv1.2" });
      socket.on("secureConnect", () => resolve("connected"));
      socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    expect(old).toBe("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
    const answer = await new Promise<string>((resolve) => {
      let text = "";
      const socket = connect(port, "127.0.0.1", () => socket.write("POST /validate HTTP/1.1\r\nHost: a\r\n\r\n"));
      socket.on("data", (bytes: Buffer) => {
        text += bytes.toString("latin1");
      });
      socket.on("error", () => undefined);
      socket.on("close", () => resolve(text));
    });
    expect(answer).not.toContain("HTTP/1.1 2");
  }
});

test("debug is for this machine, for the control plane's namespace, and about one's own proxies", async () => {
  const ask = (path: string, headers: Record<string, string> = {}, localAddress = "127.0.0.9") =>
    new Promise<number>((resolve, reject) => {
      const { monitoring: port } = mesh.ports;
      httpRequest({ port, host: "127.0.0.1", path, headers, localAddress }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      })
        .on("error", reject)
        .end();
    });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  for (const path of ["/debug/syncz", "/debug/connections", "/debug/config_dump?proxyID=web-1.shop", "/debug/analysis"])
    expect(await ask(path)).toBe(401);
  expect(await ask("/debug/syncz", { "x-forwarded-for": "127.0.0.1" })).toBe(401);
  expect(await ask("/debug/syncz", bearer(web.token))).toBe(403);
  expect(await ask("/debug/config_dump?proxyID=istiod", bearer(web.token))).toBe(404);
  const own = { namespace: "istio-system", serviceAccount: "istiod", audiences: ["istio-ca"] };
  expect(await ask("/debug/syncz", bearer(await mesh.cluster.createToken(own)))).toBe(200);
  expect(await ask("/debug/syncz", {}, "127.0.0.1")).toBe(200);
  // a page of another site in the browser of whoever forwards the port
  expect(await ask("/debug/syncz", { host: "attacker.example" }, "127.0.0.1")).toBe(401);
  expect(await ask("/metrics")).toBe(200);
});

test("10,000 CSRs of one client do not hold up another", { timeout: 240_000 }, async () => {
  const { csr } = await createCsr();
  const greedy = certificates(await mesh.tokenOf("bank", "web"));
  const modest = certificates(web.token);
  let left = 10_000;
  const answers = new Map<string, number>();
  const flood = Promise.all(
    Array.from({ length: 200 }, async () => {
      while (left-- > 0) {
        const signed = await greedy.ask(csr);
        const result = "leaf" in signed ? "issued" : signed.refused;
        answers.set(result, (answers.get(result) ?? 0) + 1);
      }
    }),
  );
  const waits: number[] = [];
  for (let times = 0; times < 10; times += 1) {
    const started = performance.now();
    expect(await modest.ask(csr)).toHaveProperty("leaf");
    waits.push(performance.now() - started);
  }
  await flood;
  greedy.close();
  modest.close();
  expect([...answers.keys()].toSorted()).toEqual(["RESOURCE_EXHAUSTED", "issued"]);
  // a hundred at once, and what its rate allows meanwhile
  expect(answers.get("issued")).toBeGreaterThanOrEqual(100);
  expect(answers.get("issued")).toBeLessThan(1_000);
  expect(Math.max(...waits)).toBeLessThan(20_000);
});

test("an AdmissionReview of a gigabyte is refused, and not kept", { timeout: 60_000 }, async () => {
  const before = memory();
  const options: RequestOptions = {
    port: mesh.ports.https,
    host: "127.0.0.1",
    method: "POST",
    path: "/validate",
    rejectUnauthorized: false,
    agent: false,
  };
  const told = await new Promise<number>((resolve, reject) => {
    const sent = httpsRequest({ ...options, headers: { "content-length": 1 << 30 } }, ({ statusCode = 0 }) =>
      resolve(statusCode),
    );
    sent.on("error", reject);
    sent.flushHeaders();
  });
  expect(told).toBe(413);
  // without saying how long it is
  const taken = await new Promise<number>((resolve) => {
    const sent = httpsRequest(options);
    const chunk = Buffer.alloc(MIB, 0x20);
    let bytes = 0;
    const write = (): void => {
      while (!sent.destroyed && bytes < 1 << 30) {
        bytes += chunk.length;
        if (!sent.write(chunk)) {
          sent.once("drain", write);
          return;
        }
      }
    };
    sent.on("error", () => undefined);
    sent.on("close", () => resolve(bytes));
    write();
  });
  expect(taken).toBeLessThan(64 * MIB);
  expect(memory() - before).toBeLessThan(150 * MIB);
  expect(await isReady()).toBe(true);
});

test("garbage at every port for five seconds: alive, answering, no larger", { timeout: 60_000 }, async () => {
  const before = memory();
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, memory());
  }, 100);
  const thrown = await throwGarbage(mesh.ports, 5_000, 20_261_121);
  clearInterval(watch);
  expect(thrown.connections).toBeGreaterThan(300);
  expect(thrown.bytes).toBeGreaterThan(MIB);
  expect(meshd.process.exitCode).toBeNull();
  await waitFor(isReady, { what: "readiness" });
  expect((await fetch(`http://127.0.0.1:${mesh.ports.monitoring}/version`)).status).toBe(200);
  expect(await askOnce(await mesh.tokenOf("shop", "other"))).toHaveProperty("leaf");
  expect(await stream(web.token, node("web-1", "web"))).toBe("CANCELLED");
  expect(
    await review({ apiVersion: "networking.istio.io/v1", kind: "Gateway", metadata: { name: "a" }, spec: {} }),
  ).toBe(false);
  // what garbage there was went into the heap, which does not shrink at once
  expect(peak - before, `${before} ${peak}`).toBeLessThan(200 * MIB);
  const complaints = meshd.output().split("\n");
  expect(complaints.filter((line) => /unhandled|internal error/.test(line))).toEqual([]);
});

test("a certificate of one pod is not taken for another pod of its account", async () => {
  const { code: ended, details } = await stolen;
  expect([code[ended], details]).toEqual(["UNAVAILABLE", "pod web-2.shop is not known to the control plane"]);
});

test("the log says who got certificates, and nothing secret", () => {
  const lines = meshd
    .output()
    .split("\n")
    .filter((line) => line.includes('"audit":"certificate"'))
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  expect(lines).toContainEqual(
    expect.objectContaining({
      outcome: "issued",
      identity: "spiffe://cluster.local/ns/shop/sa/web",
      by: "token",
      pod: "web-1",
      podUid: web.uid,
    }),
  );
  expect(lines).toContainEqual(expect.objectContaining({ outcome: "limited" }));
  const secrets = ["PRIVATE KEY", "BEGIN CERT", web.token.split(".")[2] ?? "BEGIN"];
  expect(secrets.filter((secret) => meshd.output().includes(secret))).toEqual([]);
});

/** Whether the webhook lets an object pass. */
function review(object: object): Promise<boolean> {
  const body = JSON.stringify({ kind: "AdmissionReview", request: { uid: "u", operation: "CREATE", object } });
  return new Promise((resolve, reject) => {
    const { https: port } = mesh.ports;
    const sent = httpsRequest(
      { port, host: "127.0.0.1", servername: SERVER_NAME, ca: roots, method: "POST", path: "/validate" },
      (answer) => {
        let text = "";
        answer.on("data", (bytes: Buffer) => {
          text += bytes.toString();
        });
        answer.on("end", () => {
          const { response } = JSON.parse(text) as { readonly response: { readonly allowed: boolean } };
          resolve(response.allowed);
        });
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Bytes of memory that meshd has now. */
function memory(): number {
  const text = readFileSync(`/proc/${meshd.process.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(text)?.[1] ?? "0") * 1024;
}

function headerOf(token: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()) as Record<string, unknown>;
}

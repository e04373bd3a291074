import { expect, test } from "vitest";
import { createMesh } from "../../src/compile/mesh.ts";
import type { TlsSecret } from "../../src/ir/secret.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { createRoot } from "../../src/pki/ca.ts";
import { worldOf } from "../../src/resources/world-store.ts";
import { proxyAt } from "../support/ir-case.ts";

const validity = { notBefore: new Date("2026-01-01"), notAfter: new Date("2036-01-01") };
const NAMES = ["A", "B", "U", "AR", "BR", "WRONG"] as const;
const PAIRS = new Map(await Promise.all(NAMES.map(async (name) => [name, await createRoot(name, validity)] as const)));

/** A real certificate by its name; its key has a K behind. */
const pem = (text: string): string => {
  const isKey = text.endsWith("K");
  const pair = PAIRS.get((isKey ? text.slice(0, -1) : text) as (typeof NAMES)[number])!;
  return isKey ? pair.key.pem() : pair.certificate;
};

const secret = (name: string, data: Readonly<Record<string, string>>, namespace = "edge"): KubeObject => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, namespace },
  data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(pem(text)).toString("base64")])),
});

const server = (port: number, tls: object, hosts = ["*"]): object => ({
  port: { number: port, name: `https-${port}`, protocol: "HTTPS" },
  hosts,
  tls,
});

const gateway = (servers: readonly object[], namespace = "edge"): KubeObject => ({
  apiVersion: "networking.istio.io/v1",
  kind: "Gateway",
  metadata: { name: "g", namespace },
  spec: { selector: { app: "edge" }, servers },
});

const POD = { apiVersion: "v1", kind: "Pod", metadata: { name: "edge-1", namespace: "edge", labels: { app: "edge" } } };

function secretsOf(objects: readonly KubeObject[], type = "router"): Readonly<Record<string, TlsSecret | undefined>> {
  const mesh = createMesh(worldOf([POD, ...objects]));
  const config = mesh.proxyConfig(proxyAt(`${type}~10.0.0.9~edge-1.edge~edge.svc.cluster.local`, POD));
  return Object.fromEntries(config.secretNames().map((name) => [name, config.secret(name)]));
}

const cert = (chain: string, key: string): TlsSecret => ({ kind: "certificate", chain: pem(chain), key: pem(key) });
const simple = (credentialName: string): object => ({ mode: "SIMPLE", credentialName });

test("a gateway has the certificates that its servers name, from its own namespace, in both formats", () => {
  const objects = [
    gateway([server(443, simple("a")), server(8443, simple("b")), server(9443, simple("missing"))], "shop"),
    secret("a", { "tls.crt": "A", "tls.key": "AK" }),
    secret("a", { "tls.crt": "WRONG", "tls.key": "WRONG" }, "shop"),
    secret("b", { cert: "B", key: "BK" }),
    secret("unnamed", { "tls.crt": "U", "tls.key": "UK" }),
  ];
  expect(secretsOf(objects)).toEqual({
    "kubernetes://a": cert("A", "AK"),
    "kubernetes://b": cert("B", "BK"),
    "kubernetes://missing": undefined,
  });
  expect(secretsOf(objects, "sidecar")).toEqual({});
});

test("roots for clients: from the Secret of their own before the certificate's", () => {
  const servers = [
    server(443, { mode: "MUTUAL", credentialName: "a" }),
    server(8443, { mode: "OPTIONAL_MUTUAL", credentialName: "b" }),
  ];
  const objects = [
    gateway(servers),
    secret("a", { "tls.crt": "A", "tls.key": "AK", "ca.crt": "AR" }),
    secret("b", { "tls.crt": "B", "tls.key": "BK", "ca.crt": "WRONG" }),
    secret("b-cacert", { cacert: "BR" }),
  ];
  expect(secretsOf(objects)).toEqual({
    "kubernetes://a": cert("A", "AK"),
    "kubernetes://a-cacert": { kind: "roots", roots: pem("AR") },
    "kubernetes://b": cert("B", "BK"),
    "kubernetes://b-cacert": { kind: "roots", roots: pem("BR") },
  });
});

test("half a Secret, or none that is PEM, is no certificate", () => {
  const half = secret("a", { "tls.crt": "A" });
  expect(secretsOf([gateway([server(443, simple("a"))]), half])).toEqual({ "kubernetes://a": undefined });
  const data = { "tls.crt": "Z2FyYmFnZQ==", "tls.key": "Z2FyYmFnZQ==" };
  expect(secretsOf([gateway([server(443, simple("a"))]), { ...half, data }])).toEqual({ "kubernetes://a": undefined });
});

test("what Envoy could not load is taken for missing: a key of another certificate, roots or lists that are none", () => {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const list = (text: string): string => base64(`-----BEGIN X509 CRL-----\n${text}\n-----END X509 CRL-----\n`);
  const read = (data: Readonly<Record<string, string>>): readonly (string | undefined)[] => {
    const object = { ...secret("a", { "tls.crt": "A", "tls.key": "AK", "ca.crt": "AR" }) };
    const servers = [server(443, { mode: "MUTUAL", credentialName: "a" })];
    const changed = { ...object, data: { ...(object["data"] as Record<string, string>), ...data } };
    return Object.values(secretsOf([gateway(servers), changed])).map((one) => one?.kind);
  };
  expect(read({})).toEqual(["certificate", "roots"]);
  expect(read({ "tls.key": base64(pem("BK")) })).toEqual([undefined, "roots"]);
  expect(read({ "tls.crt": base64("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") })).toEqual([
    undefined,
    "roots",
  ]);
  expect(read({ "ca.crt": base64("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") })).toEqual([
    "certificate",
    undefined,
  ]);
  expect(read({ "ca.crl": list("MAA=") })).toEqual(["certificate", "roots"]);
  expect(read({ "ca.crl": list("AAAA") })).toEqual(["certificate", undefined]);
});

test("a server without a certificate to serve opens nothing, and does not hold back the others of its port", () => {
  const servers = [
    server(443, { mode: "SIMPLE", serverCertificate: "/c" }, ["a.example.com"]),
    server(443, simple("not, a name"), ["b.example.com"]),
    server(443, simple("c"), ["c.example.com"]),
  ];
  const mesh = createMesh(worldOf([POD, gateway(servers)]));
  const config = mesh.proxyConfig(proxyAt("router~10.0.0.9~edge-1.edge~edge.svc.cluster.local", POD));
  expect(config.gatewayListeners()[0]?.chains.map(({ serverNames }) => serverNames)).toEqual([["c.example.com"]]);
  expect(config.secretNames()).toEqual(["kubernetes://c"]);
});

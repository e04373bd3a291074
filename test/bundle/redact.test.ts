import { expect, test } from "vitest";
import { createRedactor } from "../../src/bundle/redact.ts";
import type { KubeObject } from "../../src/resources/object.ts";

// made up here: nothing that ever opened anything
const KEY = ["-----BEGIN EC PRIVATE KEY-----", "MHcCAQEEIA==", "-----END EC PRIVATE KEY-----"].join("\n");
const TOKEN = ["eyJhbGciOiJSUzI1NiJ9", "eyJzdWIiOiJqYW5lIn0", "c2lnbmF0dXJl"].join(".");

test.each([
  [`a\n${KEY}\nb`, "a\n-----BEGIN EC PRIVATE KEY-----[redacted]-----END EC PRIVATE KEY-----\nb", "private keys"],
  [
    JSON.stringify({ pem: KEY }),
    '{"pem":"-----BEGIN EC PRIVATE KEY-----[redacted]-----END EC PRIVATE KEY-----"}',
    "private keys",
  ],
  [`token ${TOKEN} seen`, "token [redacted] seen", "tokens"],
  ["Authorization: Basic amFuZTpwYXNz\n", "Authorization: [redacted]\n", "authorization headers"],
  ['{"cookie":"session=17"}', '{"cookie":"[redacted]"}', "authorization headers"],
  ["GET https://jane:pass@db.example/x", "GET https://jane:[redacted]@db.example/x", "passwords in URLs"],
])("%j", (text, expected, what) => {
  const { text: redacted, counts } = createRedactor();
  expect(redacted(text)).toBe(expected);
  expect(counts()).toEqual({ [what]: 1 });
});

test("what is no secret stays: certificates, digests, hosts with ports, policies about headers", () => {
  const { text, counts } = createRedactor();
  const plain = [
    "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----",
    "sha256:0f343b0931126a20f133d67c2b018a3b",
    "http://web.shop:8080/a@b",
    "request.headers[authorization] is read",
  ].join("\n");
  expect(text(plain)).toBe(plain);
  expect(counts()).toEqual({});
});

test("values of Secrets go, their keys and certificates stay; so do values of variables that are named like secrets", () => {
  const { object, counts } = createRedactor();
  const base64 = (words: string): string => Buffer.from(words).toString("base64");
  const secret: KubeObject = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: "tls",
      namespace: "shop",
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": '{"data":{}}', owner: "jane" },
      managedFields: [{}],
    },
    data: { "tls.crt": base64("certificate"), "tls.key": base64("key"), password: base64("open sesame") },
  };
  expect(object(secret)).toEqual({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "tls", namespace: "shop", annotations: { owner: "jane" } },
    data: { "tls.crt": base64("certificate"), "tls.key": base64("[redacted]"), password: base64("[redacted]") },
  });
  const pod = (env: object[]): KubeObject => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web" },
    spec: { containers: [{ name: "app", env }] },
  });
  const kept = [
    { name: "TOKEN_PATH", value: "/var/run/token" },
    { name: "PORT", value: "80" },
  ];
  expect(object(pod([{ name: "DB_PASSWORD", value: "open sesame" }, ...kept]))).toEqual(
    pod([{ name: "DB_PASSWORD", value: "[redacted]" }, ...kept]),
  );
  expect(counts()).toEqual({ "values of Secrets": 3, "values of environment variables": 1 });
});

import { expect, onTestFinished, test } from "vitest";
import { parseQuantity, resourceValue } from "../../src/local/node/downward.ts";
import { ContainerConfigError, type EnvSources, containerEnv } from "../../src/local/node/env.ts";
import { expand } from "../../src/local/node/expand.ts";
import type { Container, DataObject, Pod } from "../../src/local/shapes.ts";

const pod: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web-1", namespace: "shop", uid: "u1", labels: { app: "web" }, annotations: { note: "hi" } },
  spec: { nodeName: "n1", serviceAccountName: "web", containers: [] },
};

function data(values: Record<string, string>): DataObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" }, data: values };
}

const sources: EnvSources = {
  pod,
  facts: { podIp: "10.244.0.7", hostIp: "10.214.0.2" },
  data: {
    configMap: (name) => (name === "settings" ? data({ color: "blue", level: "3" }) : undefined),
    secret: (name) => (name === "keys" ? data({ token: Buffer.from("s3cret").toString("base64") }) : undefined),
  },
  services: [
    {
      name: "my-db",
      host: "10.96.1.4",
      ports: [{ name: "tcp", port: 80, realPort: 10080, protocol: "TCP" }],
    },
  ],
  base: { PATH: "/bin" },
  forced: { BIND_ADDRESS: "127.3.0.2" },
};

function env(container: Partial<Container>): Record<string, string> {
  return Object.fromEntries(containerEnv({ name: "c", ...container }, sources));
}

test("variables are expanded from those before them, unknown ones and $$ stay", () => {
  const result = env({
    env: [
      { name: "A", value: "1" },
      { name: "B", value: "$(A)-$(NONE)-$$(A)" },
      { name: "HOST", value: "$(MY_DB_SERVICE_HOST)" },
    ],
  });
  expect(result).toMatchObject({ B: "1-$(NONE)-$(A)", HOST: "10.96.1.4" });
  expect(expand("$(A", new Map([["A", "1"]]))).toBe("$(A");
});

test("a container gets service links, the small base and what the node forces, and nothing of the process", () => {
  process.env["H6_SECRET"] = "leak";
  onTestFinished(() => void delete process.env["H6_SECRET"]);
  const result = env({ env: [{ name: "BIND_ADDRESS", value: "0.0.0.0" }] });
  expect(result).toEqual({
    PATH: "/bin",
    BIND_ADDRESS: "127.3.0.2",
    MY_DB_SERVICE_HOST: "10.96.1.4",
    MY_DB_SERVICE_PORT: "10080",
    MY_DB_SERVICE_PORT_TCP: "10080",
    MY_DB_PORT: "tcp://10.96.1.4:10080",
    MY_DB_PORT_80_TCP: "tcp://10.96.1.4:10080",
    MY_DB_PORT_80_TCP_PROTO: "tcp",
    MY_DB_PORT_80_TCP_PORT: "10080",
    MY_DB_PORT_80_TCP_ADDR: "10.96.1.4",
  });
});

test("values come from fields, ConfigMaps and Secrets", () => {
  const fieldRef = (fieldPath: string): { fieldRef: { fieldPath: string } } => ({ fieldRef: { fieldPath } });
  const result = env({
    envFrom: [{ prefix: "CFG_", configMapRef: { name: "settings" } }, { secretRef: { name: "gone", optional: true } }],
    env: [
      { name: "NAME", valueFrom: fieldRef("metadata.name") },
      { name: "IP", valueFrom: fieldRef("status.podIP") },
      { name: "APP", valueFrom: fieldRef("metadata.labels['app']") },
      { name: "COLOR", valueFrom: { configMapKeyRef: { name: "settings", key: "color" } } },
      { name: "TOKEN", valueFrom: { secretKeyRef: { name: "keys", key: "token" } } },
      { name: "MAYBE", valueFrom: { secretKeyRef: { name: "gone", key: "x", optional: true } } },
    ],
  });
  expect(result).toMatchObject({
    NAME: "web-1",
    IP: "10.244.0.7",
    APP: "web",
    COLOR: "blue",
    TOKEN: "s3cret",
    CFG_level: "3",
  });
  expect(result).not.toHaveProperty("MAYBE");
});

test("a reference to nothing is a configuration error that names it", () => {
  const from =
    (valueFrom: object): (() => unknown) =>
    () =>
      env({ env: [{ name: "X", valueFrom }] });
  expect(from({ configMapKeyRef: { name: "gone", key: "a" } })).toThrow('configmap "gone" not found');
  expect(from({ secretKeyRef: { name: "keys", key: "a" } })).toThrow("couldn't find key a in secret keys");
  expect(from({ fieldRef: { fieldPath: "spec.nonsense" } })).toThrow(ContainerConfigError);
  expect(() => env({ envFrom: [{ configMapRef: { name: "gone" } }] })).toThrow('configmap "gone" not found');
});

test.each([
  ["500m", 0.5],
  ["1Gi", 1073741824],
  ["2k", 2000],
  ["1e3", 1000],
  ["7", 7],
])("quantity %s", (text, value) => {
  expect(parseQuantity(text)).toBe(value);
});

test("resources are divided and rounded up", () => {
  const containers: Container[] = [{ name: "c", resources: { limits: { cpu: "1500m", memory: "130Mi" } } }];
  expect(resourceValue(containers, "c", { resource: "limits.cpu" })).toBe("2");
  expect(resourceValue(containers, "c", { resource: "limits.memory", divisor: "1Mi" })).toBe("130");
  expect(resourceValue(containers, "c", { resource: "requests.cpu" })).toBe("0");
  expect(Number(resourceValue([{ name: "c" }], "c", { resource: "limits.cpu" }))).toBeGreaterThan(0);
});

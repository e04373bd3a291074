import { expect, test } from "vitest";
import { UsageError } from "../../src/base/errors.ts";
import { run } from "../../src/commands/explain.ts";
import { explain, type Explanation } from "../../src/commands/explain-data.ts";
import { lookUp } from "../../src/commands/explain-lookup.ts";
import { codes } from "../../src/diagnostics/codes.ts";
import { codePages } from "../../src/gen/code-pages.ts";
import { explainEntries } from "../../src/gen/explain-index.ts";
import { readManifests } from "../../src/resources/manifests.ts";
import { toYaml } from "../../src/resources/yaml-plain.ts";
import { validateObject } from "../../src/validation/index.ts";
import { fakeIo } from "../support/fake-io.ts";

const about = async (text: string): Promise<Explanation> => explain(lookUp(text));

test.each(explainEntries.map(({ name }) => name))("%s: every field down to the last is explained", async (name) => {
  const seen = new Set<string>();
  async function down(path: string): Promise<void> {
    const explanation = await about(path);
    expect(explanation.description, path).not.toBe("");
    for (const field of explanation.fields) {
      expect(field.description, `${path}.${field.name}`).not.toBe("");
      // a definition is looked at once, wherever it stands
      if (seen.has(field.type) || !/[A-Z]/.test(field.type)) continue;
      seen.add(field.type);
      await down(`${path}.${field.name}`);
    }
  }
  await down(name);
});

test.each(explainEntries.map(({ name, kind }) => [name, kind] as const))(
  "%s has an example that is valid",
  async (name, kind) => {
    const { example } = await about(name);
    expect(example).toBeDefined();
    const configMap = (key: string): unknown => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "istio", namespace: "istio-system" },
      data: { [key]: toYaml(example) },
    });
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p", annotations: { "proxy.istio.io/config": toYaml(example) } },
    };
    const wrapped: Readonly<Record<string, unknown>> = {
      MeshConfig: configMap("mesh"),
      MeshNetworks: configMap("meshNetworks"),
      MeshProxyConfig: pod,
    };
    const { objects } = readManifests([{ file: "e", text: toYaml(wrapped[name] ?? example) }]);
    expect(objects).toHaveLength(1);
    for (const { object } of objects) {
      if (kind !== undefined) expect(object.kind).toBe(kind);
      expect(validateObject(object)).toEqual([]);
    }
  },
);

test.each([
  ["vs", "VirtualService"],
  ["VirtualServices.spec.http", "VirtualService.spec.http"],
  ["virtualservice.http[0].route[].destination", "VirtualService.spec.http.route.destination"],
  ["gateways.networking.istio.io.servers", "Gateway.spec.servers"],
  ["gateways.gateway.networking.k8s.io", "KubernetesGateway"],
  ["gateway", "Gateway"],
  ["gtw.status.listeners.conditions.type", "KubernetesGateway.status.listeners.conditions.type"],
  ["meshconfig.extensionProviders.zipkin.port", "MeshConfig.extensionProviders.zipkin.port"],
  ["proxy.istio.io/config", "MeshProxyConfig"],
])("%s is %s", async (text, path) => {
  expect((await about(text)).path).toBe(path);
});

test("names shared by two kinds are told", () => {
  expect(lookUp("gateway").others).toEqual(["KubernetesGateway"]);
  expect(lookUp("gtw").others).toEqual([]);
});

test.each([
  ["VirtualServce", "nothing is called VirtualServce", "Did you mean VirtualService?"],
  ["vs.htp", "VirtualService.spec has no field htp", "Did you mean VirtualService.spec.http?"],
  ["vs.spec.hosts.name", "VirtualService.spec.hosts has no fields", ""],
  ["vs.http.constructor", "VirtualService.spec.http has no field constructor", "Fields here: name, match,"],
])("%s: %s", async (text, message, hint) => {
  const failure = await about(text).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(UsageError);
  expect((failure as UsageError).message).toBe(message);
  expect((failure as UsageError).hint ?? "").toContain(hint);
});

test("a field is told with default, values and limits", async () => {
  expect(await about("HTTPRoute.rules.backendRefs.weight")).toMatchObject({
    type: "integer",
    required: false,
    default: "1",
    limits: ["0 or more", "1000000 or less"],
  });
  expect(await about("PeerAuthentication.mtls.mode")).toMatchObject({
    enum: expect.arrayContaining(["STRICT"]) as unknown,
  });
});

test("every code has its page, and a typo its nearest code", async () => {
  expect(Object.keys(codePages).filter((code) => !Object.hasOwn(codes, code))).toEqual([]);
  const io = fakeIo();
  expect(await run({ args: ["ist0101"], options: { output: "json" } }, io)).toEqual({ exitCode: 0 });
  expect(JSON.parse(io.stdout())).toMatchObject({
    code: "IST0101",
    name: "ReferencedResourceNotFound",
    level: "Error",
  });
  await expect(run({ args: ["IST9101"], options: {} }, io)).rejects.toThrow("there is no code IST9101");
});

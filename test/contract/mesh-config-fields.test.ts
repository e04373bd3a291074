import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { meshConfigOf } from "../../src/model/mesh-config.ts";
import { idleMeshFields, IDLE_MESH_CONFIG } from "../../src/model/mesh-config-fields.ts";
import { generatedOptions } from "../../src/model/generated-options.ts";

const schema = JSON.parse(readFileSync(new URL("../../schemas/mesh-config.schema.json", import.meta.url), "utf8")) as {
  readonly properties: Readonly<Record<string, unknown>>;
};

test("every field of MeshConfig is read somewhere, or listed as without effect with the reason", () => {
  const sources = new URL("../../src/", import.meta.url);
  const written = readdirSync(sources, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.startsWith("gen/") && file !== "model/mesh-config-fields.ts")
    .map((file) => readFileSync(new URL(file, sources), "utf8"))
    .join("\n");
  const unread = Object.keys(schema.properties).filter((name) => !new RegExp(`\\b${name}\\b`).test(written));
  expect(unread.filter((name) => !Object.hasOwn(IDLE_MESH_CONFIG, name))).toEqual([]);
  expect(Object.keys(IDLE_MESH_CONFIG).filter((name) => !Object.hasOwn(schema.properties, name))).toEqual([]);
});

test("what changes nothing is told where it is set to something", () => {
  const nothing = { discoverySelectors: [], dnsRefreshRate: "5s", proxyHttpPort: 0, verifyCertificateAtClient: false };
  expect(idleMeshFields(nothing)).toEqual([]);
  const set = Object.fromEntries(Object.keys(IDLE_MESH_CONFIG).map((name) => [name, { any: 1 }]));
  expect(idleMeshFields(set).map(({ name }) => name)).toEqual(Object.keys(IDLE_MESH_CONFIG));
  expect(idleMeshFields([])).toEqual([]);
});

test("what the mesh says of logs and of names is asked of generated resources", () => {
  const said = (text: string) => {
    const { accessLogService, noListenerLog, dnsRefreshMs } = generatedOptions(meshConfigOf(text, "istio-system"));
    return { accessLogService, noListenerLog, dnsRefreshMs };
  };
  expect(said("")).toEqual({});
  const text = "enableEnvoyAccessLogService: true\ndisableEnvoyListenerLog: true\ndnsRefreshRate: 5s";
  expect(said(text)).toEqual({ accessLogService: true, noListenerLog: true, dnsRefreshMs: 5000 });
  expect(said("dnsRefreshRate: never\nenableEnvoyAccessLogService: yes please")).toEqual({});
});

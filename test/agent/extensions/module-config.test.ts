import { expect, test } from "vitest";
import { readModuleConfig, standIn } from "../../../src/agent/extensions/module-config.ts";
import type { Extension, WasmModule } from "../../../src/ir/extension.ts";
import { decodeAny, encodeAny, type TypedAny, typed } from "../../../src/wire/codec.ts";
import { buildExtension } from "../../../src/xds/extension.ts";

const name = "extensions.istio.io/wasmplugin/shop.headers";
const module: WasmModule = {
  plugin: "shop.headers",
  rootId: "",
  url: "oci://registry.example/headers:1.0",
  onFailure: "refuse",
  environment: {},
  hostVariables: [],
  version: "3",
};
const provenance = { from: { kind: "WasmPlugin", namespace: "shop", name: "headers" }, path: [], lost: [] };

/** As the control plane sends it. */
function sent(more: Partial<WasmModule>, level: "http" | "network" = "http"): TypedAny {
  const extension: Extension = { name, provenance, language: "wasm", level, module: { ...module, ...more } };
  return roundTrip(typed("envoy.config.core.v3.TypedExtensionConfig", buildExtension(extension)));
}

function roundTrip(resource: TypedAny): TypedAny {
  const { typeUrl, bytes } = encodeAny(resource);
  return decodeAny(typeUrl, bytes);
}

test("what the control plane says of a module reaches the agent", () => {
  const sha256 = "a".repeat(64);
  const read = readModuleConfig(sent({ sha256, pullPolicy: "Always", pullSecret: "{}" }));
  expect(read).toMatchObject({ name, level: "http", passes: false });
  expect(read?.wish).toEqual({
    url: module.url,
    sha256,
    policy: "Always",
    version: "3",
    pullSecret: "{}",
    timeout: 30_000,
  });
});

test("the proxy gets the file and the user's environment, and nothing that was for the agent", () => {
  const read = readModuleConfig(
    sent({ pullSecret: "secret", environment: { TEAM: "shop" }, hostVariables: ["ZONE"], settings: "{}" }),
  );
  const text = JSON.stringify(roundTrip(read!.inFile("/modules/a.wasm")));
  expect(text).not.toMatch(/ISTIO_META|secret|remote/);
  expect(text).toContain('"code":{"local":{"filename":"/modules/a.wasm"}}');
  expect(text).toContain('"host_env_keys":["ZONE"]');
  expect(text).toContain('"key_values":{"TEAM":"shop"}');
  expect(text).toContain('"failure_policy":"FAIL_CLOSED"');
});

test("without variables of the user's there is no environment", () => {
  expect(JSON.stringify(readModuleConfig(sent({}))!.inFile("x"))).not.toContain("environment_variables");
});

test.each([
  ["refuse", false],
  ["restart", false],
  ["pass", true],
] as const)("while there is no module, %s: traffic passes is %s", (onFailure, passes) => {
  for (const level of ["http", "network"] as const) {
    const read = readModuleConfig(sent({ onFailure }, level))!;
    expect(read.passes).toBe(passes);
    const { typed_config: filter } = roundTrip(standIn(read)) as unknown as { typed_config: Record<string, unknown> };
    expect(filter["@type"]).toBe(`type.googleapis.com/envoy.extensions.filters.${level}.rbac.v3.RBAC`);
    // an empty rule set refuses everything, none at all nothing
    expect("rules" in filter).toBe(!passes);
  }
});

test("scripts and files are none of the agent's", () => {
  expect(readModuleConfig(sent({ url: "file:///opt/a.wasm" }))).toBeUndefined();
  const lua: Extension = { name, provenance, language: "lua", code: "" };
  const resource = typed("envoy.config.core.v3.TypedExtensionConfig", buildExtension(lua));
  expect(readModuleConfig(roundTrip(resource))).toBeUndefined();
});

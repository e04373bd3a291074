import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { buildBootstrap } from "../../src/agent/bootstrap.ts";
import { readConfig } from "../../src/agent/config.ts";
import { envoyArguments } from "../../src/agent/envoy-process.ts";
import { proxySettings } from "../../src/model/proxy-settings.ts";
import { idleProxySettings, PROXY_CONFIG_FIELDS } from "../../src/model/proxy-config-fields.ts";

const schema = JSON.parse(
  readFileSync(new URL("../../schemas/mesh-proxy-config.schema.json", import.meta.url), "utf8"),
) as { readonly properties: Readonly<Record<string, { readonly description: string }>> };

test("every field of ProxyConfig is used by a named part, or listed as without effect with the reason", () => {
  expect(Object.keys(PROXY_CONFIG_FIELDS).toSorted()).toEqual(Object.keys(schema.properties).toSorted());
});

/** All that the agent does with a proxy configuration, apart from the copy of it that goes into the node's metadata. */
function effectOf(proxyConfig: Readonly<Record<string, unknown>>): string {
  const env = {
    POD_NAME: "web-1",
    POD_NAMESPACE: "shop",
    INSTANCE_IP: "10.244.0.9",
    PROXY_CONFIG: JSON.stringify(proxyConfig),
    ISTIO_METAJSON_LABELS: '{"app":"web"}',
  };
  const config = readConfig({ args: ["sidecar"], env, readFile: () => undefined, version: "0" });
  const { metadata, proxyConfig: _read, ...rest } = config;
  const { PROXY_CONFIG: _copy, ...told } = metadata;
  const bootstrap = buildBootstrap({ ...config, metadata: told }, config.discovery);
  return JSON.stringify([rest, told, bootstrap, envoyArguments(config, "x")]);
}

const fields = Object.entries(PROXY_CONFIG_FIELDS);

test.each(fields.flatMap(([name, use]) => (use.by === "agent" ? [[name, use.example] as const] : [])))(
  "%s changes what the agent does",
  (name, example) => {
    expect(effectOf({ [name]: example })).not.toBe(effectOf({}));
  },
);

test.each(fields.flatMap(([name, use]) => (use.by === "control plane" ? [[name, use.example] as const] : [])))(
  "%s changes what the control plane sends",
  (name, example) => {
    expect(proxySettings({ [name]: example }, "router")).toBeDefined();
  },
);

test("what changes nothing is told, with the reason", () => {
  const idle = fields.flatMap(([name, use]) => (use.by === "none" ? [[name]] : []));
  const config = Object.fromEntries(fields.map(([name]) => [name, { listenerConnectionLimit: 5, lightstep: {} }]));
  const lacking = [
    ["connectionSettings", "listenerConnectionLimit"],
    ["tracing", "lightstep"],
  ];
  const paths = idleProxySettings(config).map(({ path }) => path.join("."));
  expect(paths.toSorted()).toEqual([...idle, ...lacking].map((path) => path.join(".")).toSorted());
  expect(idleProxySettings({ connectionSettings: {}, tracing: null, unknown: 1, toString: 1 })).toEqual([]);
});

test.each(fields.flatMap(([name, use]) => (use.by === "none" ? [name] : [])))("%s changes nothing", (name) => {
  expect(effectOf({ [name]: 1 })).toBe(effectOf({}));
});

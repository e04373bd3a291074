import { compact } from "../base/compact.ts";
import type { Extension, WasmModule } from "../ir/extension.ts";
import { type Messages, type TypedAny, typed } from "../wire/codec.ts";

/**
 * What the agent is told about a module goes in variables of its environment, as Istio's agents read them; the agent takes them
 * out. The same names are in src/agent/extensions.
 */
const TO_AGENT = {
  pullSecret: "ISTIO_META_WASM_IMAGE_PULL_SECRET",
  pullPolicy: "ISTIO_META_WASM_IMAGE_PULL_POLICY",
  version: "ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION",
} as const;

type Plugin = Messages["envoy.extensions.wasm.v3.PluginConfig"];

/** The settings of an extension, which its filters fetch by its name. */
export function buildExtension(extension: Extension): Messages["envoy.config.core.v3.TypedExtensionConfig"] {
  return { name: extension.name, typed_config: settings(extension) };
}

function settings(extension: Extension): TypedAny {
  if (extension.language === "lua")
    return typed("envoy.extensions.filters.http.lua.v3.Lua", {
      default_source_code: { inline_string: extension.code },
    });
  const config = plugin(extension.module);
  return extension.level === "network"
    ? typed("envoy.extensions.filters.network.wasm.v3.Wasm", { config })
    : typed("envoy.extensions.filters.http.wasm.v3.Wasm", { config });
}

const POLICIES = { refuse: "FAIL_CLOSED", pass: "FAIL_OPEN", restart: "FAIL_RELOAD" } as const;

function plugin(module: WasmModule): Plugin {
  const { pullSecret, pullPolicy, hostVariables } = module;
  const isFile = module.url.startsWith(FILE);
  const values = isFile
    ? module.environment
    : compact({
        ...module.environment,
        [TO_AGENT.pullSecret]: pullSecret,
        [TO_AGENT.pullPolicy]: pullPolicy,
        [TO_AGENT.version]: module.version,
      });
  return compact({
    name: module.plugin,
    root_id: module.rootId === "" ? undefined : module.rootId,
    vm_config: compact({
      runtime: "envoy.wasm.runtime.v8",
      code: code(module),
      environment_variables:
        hostVariables.length === 0 && Object.keys(values).length === 0
          ? undefined
          : compact({ host_env_keys: hostVariables.length === 0 ? undefined : hostVariables, key_values: values }),
    }),
    configuration: module.settings === undefined ? undefined : { "@type": STRING, value: module.settings },
    failure_policy: POLICIES[module.onFailure],
  });
}

const STRING = "type.googleapis.com/google.protobuf.StringValue";
const FILE = "file://";

function code({ url, sha256 }: WasmModule): NonNullable<Plugin["vm_config"]>["code"] {
  if (url.startsWith(FILE)) return { local: { filename: url.slice(FILE.length) } };
  // the agent fetches it: there is no such cluster
  return { remote: compact({ http_uri: { uri: url, cluster: "_", timeout: "30s" }, sha256 }) };
}

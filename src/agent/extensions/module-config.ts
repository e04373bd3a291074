import { type Messages, type TypedAny, typed } from "../../wire/codec.ts";

type ExtensionConfig = Messages["envoy.config.core.v3.TypedExtensionConfig"];
type Plugin = Messages["envoy.extensions.wasm.v3.PluginConfig"];

/** What an extension's settings say about its module, for whoever fetches it. */
export interface ModuleWish {
  readonly url: string;
  /** "" where any is taken. */
  readonly sha256: string;
  readonly policy: "IfNotPresent" | "Always" | undefined;
  /** Changes with the object that asks. */
  readonly version: string;
  /** Docker's configuration with credentials; "" when there should be some and are none. Absent: none are needed. */
  readonly pullSecret?: string;
  /** Milliseconds. */
  readonly timeout: number;
}

/** Settings of a module that is to be fetched. */
export interface ModuleConfig {
  readonly name: string;
  readonly level: "http" | "network";
  readonly wish: ModuleWish;
  /** Traffic passes while there is no module. */
  readonly passes: boolean;
  /** The settings with the module in this file, and without what was for the agent. */
  inFile(path: string): TypedAny;
}

/** Variables of the module's environment that the control plane writes for agents, under Istio's names. */
const PREFIX = "ISTIO_META_";
const PULL_SECRET = `${PREFIX}WASM_IMAGE_PULL_SECRET`;
const PULL_POLICY = `${PREFIX}WASM_IMAGE_PULL_POLICY`;
const VERSION = `${PREFIX}WASM_PLUGIN_RESOURCE_VERSION`;

const CONFIG = "envoy.config.core.v3.TypedExtensionConfig";
/** The type of the resources that hold settings of extensions. */
export const EXTENSION_TYPE: string = `type.googleapis.com/${CONFIG}`;
const LEVELS = {
  "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm": "http",
  "type.googleapis.com/envoy.extensions.filters.network.wasm.v3.Wasm": "network",
} as const;

/** Reads the settings of an extension; undefined when there is nothing to fetch. */
export function readModuleConfig(resource: TypedAny): ModuleConfig | undefined {
  const { name = "", typed_config: filter } = resource as ExtensionConfig;
  if (filter === undefined) return undefined;
  const level = LEVELS[filter["@type"] as keyof typeof LEVELS] as ModuleConfig["level"] | undefined;
  const { config = {} } = filter as { readonly config?: Plugin };
  const wish = wishOf(config);
  if (level === undefined || wish === undefined) return undefined;
  return {
    name,
    level,
    wish,
    passes: config.failure_policy === "FAIL_OPEN",
    inFile: (path) =>
      typed(CONFIG, { name, typed_config: { ...filter, config: inFile(config, path) } as unknown as TypedAny }),
  };
}

const TIMEOUT = "30s";

function wishOf({ vm_config: vm = {} }: Plugin): ModuleWish | undefined {
  const { http_uri: place, sha256 = "" } = vm.code?.remote ?? {};
  if (place?.uri === undefined) return undefined;
  const values = vm.environment_variables?.key_values ?? {};
  const pullSecret = values[PULL_SECRET];
  return {
    url: place.uri,
    sha256,
    policy: policyOf(values[PULL_POLICY]),
    version: values[VERSION] ?? "",
    timeout: Number.parseFloat(place.timeout ?? TIMEOUT) * 1_000,
    ...(pullSecret === undefined ? {} : { pullSecret }),
  };
}

function policyOf(text: string | undefined): ModuleWish["policy"] {
  return text === "Always" || text === "IfNotPresent" ? text : undefined;
}

function inFile(config: Plugin, path: string): Plugin {
  const { environment_variables: given, ...vm } = config.vm_config ?? {};
  const values = Object.entries(given?.key_values ?? {}).filter(([key]) => !key.startsWith(PREFIX));
  const hosts = given?.host_env_keys ?? [];
  const environment = {
    ...(hosts.length === 0 ? {} : { host_env_keys: hosts }),
    ...(values.length === 0 ? {} : { key_values: Object.fromEntries(values) }),
  };
  return {
    ...config,
    vm_config: {
      ...vm,
      code: { local: { filename: path } },
      ...(Object.keys(environment).length === 0 ? {} : { environment_variables: environment }),
    },
  };
}

/** What stands for a module that is not there: all traffic passes, or none. */
export function standIn({ name, level, passes }: Pick<ModuleConfig, "name" | "level" | "passes">): TypedAny {
  const prefix = passes ? "wasm-default-allow" : "wasm-default-deny";
  // no rules let everything through; rules of which none matches let nothing through
  const rules = passes ? {} : { rules: {} };
  const filter =
    level === "http"
      ? typed("envoy.extensions.filters.http.rbac.v3.RBAC", { ...rules, rules_stat_prefix: `${prefix}.` })
      : typed("envoy.extensions.filters.network.rbac.v3.RBAC", { ...rules, stat_prefix: `${prefix}.` });
  return typed(CONFIG, { name, typed_config: filter });
}

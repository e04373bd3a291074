import { compact } from "../base/compact.ts";
import { explicitPort } from "../base/explicit-port.ts";
import type { Extension, ExtensionFilter, ExtensionPhase, WasmModule } from "../ir/extension.ts";
import type { ExtensionSpec, ExtensionWasm, MeshExtension } from "../model/extensions.ts";
import type { Model } from "../model/model.ts";
import { byText } from "../model/order.ts";
import { refOf } from "../resources/object.ts";
import type { CompileContext } from "./context.ts";
import type { ScopeFacts } from "./scope.ts";

/** Where a chain stands, as far as extensions ask. */
export interface ExtensionSite {
  /** As the workload sees the traffic; at a gateway all of it is its clients'. */
  readonly side: "CLIENT" | "SERVER";
  /** Ports of which one has to be asked for; none: only what asks for no port holds. */
  readonly ports: readonly number[];
  /** In explicit mode ports under 1024 are served at another. */
  readonly explicit: boolean;
}

/** The filters that extensions are in the chains of a place, in the order of the extensions; undefined for none. */
export function extensionFilters(
  extensions: readonly MeshExtension[],
  site: ExtensionSite,
): readonly ExtensionFilter[] | undefined {
  const filters = extensions.filter(({ spec }) => passes(spec, site)).map(filterOf);
  return filters.length === 0 ? undefined : filters;
}

function passes({ match = [] }: ExtensionSpec, { side, ports: at, explicit }: ExtensionSite): boolean {
  const served = (port: number): number => (explicit ? explicitPort(port) : port);
  return (
    match.length === 0 ||
    match.some(({ mode = "UNDEFINED", ports = [] }) => {
      const isSide = mode === "UNDEFINED" || mode === "CLIENT_AND_SERVER" || mode === side;
      return isSide && (ports.length === 0 || ports.some(({ number }) => at.includes(served(number))));
    })
  );
}

const PHASES: Readonly<Record<string, ExtensionPhase>> = { AUTHN: "authn", AUTHZ: "authz", STATS: "stats" };

function filterOf(extension: MeshExtension): ExtensionFilter {
  const { spec } = extension;
  const isFetched = spec.wasm !== undefined && !urlOf(spec.wasm).startsWith("file://");
  return {
    name: nameOf(extension),
    level: levelOf(spec),
    phase: PHASES[spec.phase ?? ""] ?? "last",
    language: spec.wasm === undefined ? "lua" : "wasm",
    from: isFetched ? "agent" : "control-plane",
  };
}

/** As Istio names the filters: of a WasmPlugin by its own kind, so that EnvoyFilters find it. */
function nameOf({ object }: MeshExtension): string {
  return `extensions.istio.io/${object.kind.toLowerCase()}/${pluginOf(object)}`;
}

function pluginOf({ metadata }: MeshExtension["object"]): string {
  return `${metadata.namespace ?? ""}.${metadata.name}`;
}

/** Scripts are for HTTP. */
function levelOf({ wasm }: ExtensionSpec): ExtensionFilter["level"] {
  return wasm?.type === "NETWORK" ? "network" : "http";
}

/** What the extensions of a scope are. */
export interface ExtensionSettings {
  /** By name. */
  of(scope: string): readonly Extension[];
  /** `namespace/name` of the Secrets by which their modules are fetched: each of the extension's own namespace. */
  pullSecrets(scope: string): readonly string[];
}

export function createExtensionSettings({ model, derivations, scope: factsOf }: CompileContext): ExtensionSettings {
  const ofId = derivations.keyed("extension", (id: string): Extension | undefined => {
    const extension = model.extensions.byId(id);
    return extension && settingsOf(model, extension);
  });
  return {
    of: derivations.keyed("extensions of scope", (scope: string) =>
      idsOf(factsOf(scope))
        .flatMap((id) => ofId(id) ?? [])
        .toSorted((a, b) => byText(a.name, b.name)),
    ),
    pullSecrets: (scope) => scopeExtensions(model, factsOf(scope)).flatMap(secretNameOf),
  };
}

function idsOf({ extensions = [] }: ScopeFacts): readonly string[] {
  return extensions;
}

/** The extensions that hold for all proxies of a scope, in their order. */
export function scopeExtensions(model: Model, facts: ScopeFacts): readonly MeshExtension[] {
  return idsOf(facts).flatMap((id) => model.extensions.byId(id) ?? []);
}

function settingsOf(model: Model, extension: MeshExtension): Extension {
  const { object, spec } = extension;
  const common = { name: nameOf(extension), provenance: { from: refOf(object), path: ["spec"], lost: [] } };
  if (spec.wasm === undefined) return { ...common, language: "lua", code: spec.lua?.inlineCode ?? "" };
  return { ...common, language: "wasm", level: levelOf(spec), module: moduleOf(model, extension, spec.wasm) };
}

const ON_FAILURE = { FAIL_CLOSE: "refuse", FAIL_OPEN: "pass", FAIL_RELOAD: "restart" } as const;

function moduleOf(model: Model, { object }: MeshExtension, wasm: ExtensionWasm): WasmModule {
  const { imagePullPolicy, pluginConfig, pluginName = "", failStrategy = "FAIL_CLOSE", vmConfig, sha256 } = wasm;
  const variables = vmConfig?.env ?? [];
  const { generation, resourceVersion = "" } = object.metadata;
  return compact({
    plugin: pluginOf(object),
    rootId: pluginName,
    url: urlOf(wasm),
    sha256: sha256 === "" ? undefined : sha256,
    pullPolicy: imagePullPolicy === "UNSPECIFIED_POLICY" ? undefined : imagePullPolicy,
    pullSecret: pullSecretOf(model, object, wasm),
    settings:
      pluginConfig === undefined || Object.keys(pluginConfig).length === 0 ? undefined : JSON.stringify(pluginConfig),
    onFailure: ON_FAILURE[failStrategy],
    environment: Object.fromEntries(
      variables
        .filter(({ valueFrom }) => valueFrom !== "HOST")
        .map(({ name, value = "" }) => [name, value] as const)
        .toSorted(([a], [b]) => byText(a, b)),
    ),
    hostVariables: variables.filter(({ valueFrom }) => valueFrom === "HOST").map(({ name }) => name),
    version: generation === undefined ? resourceVersion : String(generation),
  });
}

/** Without a scheme it names an image. */
function urlOf({ url }: ExtensionWasm): string {
  return /^[a-z]+:\/\//.test(url) ? url : `oci://${url}`;
}

/** The Secret's content when it is one of a registry; "" when it is not there: then nothing may be fetched. */
function pullSecretOf(
  { world }: Model,
  { metadata }: MeshExtension["object"],
  { imagePullSecret = "" }: ExtensionWasm,
): string | undefined {
  if (imagePullSecret === "") return undefined;
  const secret = world.get("Secret", metadata.namespace ?? "", imagePullSecret);
  const data = secret?.data?.[".dockerconfigjson"];
  if (secret?.["type"] !== "kubernetes.io/dockerconfigjson" || data === undefined) return "";
  return Buffer.from(data, "base64").toString();
}

function secretNameOf({ object, spec }: MeshExtension): readonly string[] {
  const { imagePullSecret = "" } = spec.wasm ?? {};
  return imagePullSecret === "" ? [] : [`${object.metadata.namespace ?? ""}/${imagePullSecret}`];
}

import { UsageError } from "../base/errors.ts";
import type { ProxyConfig } from "../ir/config.ts";
import type { Extension } from "../ir/extension.ts";
import type { Proxy } from "../ir/proxy.ts";
import type { TlsSecret } from "../ir/secret.ts";
import { generatedOptions } from "../model/generated-options.ts";
import { toYaml } from "../resources/yaml-plain.ts";
import { decodeAny, encodeAny, type TypedAny } from "../wire/codec.ts";
import { resourcesFor } from "../xds/resources.ts";
import type { XdsKind, XdsOptions } from "../xds/types.ts";
import { globalOptions, listOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { readOfflineMesh, tellStandIns } from "./offline/mesh.ts";
import { proxiesOf, proxyNamed } from "./offline/proxies.ts";

/** What one proxy is to run, as data: schemas/output/translate.schema.json. */
export interface Translated {
  /** `name.namespace` of the pod. */
  readonly proxy: string;
  readonly type: Proxy["type"];
  readonly [part: string]: unknown;
}

export interface TranslateResult extends CommandResult {
  readonly proxies: readonly Translated[];
}

/** `meshctl translate -f FILES --to ir|xds`: what meshd would make of the files. Equal files give equal bytes. */
export async function run(input: CommandInput, io: Io): Promise<TranslateResult> {
  const { namespace, istioNamespace } = globalOptions(input);
  const files = [...input.args, ...listOption(input, "filename")];
  const to = textOption(input, "to") ?? "xds";
  if (to !== "ir" && to !== "xds") throw new UsageError(`expected --to ir or --to xds, got "${to}"`);
  const offline = await readOfflineMesh({ files, namespace: namespace ?? "default", istioNamespace }, io);
  const { mesh } = offline;
  const names = listOption(input, "proxy");
  const chosen =
    names.length === 0 ? proxiesOf(mesh.model) : names.map((name) => proxyNamed(mesh.model, name, namespace));
  tellStandIns(offline, chosen, io);
  const options = generatedOptions(mesh.model.meshConfig());
  const proxies = chosen.map((proxy): Translated => {
    const config = mesh.proxyConfig(proxy);
    const head = { proxy: `${proxy.name}.${proxy.namespace}`, type: proxy.type };
    return { ...head, ...(to === "ir" ? irOf(config) : xdsOf(config, options)) };
  });
  io.out(textOption(input, "output") === "json" ? `${JSON.stringify(proxies, undefined, 2)}\n` : toYaml(proxies));
  return { exitCode: 0, proxies };
}

const REDACTED = "[redacted]";

function irOf(config: ProxyConfig): Readonly<Record<string, unknown>> {
  const names = config.clusterNames().map(({ name }) => name);
  return plain({
    clusters: names.map((name) => config.cluster(name)),
    endpoints: names.flatMap((name) => config.endpoints(name) ?? []),
    outboundListeners: config.outboundListeners(),
    inbound: config.inbound(),
    gatewayListeners: config.gatewayListeners(),
    routeTables: config.routeTableNames().map((name) => config.routeTable(name)),
    extensions: (config.extensions?.() ?? []).map(withoutPullSecret),
    secrets: config.secretNames().map((name) => ({ name, ...withoutKey(config.secret(name)) })),
    names: config.nameTable(),
  });
}

function withoutKey(secret: TlsSecret | undefined): object {
  return secret?.kind === "certificate" ? { ...secret, key: REDACTED } : { ...secret };
}

function withoutPullSecret(extension: Extension): Extension {
  if (extension.language !== "wasm" || extension.module.pullSecret === undefined) return extension;
  return { ...extension, module: { ...extension.module, pullSecret: REDACTED } };
}

/** As JSON has it: what is undefined is not there, in YAML too. */
function plain(value: object): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(value)) as Readonly<Record<string, unknown>>;
}

const PARTS: Readonly<Record<string, XdsKind>> = {
  clusters: "cluster",
  endpoints: "endpoint",
  listeners: "listener",
  routes: "route",
  extensions: "extension",
  secrets: "secret",
};

/** Read back from the bytes that a proxy would be sent. */
function xdsOf(config: ProxyConfig, options: XdsOptions): Readonly<Record<string, readonly TypedAny[]>> {
  const extensions = (): readonly Extension[] => (config.extensions?.() ?? []).map(withoutPullSecret);
  const resources = resourcesFor({ ...config, extensions }, options);
  return Object.fromEntries(
    Object.entries(PARTS).map(([part, kind]) => [
      part,
      resources.names(kind).flatMap(({ name }) => {
        const resource = resources.resource(kind, name);
        return resource === undefined ? [] : [sent(kind, resource)];
      }),
    ]),
  );
}

function sent(kind: XdsKind, resource: TypedAny): TypedAny {
  const { typeUrl, bytes } = encodeAny(resource);
  const read = decodeAny(typeUrl, bytes);
  const { tls_certificate: certificate } = read as { readonly tls_certificate?: object };
  if (kind !== "secret" || certificate === undefined) return read;
  return { ...read, tls_certificate: { ...certificate, private_key: { inline_string: REDACTED } } };
}

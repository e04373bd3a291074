import { compact } from "../../base/compact.ts";
import { durationMs } from "../../base/duration.ts";
import type { AuthorizerService } from "../../ir/security.ts";
import { extensionProvider } from "../../model/extension-providers.ts";
import type { Model } from "../../model/model.ts";
import { outboundCluster } from "../names.ts";

type Loose = Readonly<Record<string, unknown>>;

/** Istio's default: an authorizer that must answer is waited for. */
const TIMEOUT_MS = 600_000;

/**
 * The external authorizer of this name in the mesh configuration (MeshConfig.extensionProviders). undefined when it cannot be
 * used: not there, of another kind, a service that nobody knows, or a setting that makes no sense. What it was to decide is
 * refused then.
 */
export function authorizerService(model: Model, name: string): AuthorizerService | undefined {
  const provider = extensionProvider(model.meshConfig(), name);
  if (provider === undefined) return undefined;
  const { kind, settings } = provider;
  if (kind !== "envoyExtAuthzHttp" && kind !== "envoyExtAuthzGrpc") return undefined;
  const address = addressOf(model, settings);
  const status = statusOf(settings["statusOnError"]);
  const http = kind === "envoyExtAuthzHttp" ? httpOf(settings) : undefined;
  if (address === undefined || status === "wrong" || http === "wrong") return undefined;
  const body = bodyOf(settings["includeRequestBodyInCheck"]);
  return compact({
    ...address,
    timeoutMs: timeoutOf(settings["timeout"]),
    failOpen: settings["failOpen"] === true,
    statusOnError: status,
    body,
    http,
  });
}

function addressOf(model: Model, settings: Loose): Pick<AuthorizerService, "cluster" | "host"> | undefined {
  const host = knownHost(model, text(settings["service"]));
  const port = settings["port"];
  if (host === undefined || typeof port !== "number" || port < 1 || port > 65_535) return undefined;
  return { cluster: outboundCluster({ port, subset: "", host }), host };
}

function timeoutOf(value: unknown): number {
  return (typeof value === "string" ? durationMs(value) : undefined) ?? TIMEOUT_MS;
}

/** `namespace/host` or `host`: a service of the mesh, whoever may see it. */
function knownHost(model: Model, service: string): string | undefined {
  const slash = service.indexOf("/");
  const host = service.slice(slash + 1);
  const owner = slash < 0 ? undefined : service.slice(0, slash);
  const known = model.services
    .all()
    .some(({ hostname, namespace }) => hostname === host && (owner === undefined || owner === namespace));
  return known ? host : undefined;
}

function statusOf(value: unknown): number | "wrong" | undefined {
  if (value === undefined || value === "") return undefined;
  const status = Number(value);
  return Number.isInteger(status) && status >= 100 && status < 600 ? status : "wrong";
}

function bodyOf(value: unknown): AuthorizerService["body"] {
  if (typeof value !== "object" || value === null) return undefined;
  const given = value as Loose;
  return {
    maxBytes: typeof given["maxRequestBytes"] === "number" ? given["maxRequestBytes"] : 0,
    allowPartial: given["allowPartialMessage"] === true,
    asBytes: given["packAsBytes"] === true,
  };
}

function httpOf(settings: Loose): NonNullable<AuthorizerService["http"]> | "wrong" {
  const pathPrefix = text(settings["pathPrefix"]);
  const inCheck = texts(settings["includeRequestHeadersInCheck"]);
  const lists = {
    // the older spelling counts where the newer is not used
    headersInCheck: inCheck.length > 0 ? inCheck : texts(settings["includeHeadersInCheck"]),
    toUpstreamOnAllow: texts(settings["headersToUpstreamOnAllow"]),
    toDownstreamOnDeny: texts(settings["headersToDownstreamOnDeny"]),
    toDownstreamOnAllow: texts(settings["headersToDownstreamOnAllow"]),
  };
  const isWrong = (pathPrefix !== "" && !pathPrefix.startsWith("/")) || Object.values(lists).flat().includes("*");
  if (isWrong) return "wrong";
  const added = Object.entries((settings["includeAdditionalHeadersInCheck"] ?? {}) as Loose);
  return {
    pathPrefix,
    ...lists,
    addedHeaders: added.map(([name, value]) => [name, text(value)] as const).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

import {
  type ExtensionProvider,
  extensionProviders,
  providerService,
  telemetryProvider,
} from "../../model/extension-providers.ts";
import type { MeshService, Protocol } from "../../ir/service.ts";
import type { Model } from "../../model/model.ts";
import { isHttp } from "../../model/protocol.ts";
import { providerProblem, type ProviderUse, providerUses, unfit } from "../../model/telemetry-providers.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/**
 * What a Telemetry names is looked up in the mesh configuration: a provider that is not there, or that cannot take what it is
 * named for, leaves the proxies as without it, and nobody is told at run time.
 */
export const telemetryUse = defineAnalyzer({
  name: "telemetry-use",
  summary: "Checks that providers which Telemetries name are defined, fit, and have a service that the mesh knows.",
  reads: ["Telemetry", "ConfigMap", "Service", "ServiceEntry"],
  codes: ["MSH0800", "MSH0801"],
  analyze: (input) => {
    for (const object of input.world.list("Telemetry"))
      for (const use of providerUses(object.spec)) check(input, object, use);
  },
});

type Input = AnalyzerInput<"Telemetry" | "ConfigMap" | "Service" | "ServiceEntry", "MSH0800" | "MSH0801">;

function check(input: Input, object: KindTypes["Telemetry"], use: ProviderUse): void {
  const config = input.model.meshConfig();
  const problem = providerProblem(config, use);
  const isConfigured = input.complete || extensionProviders(config).length > 0;
  if (problem?.code === "MSH0801") return input.report(object, use.path, problem.code, problem.args);
  if (problem !== undefined) {
    // files alone may leave the mesh configuration out
    if (isConfigured) return input.report(object, use.path, problem.code, problem.args);
    return input.unknown(`provider ${use.name}: the mesh configuration is not in the files`);
  }
  const provider = telemetryProvider(config, use.name);
  const why = provider && withoutService(input, provider);
  if (why !== undefined) input.report(object, use.path, "MSH0801", unfit(use, provider?.name ?? use.name, why));
}

/** Spans and records over gRPC need a port that speaks HTTP/2. */
const BY_GRPC: readonly string[] = ["skywalking", "envoyOtelAls", "envoyHttpAls", "envoyTcpAls"];

function withoutService(input: Input, { kind, settings }: ExtensionProvider): string | undefined {
  if (kind === "prometheus" || kind === "envoyFileAccessLog") return undefined;
  const asked = providerService(settings);
  if (asked === undefined) return "it names no service and port";
  const { host, port, namespace } = asked;
  const services = servicesOf(input.model, asked);
  if (services.length === 0)
    return input.complete || input.knows("Service", namespace) ? `nobody knows the service ${host}` : undefined;
  const found = services.flatMap(({ ports }) => ports).find(({ number }) => number === port);
  if (found === undefined) return `service ${host} has no port ${port}`;
  const isGrpc = isByGrpc(kind, settings);
  return speaks(found.protocol, isGrpc)
    ? undefined
    : `port ${port} of ${host} does not speak ${isGrpc ? "gRPC" : "HTTP"}`;
}

function isByGrpc(kind: string, settings: ExtensionProvider["settings"]): boolean {
  return BY_GRPC.includes(kind) || (kind === "opentelemetry" && settings["http"] === undefined);
}

/** What is not declared may speak it; of HTTP/1.1 it is known that it does not. */
function speaks(protocol: Protocol, isGrpc: boolean): boolean {
  if (isGrpc) return protocol !== "http";
  return isHttp(protocol) || protocol === "auto" || protocol === "tcp";
}

type AskedService = NonNullable<ReturnType<typeof providerService>>;

function servicesOf(model: Model, { host, namespace }: AskedService): readonly MeshService[] {
  const isMeant = (one: MeshService): boolean =>
    one.hostname === host && (namespace === undefined || one.namespace === namespace);
  return model.services.all().filter(isMeant);
}

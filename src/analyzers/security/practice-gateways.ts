import { hostMatches } from "../../model/host.ts";
import { labelsKey } from "../../model/selectors.ts";
import { byAge } from "../../model/order.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { refOf, refText } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/** What gateways offer to everybody: https://istio.io/latest/docs/ops/best-practices/security/#gateways. */
export const practiceGateways = defineAnalyzer({
  name: "practice-gateways",
  summary: "Finds gateways that serve too broadly, in plaintext, or with old TLS.",
  reads: ["Gateway", "Sidecar", "VirtualService"],
  codes: ["MSH0179", "MSH0180", "MSH0181", "MSH0188", "MSH0189"],
  profile: "security",
  analyze: (input) => {
    const bySelector = new Map<string, Gateway[]>();
    for (const gateway of input.world.list("Gateway")) {
      checkServers(input, gateway);
      const key = labelsKey(gateway.spec?.selector ?? {});
      const there = bySelector.get(key);
      if (there === undefined) bySelector.set(key, [gateway]);
      else there.push(gateway);
    }
    for (const gateways of bySelector.values()) checkTogether(input, gateways.toSorted(byAge).flatMap(serversOf));
    for (const { spec, ...object } of input.world.list("Sidecar"))
      for (const [index, { tls }] of (spec?.ingress ?? []).entries())
        checkVersions(input, { ...object }, ["spec", "ingress", index, "tls"], tls);
    for (const route of input.world.list("VirtualService")) checkAnyHost(input, route);
  },
});

type Input = AnalyzerInput<
  "Gateway" | "Sidecar" | "VirtualService",
  "MSH0179" | "MSH0180" | "MSH0181" | "MSH0188" | "MSH0189"
>;
type Gateway = KindTypes["Gateway"];
type Server = NonNullable<NonNullable<Gateway["spec"]>["servers"]>[number];
type Tls = NonNullable<Server["tls"]>;
type Path = readonly (string | number)[];

interface PlacedServer {
  readonly gateway: Gateway;
  readonly server: Server;
  readonly path: Path;
  /** Without namespaces. */
  readonly hosts: readonly string[];
}

function serversOf(gateway: Gateway): readonly PlacedServer[] {
  return (gateway.spec?.servers ?? []).map((server, index) => ({
    gateway,
    server,
    path: ["spec", "servers", index],
    hosts: server.hosts.map((host) => host.slice(host.indexOf("/") + 1)),
  }));
}

function checkServers(input: Input, gateway: Gateway): void {
  for (const { server, path } of serversOf(gateway)) {
    for (const [index, host] of server.hosts.entries())
      if (host === "*" || host === "*/*") input.report(gateway, [...path, "hosts", index], "MSH0179", { host });
    checkVersions(input, gateway, [...path, "tls"], server.tls);
  }
}

/** Ciphers without forward secrecy, with SHA-1 or broken. */
const WEAK = /RC4|DES|NULL|EXPORT|MD5|^AES|-SHA$/;

function checkVersions(
  { report }: Input,
  object: Parameters<Input["report"]>[0],
  path: Path,
  tls: Tls | undefined,
): void {
  const version = tls?.minProtocolVersion ?? "";
  if (version === "TLSV1_0" || version === "TLSV1_1")
    report(object, [...path, "minProtocolVersion"], "MSH0181", { field: "minProtocolVersion", version });
  for (const [index, cipher] of (tls?.cipherSuites ?? []).entries())
    if (WEAK.test(cipher))
      report(object, [...path, "cipherSuites", index], "MSH0181", { field: "cipherSuites", version: cipher });
}

const TERMINATING: readonly (string | undefined)[] = ["SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"];

/** Servers that the same pods serve. */
function checkTogether(input: Input, servers: readonly PlacedServer[]): void {
  const secure = servers.filter(({ server }) => TERMINATING.includes(server.tls?.mode));
  const secured = new Set(secure.flatMap(({ hosts }) => hosts));
  const open = servers.filter(
    ({ server }) => server.tls === undefined && /^(?:HTTP|HTTP2|GRPC)$/i.test(server.port.protocol),
  );
  for (const { gateway, server, path, hosts } of open)
    if (hosts.some((host) => secured.has(host))) input.report(gateway, path, "MSH0180", { port: server.port.number });
  const mutual = secure.filter(({ server }) => server.tls?.mode === "MUTUAL");
  const simple = secure.filter(
    ({ server, hosts }) => server.tls?.mode === "SIMPLE" && hosts.some((host) => host.startsWith("*")),
  );
  for (const { gateway, server, path, hosts } of mutual)
    for (const other of simple) {
      const host = hosts.find((each) => other.hosts.some((pattern) => pattern !== each && hostMatches(pattern, each)));
      if (host === undefined || other.server.port.number !== server.port.number) continue;
      const title = `${refText(refOf(other.gateway))} (${other.hosts.join(", ")})`;
      const related = { object: other.gateway, path: other.path, words: "the server without client certificates" };
      input.report(gateway, [...path, "tls", "mode"], "MSH0188", { host, other: title }, related);
      break;
    }
}

function checkAnyHost({ report }: Input, route: KindTypes["VirtualService"]): void {
  const { hosts = [], gateways = ["mesh"] } = route.spec ?? {};
  for (const [index, host] of hosts.entries())
    if (host === "*") report(route, ["spec", "hosts", index], "MSH0189", { gateways: gateways.join(", ") });
}

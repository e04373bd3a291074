import { clusterPolicy } from "../../compile/traffic-policy.ts";
import { refOf, refText } from "../../resources/object.ts";
import { hostMatches, parseServiceHost, resolveHost } from "../../model/host.ts";
import { targetPortOf } from "../../model/pods.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { type TlsSetting, tlsSettings } from "../rule-tls.ts";

/**
 * What clients send (the DestinationRule that is effective for them) against what servers take (the effective
 * PeerAuthentication of each pod and port, or no proxy at all). A pair that disagrees gets 503 UF or a reset. Without
 * `tls` clients find out by themselves, so only rules that set it are looked at.
 */
export const clientTls = defineAnalyzer({
  name: "client-tls",
  summary: "Compares the TLS that DestinationRules make clients send with what the servers take.",
  reads: ["DestinationRule", "PeerAuthentication", "Service", "Pod", "Namespace", "Gateway", "ConfigMap"],
  codes: ["MSH0100"],
  analyze: (input) => {
    const services = input.world.list("Service");
    for (const rule of input.world.list("DestinationRule")) {
      const settings = tlsSettings(rule).filter(({ tls }) => tls.mode !== undefined);
      if (settings.length === 0) continue;
      for (const service of servicesOf(input, rule, services)) checkService(input, rule, settings, service);
    }
  },
});

type Input = AnalyzerInput<
  "DestinationRule" | "PeerAuthentication" | "Service" | "Pod" | "Namespace" | "Gateway" | "ConfigMap",
  "MSH0100"
>;
type Rule = KindTypes["DestinationRule"];
type Service = KindTypes["Service"];
type MeshService = NonNullable<ReturnType<Input["model"]["services"]["kubernetes"]>>;
type Effective = ReturnType<Input["model"]["destinationRules"]["effective"]>;

/** Services of the cluster that a rule is for. */
function servicesOf({ world, model }: Input, { spec, metadata }: Rule, all: readonly Service[]): readonly Service[] {
  const host = resolveHost(spec?.host ?? "", metadata.namespace ?? "", model.domain);
  const parsed = parseServiceHost(host, model.domain);
  if (parsed !== undefined) return [world.get("Service", parsed.namespace, parsed.name) ?? []].flat();
  if (!host.startsWith("*")) return [];
  return all.filter((service) => {
    const name = model.services.kubernetes(service.metadata.namespace ?? "", service.metadata.name)?.hostname;
    return name !== undefined && hostMatches(host, name);
  });
}

/** The first namespace for whose callers the rule holds stands for all of them. */
function checkService(input: Input, rule: Rule, settings: readonly TlsSetting[], service: Service): void {
  const { model } = input;
  const { namespace, name } = refOf(service);
  const known = model.services.kubernetes(namespace, name);
  if (known === undefined) return;
  const labels = rule.spec?.workloadSelector?.matchLabels ?? {};
  for (const caller of callerNamespaces(input, refOf(rule).namespace, namespace)) {
    const effective = model.destinationRules.effective({ namespace: caller, labels }, known.hostname, namespace);
    const applied = settings.filter((setting) =>
      known.ports.some(({ number }) => clusterPolicy(effective, number, setting.subset)?.policy.tls === setting.tls),
    );
    if (applied.length === 0) continue;
    for (const setting of applied) checkSetting(input, { rule, setting, effective }, service, known);
    return;
  }
}

interface Applied {
  readonly rule: Rule;
  readonly setting: TlsSetting;
  readonly effective: Effective;
}

/** Reports a setting at the first port whose server refuses it. */
function checkSetting(
  input: Input,
  { rule, setting, effective }: Applied,
  object: Service,
  { hostname, namespace, ports }: MeshService,
): void {
  const { mode = "" } = setting.tls;
  const subset = effective?.subsets.find((each) => each.subset.name === setting.subset)?.subset;
  const labels = { ...object.spec?.selector, ...subset?.labels };
  for (const { number } of ports) {
    if (clusterPolicy(effective, number, setting.subset)?.policy.tls !== setting.tls) continue;
    const taken = refusal(input, { namespace, labels, target: targetOf(object, number) }, mode);
    if (taken === undefined) continue;
    const args = { service: `${hostname}:${number}`, client: CLIENT[mode] ?? mode, ...taken };
    return input.report(rule, [...setting.path, "mode"], "MSH0100", args);
  }
}

function targetOf({ spec }: Service, number: number): number | string {
  return spec?.ports?.find(({ port }) => port === number)?.targetPort ?? number;
}

/** Where callers may be: of the root namespace a rule is not for its own workloads alone, and often there are none. */
function callerNamespaces({ model }: Input, ofRule: string, ofService: string): readonly string[] {
  const inhabited = model.workloads.namespaces();
  const own = ofRule === model.rootNamespace && !inhabited.includes(ofRule) ? [] : [ofRule];
  return [...new Set([...own, ofService, ...inhabited])];
}

const CLIENT: Readonly<Record<string, string>> = {
  DISABLE: "plaintext",
  SIMPLE: "TLS of its own",
  MUTUAL: "TLS with a certificate of its own",
  ISTIO_MUTUAL: "mutual TLS of the mesh",
};

interface Server {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly target: number | string;
}

/** What the server takes instead, when some pod of it refuses what the client sends. */
function refusal(
  { model }: Input,
  server: Server,
  mode: string,
): { readonly server: string; readonly because: string } | undefined {
  const pods = Object.keys(server.labels).length === 0 ? [] : model.workloads.selected(server.namespace, server.labels);
  const workloads = pods.filter((pod) => !model.workloads.isGateway(pod));
  if (pods.length === 0 && typeof server.target === "number") return verdict(mode, model, server, server.target);
  for (const pod of workloads) {
    const port = targetPortOf(model.pods.ports(server.namespace, pod.metadata.name), server.target);
    const proxy = model.workloads.proxy(pod);
    if (proxy === "no" && mode === "ISTIO_MUTUAL")
      return { server: "plaintext", because: `pod ${server.namespace}/${pod.metadata.name} has no proxy` };
    if (proxy === "no") continue;
    const found = verdict(mode, model, { namespace: server.namespace, labels: pod.metadata.labels ?? {} }, port);
    if (found !== undefined) return found;
  }
  return undefined;
}

function verdict(
  mode: string,
  model: Input["model"],
  workload: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
  port: number | undefined,
): { readonly server: string; readonly because: string } | undefined {
  const taken = model.peerAuthentications.effective(workload, port);
  if (taken.from === undefined) return undefined;
  const because = `${refText(taken.from.from)}: ${taken.mode}`;
  if (taken.mode === "STRICT" && mode !== "ISTIO_MUTUAL") return { server: CLIENT["ISTIO_MUTUAL"] ?? "", because };
  if (taken.mode === "DISABLE" && mode === "ISTIO_MUTUAL") return { server: "plaintext", because };
  return undefined;
}

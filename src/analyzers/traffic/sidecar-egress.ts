import { nearest } from "../../base/nearest.ts";
import { parseServiceHost, resolveHost, serviceHost } from "../../model/host.ts";
import { namedSelector } from "../../model/selectors.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { type KubeObject, refOf, refText } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/** What a Sidecar shows its workloads, against what is there and what other objects of the namespace are for. */
export const sidecarEgress = defineAnalyzer({
  name: "sidecar-egress",
  summary: "Checks that Sidecars list hosts that exist, and those that the rules of their namespace are for.",
  reads: [
    "Sidecar",
    "VirtualService",
    "DestinationRule",
    "Service",
    "ServiceEntry",
    "Namespace",
    "Pod",
    "ServiceAccount",
    "ConfigMap",
  ],
  codes: ["MSH0109", "MSH0110", "MSH0111", "MSH0112"],
  analyze: (input) => {
    for (const sidecar of input.world.list("Sidecar")) {
      checkHosts(input, sidecar);
      checkSettings(input, sidecar);
    }
    for (const rule of input.world.list("DestinationRule"))
      checkRule(input, rule, [{ host: rule.spec?.host ?? "", path: ["spec", "host"] }]);
    for (const route of input.world.list("VirtualService")) {
      const { gateways = [], hosts = [] } = route.spec ?? {};
      const named = hosts.map((host, index) => ({ host, path: ["spec", "hosts", index] }));
      if (gateways.length === 0 || gateways.includes("mesh")) checkRule(input, route, named);
    }
  },
});

type Input = AnalyzerInput<
  | "Sidecar"
  | "VirtualService"
  | "DestinationRule"
  | "Service"
  | "ServiceEntry"
  | "Namespace"
  | "Pod"
  | "ServiceAccount"
  | "ConfigMap",
  "MSH0109" | "MSH0110" | "MSH0111" | "MSH0112"
>;

function checkSettings({ model, report }: Input, sidecar: KindTypes["Sidecar"]): void {
  const { workloadSelector, outboundTrafficPolicy: policy } = sidecar.spec ?? {};
  const { rootNamespace: root } = model;
  if (refOf(sidecar).namespace === root && namedSelector(workloadSelector?.labels) !== undefined)
    report(sidecar, ["spec", "workloadSelector"], "MSH0111", { root });
  if (policy !== undefined && policy.mode === undefined && policy.egressProxy === undefined)
    report(sidecar, ["spec", "outboundTrafficPolicy"], "MSH0112", {});
}

interface NamedHost {
  readonly host: string;
  readonly path: readonly (string | number)[];
}

/** A rule for a service of another namespace is written for the workloads of its own: they must see the service. */
function checkRule(input: Input, object: KubeObject, named: readonly NamedHost[]): void {
  const { model } = input;
  const { namespace } = refOf(object);
  const sidecar = model.sidecars.ofNamespace(namespace);
  if (sidecar === undefined || namespace === model.rootNamespace) return;
  for (const { host: written, path } of named) {
    const host = resolveHost(written, namespace, model.domain);
    const service = model.services.visible(namespace, host);
    if (service === undefined || service.namespace === namespace) continue;
    if (model.sidecars.imports(sidecar, namespace, { name: host, namespace: service.namespace })) continue;
    const args = { kind: object.kind, host, sidecar: refText(refOf(sidecar)), namespace };
    const related = { object: sidecar, path: ["spec", "egress"], words: "what the Sidecar lists" };
    input.report(object, path, "MSH0109", args, related);
  }
}

function checkHosts(input: Input, sidecar: KindTypes["Sidecar"]): void {
  for (const [index, { hosts }] of (sidecar.spec?.egress ?? []).entries())
    for (const [position, entry] of (hosts ?? []).entries()) {
      const missing = missingEntry(input, sidecar.metadata.namespace ?? "", entry);
      if (missing !== undefined)
        input.report(sidecar, ["spec", "egress", index, "hosts", position], "MSH0110", { entry, nearest: missing });
    }
}

/** What was probably meant ("" when nothing comes near), or undefined when the entry is right or cannot be judged. */
function missingEntry(input: Input, viewer: string, entry: string): string | undefined {
  const { model } = input;
  const slash = entry.indexOf("/");
  const [from, host] = [entry.slice(0, slash), entry.slice(slash + 1)];
  const namespace = from === "." ? viewer : from;
  if (from === "~") return undefined;
  if (host.includes("*")) return missingNamespace(input, { viewer, namespace, host });
  const service = model.services.visible(viewer, host);
  if (service === undefined) return missingHost(input, { viewer, namespace, host });
  return namespace === "*" || service.namespace === namespace ? undefined : `${service.namespace}/${host}`;
}

interface Entry {
  readonly viewer: string;
  /** Not `.`; perhaps `*`. */
  readonly namespace: string;
  readonly host: string;
}

/** A host that nobody has: a short name of a Service, or nearly the name of one. */
function missingHost(input: Input, { viewer, namespace, host }: Entry): string | undefined {
  const { world, model } = input;
  const parsed = parseServiceHost(host, model.domain);
  const there = parsed?.namespace ?? (namespace === "*" ? undefined : namespace);
  if (!input.knows("Service", there) && !input.knows("ServiceEntry", there)) {
    input.unknown(`host ${host}: no service of its namespace is in the files`);
    return undefined;
  }
  const [name = "", second = namespace] = host.split(".");
  const full = serviceHost(name, second, model.domain);
  if (model.services.visible(viewer, full) !== undefined) return `${namespace}/${full}`;
  if (parsed === undefined) return "";
  const names = world.list("Service", parsed.namespace).map(({ metadata }) => metadata.name);
  const close = nearest(parsed.name, names);
  return close === undefined ? "" : `${namespace}/${serviceHost(close, parsed.namespace, model.domain)}`;
}

/** Files may hold a part of the namespaces: there only what is nearly the name of one is told. */
function missingNamespace(
  { world, model, complete, knows }: Input,
  { viewer, namespace, host }: Entry,
): string | undefined {
  if (["*", viewer, model.rootNamespace].includes(namespace) || !knows("Namespace")) return undefined;
  if (model.namespaces.exists(namespace) || world.list("ServiceEntry", namespace).length > 0) return undefined;
  const names = world.list("Namespace").map(({ metadata }) => metadata.name);
  const close = nearest(namespace, names);
  if (close === undefined) return complete ? "" : undefined;
  return `${close}/${host}`;
}

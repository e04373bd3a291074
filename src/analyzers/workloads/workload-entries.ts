import { nearest } from "../../base/nearest.ts";
import { labelsKey } from "../../model/selectors.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { type KubeObject, refOf, refText } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { labelsText } from "../pod-owner.ts";

/** Workloads outside Kubernetes: their accounts, and entries that double each other. */
export const workloadEntries = defineAnalyzer({
  name: "workload-entries",
  summary: "Checks service accounts of WorkloadGroups and WorkloadEntries, and finds doubles among them.",
  reads: ["WorkloadGroup", "WorkloadEntry", "ServiceAccount"],
  codes: ["MSH0136", "MSH0137", "MSH0138"],
  analyze: (input) => {
    for (const entry of input.world.list("WorkloadEntry"))
      checkAccount(input, entry, ["spec", "serviceAccount"], entry.spec?.serviceAccount);
    for (const group of input.world.list("WorkloadGroup"))
      checkAccount(input, group, ["spec", "template", "serviceAccount"], specOf(group).template?.serviceAccount);
    checkGroups(input);
    checkEntries(input);
  },
});

type Input = AnalyzerInput<"WorkloadGroup" | "WorkloadEntry" | "ServiceAccount", "MSH0136" | "MSH0137" | "MSH0138">;

/** What is read of a WorkloadGroup. */
interface GroupSpec {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
  readonly template?: { readonly serviceAccount?: string };
}

function specOf(group: KubeObject): GroupSpec {
  return (group.spec ?? {}) as GroupSpec;
}

function checkAccount(input: Input, object: KubeObject, path: readonly string[], account = "default"): void {
  const { namespace = "" } = object.metadata;
  // every namespace has the account "default"
  if (account === "default" || account === "" || input.world.get("ServiceAccount", namespace, account) !== undefined)
    return;
  if (!input.knows("ServiceAccount", namespace))
    return input.unknown(`service account ${namespace}/${account}: no ServiceAccount of its namespace is in the files`);
  const names = input.world.list("ServiceAccount", namespace).map(({ metadata }) => metadata.name);
  input.report(object, path, "MSH0136", { account, namespace, nearest: nearest(account, names) ?? "" });
}

function checkGroups({ world, report }: Input): void {
  const seen = new Map<string, KubeObject>();
  for (const group of world.list("WorkloadGroup")) {
    const labels = specOf(group).metadata?.labels ?? {};
    if (Object.keys(labels).length === 0) continue;
    const key = `${group.metadata.namespace ?? ""} ${labelsKey(labels)}`;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, group);
    else {
      const args = { other: refText(refOf(first)), labels: labelsText(labels) };
      const related = { object: first, path: ["spec", "metadata", "labels"], words: "the same labels" };
      report(group, ["spec", "metadata", "labels"], "MSH0137", args, related);
    }
  }
}

/** One address may serve several services: only entries that nothing tells apart are doubles. */
function checkEntries({ world, report }: Input): void {
  const seen = new Map<string, KindTypes["WorkloadEntry"]>();
  for (const entry of world.list("WorkloadEntry")) {
    const { address, network, labels = {}, ports = {} } = entry.spec ?? {};
    if (address === undefined || Object.keys(labels).length === 0) continue;
    const portNumbers = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)]));
    const key = JSON.stringify([entry.metadata.namespace, address, network, labelsKey(labels), labelsKey(portNumbers)]);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, entry);
    else {
      const related = { object: first, path: ["spec", "address"], words: "the same address" };
      report(entry, ["spec", "address"], "MSH0138", { address, other: refText(refOf(first)) }, related);
    }
  }
}

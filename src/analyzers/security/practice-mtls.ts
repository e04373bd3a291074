import type { KindTypes } from "../../resources/kinds.ts";
import { refOf, refText } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { labelsText, podOwner } from "../pod-owner.ts";

/** Traffic that is not, or need not be, encrypted and authenticated: https://istio.io/latest/docs/ops/best-practices/security/. */
export const practiceMtls = defineAnalyzer({
  name: "practice-mtls",
  summary: "Finds workloads that take plaintext.",
  reads: ["PeerAuthentication", "Pod", "Namespace", "Gateway"],
  codes: ["MSH0170", "MSH0171"],
  profile: "security",
  analyze: (input) => {
    for (const policy of input.world.list("PeerAuthentication")) checkDisabled(input, policy);
    checkPermissive(input);
  },
});

type Input = AnalyzerInput<"PeerAuthentication" | "Pod" | "Namespace" | "Gateway", "MSH0170" | "MSH0171">;

function checkDisabled({ model, report }: Input, policy: KindTypes["PeerAuthentication"]): void {
  const { selector, mtls, portLevelMtls = {} } = policy.spec ?? {};
  const { namespace } = refOf(policy);
  const labels = labelsText(selector?.matchLabels ?? {});
  const all = namespace === model.rootNamespace ? "the mesh" : `namespace ${namespace}`;
  const whole = labels === "" ? all : `${all}, ${labels}`;
  if (mtls?.mode === "DISABLE") report(policy, ["spec", "mtls", "mode"], "MSH0171", { where: whole });
  for (const [port, { mode }] of Object.entries(portLevelMtls))
    if (mode === "DISABLE")
      report(policy, ["spec", "portLevelMtls", port, "mode"], "MSH0171", { where: `port ${port} of ${whole}` });
}

/** One finding for each policy that says PERMISSIVE, and one for each namespace where nobody says anything. */
function checkPermissive(input: Input): void {
  const { world, model } = input;
  const told = new Set<string>();
  for (const pod of world.list("Pod")) {
    if (model.workloads.isGateway(pod) || model.workloads.proxy(pod) !== "yes") continue;
    const { namespace } = refOf(pod);
    const taken = model.peerAuthentications.effective({ namespace, labels: pod.metadata.labels ?? {} });
    const key = taken.from === undefined ? namespace : refText(taken.from.from);
    if (taken.mode !== "PERMISSIVE" || told.has(key)) continue;
    told.add(key);
    reportPermissive(input, pod, taken);
  }
}

/** At the policy that says so, else at the namespace, else at the workload. */
function reportPermissive(
  { world, report }: Input,
  pod: KindTypes["Pod"],
  { from }: ReturnType<Input["model"]["peerAuthentications"]["effective"]>,
): void {
  const { namespace } = refOf(pod);
  const { object, title } = podOwner(pod);
  const policy = from === undefined ? undefined : world.get("PeerAuthentication", from.from.namespace, from.from.name);
  if (policy !== undefined && from !== undefined)
    return report(policy, from.path, "MSH0170", { where: `its workloads, as ${title},`, policy: "PERMISSIVE" });
  const place = world.get("Namespace", "", namespace) ?? object;
  const args = { where: `workloads of namespace ${namespace}`, policy: "no PeerAuthentication says otherwise" };
  report(place, [], "MSH0170", args);
}

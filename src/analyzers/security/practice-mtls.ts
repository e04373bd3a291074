import { refText } from "../../resources/object.ts";
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
    for (const policy of input.world.list("PeerAuthentication")) {
      const { namespace = "" } = policy.metadata;
      const labels = labelsText(policy.spec?.selector?.matchLabels ?? {});
      const all = namespace === input.model.rootNamespace ? "the mesh" : `namespace ${namespace}`;
      const whole = labels === "" ? all : `${all}, ${labels}`;
      if (policy.spec?.mtls?.mode === "DISABLE")
        input.report(policy, ["spec", "mtls", "mode"], "MSH0171", { where: whole });
      for (const [port, mtls] of Object.entries(policy.spec?.portLevelMtls ?? {}))
        if (mtls?.mode === "DISABLE")
          input.report(policy, ["spec", "portLevelMtls", port, "mode"], "MSH0171", {
            where: `port ${port} of ${whole}`,
          });
    }
    checkPermissive(input);
  },
});

/** One finding for each policy that says PERMISSIVE, and one for each namespace where nobody says anything. */
function checkPermissive({
  world,
  model,
  report,
}: AnalyzerInput<"PeerAuthentication" | "Pod" | "Namespace" | "Gateway", "MSH0170" | "MSH0171">): void {
  const told = new Set<string>();
  for (const pod of world.list("Pod")) {
    if (model.workloads.isGateway(pod) || model.workloads.proxy(pod) !== "yes") continue;
    const { namespace = "", labels = {} } = pod.metadata;
    const { mode, from } = model.peerAuthentications.effective({ namespace, labels });
    const key = from === undefined ? namespace : refText(from.from);
    if (mode !== "PERMISSIVE" || told.has(key)) continue;
    told.add(key);
    const policy =
      from === undefined ? undefined : world.get("PeerAuthentication", from.from.namespace, from.from.name);
    if (policy !== undefined && from !== undefined)
      report(policy, from.path, "MSH0170", {
        where: `its workloads, as ${podOwner(pod).title},`,
        policy: "PERMISSIVE",
      });
    else {
      const owner = world.get("Namespace", "", namespace) ?? podOwner(pod).object;
      report(owner, [], "MSH0170", {
        where: `workloads of namespace ${namespace}`,
        policy: "no PeerAuthentication says otherwise",
      });
    }
  }
}

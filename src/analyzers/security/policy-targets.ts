import type { KindName } from "../../resources/kinds.ts";
import type { KubeObject } from "../../resources/object.ts";
import { defineAnalyzer } from "../analyzer.ts";

const POLICIES = [
  "AuthorizationPolicy",
  "RateLimitPolicy",
  "RequestAuthentication",
  "Telemetry",
  "WasmPlugin",
] as const;
const TARGETS = ["KubernetesGateway", "Service", "ServiceEntry"] as const;

/** A policy that is attached to nothing holds for nothing: where it should have refused, everything passes. */
export const policyTargets = defineAnalyzer({
  name: "policy-targets",
  summary: "Checks that objects that policies are attached to exist.",
  reads: [...POLICIES, ...TARGETS],
  codes: ["MSH0159"],
  analyze: (input) => {
    for (const kind of POLICIES)
      for (const policy of input.world.list(kind))
        for (const { target, path } of targetsOf(policy)) {
          const known = targetKind(target);
          const { namespace = "" } = policy.metadata;
          const there = target.namespace ?? namespace;
          if (known === undefined || input.world.get(known, there, target.name) !== undefined) continue;
          const title = `${target.kind} ${there}/${target.name}`;
          if (!input.knows(known, there)) {
            input.unknown(`target ${title}: no ${target.kind} of its namespace is in the files`);
            continue;
          }
          const names = input.world.list(known, there).map(({ metadata }) => metadata.name);
          const where =
            names.length === 0
              ? "Correct the name."
              : `${target.kind} objects of ${there}: ${names.slice(0, 8).join(", ")}.`;
          input.report(policy, [...path, "name"], "MSH0159", { target: title, where });
        }
  },
});

interface Target {
  readonly group?: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

function targetsOf({
  spec,
}: KubeObject): readonly { readonly target: Target; readonly path: readonly (string | number)[] }[] {
  const { targetRef, targetRefs = [] } = (spec ?? {}) as {
    readonly targetRef?: Target;
    readonly targetRefs?: readonly Target[];
  };
  return [
    ...(targetRef === undefined ? [] : [{ target: targetRef, path: ["spec", "targetRef"] }]),
    ...targetRefs.map((target, index) => ({ target, path: ["spec", "targetRefs", index] })),
  ];
}

/** Kinds of targets that can be looked up; a GatewayClass cannot. */
function targetKind({ group = "", kind }: Target): Extract<KindName, (typeof TARGETS)[number]> | undefined {
  if (kind === "Gateway" && group === "gateway.networking.k8s.io") return "KubernetesGateway";
  if (kind === "Service" && (group === "" || group === "core")) return "Service";
  if (kind === "ServiceEntry" && group === "networking.istio.io") return "ServiceEntry";
  return undefined;
}

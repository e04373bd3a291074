import type { Model } from "../../model/model.ts";
import type { ObjectRef } from "../../diagnostics/finding.ts";
import { GATEWAY_GROUP, type Problem } from "../../model/gateway-api-types.ts";
import { portsOf } from "../../model/gateway-api-backends.ts";
import { byAge } from "../../model/order.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { certain, type Condition, condition, type Knows, withAuthority } from "./condition.ts";

export type BackendPolicy = KindTypes["BackendTLSPolicy"];
type Target = NonNullable<BackendPolicy["spec"]>["targetRefs"][number];

/** Status of a BackendTLSPolicy: one entry for each Gateway of ours that sends requests to a target. */
export interface PolicyStatus {
  readonly ancestors: readonly {
    readonly ancestorRef: {
      readonly group: string;
      readonly kind: string;
      readonly namespace: string;
      readonly name: string;
    };
    readonly controllerName: string;
    readonly conditions: readonly Condition[];
  }[];
}

/** The status that our controller gives a policy. */
export function policyStatus(model: Model, policy: BackendPolicy, knows: Knows): PolicyStatus {
  const { namespace = "", generation = 0 } = policy.metadata;
  const problems = policyProblems(model, policy);
  const context = { generation, knows };
  const broken = certain(problems, knows).filter(({ code }) => code === "MSH0742");
  const wanted = policy.spec?.validation.caCertificateRefs ?? [];
  const lacksAuthority = wanted.length > 0 && broken.length >= wanted.length;
  const gateways = new Map<string, ObjectRef>();
  for (const { name } of (policy.spec?.targetRefs ?? []).filter(isService))
    for (const gateway of model.gatewayApi.gatewaysOfService(namespace, name))
      gateways.set(`${gateway.namespace}/${gateway.name}`, gateway);
  const ancestors = [...gateways.values()].map((gateway) => ({
    ancestorRef: { group: GATEWAY_GROUP, kind: "Gateway", namespace: gateway.namespace, name: gateway.name },
    controllerName: "istio.io/gateway-controller",
    conditions: [
      withAuthority(condition("Accepted", ACCEPTED, problems, context), lacksAuthority),
      condition(
        "ResolvedRefs",
        { reason: "ResolvedRefs", message: "every reference leads to something" },
        problems,
        context,
      ),
    ],
  }));
  return { ancestors };
}

const ACCEPTED = { reason: "Accepted", message: "connections to the backend use TLS" };

/** What is wrong with a policy. */
export function policyProblems(model: Model, policy: BackendPolicy): readonly Problem[] {
  const targets = policy.spec?.targetRefs ?? [];
  return [
    ...targets.flatMap((target, index) => targetProblem(model, policy, { target, index }) ?? []),
    ...targets.flatMap((target, index) => conflictOf(model, policy, { target, index }) ?? []),
    ...authorityProblems(model, policy),
  ];
}

function isService({ group, kind }: Target): boolean {
  return group === "" && kind === "Service";
}

interface TargetPlace {
  readonly target: Target;
  readonly index: number;
}

function targetProblem(model: Model, { metadata }: BackendPolicy, { target, index }: TargetPlace): Problem | undefined {
  if (!isService(target)) return undefined;
  const { namespace = "" } = metadata;
  const { name, sectionName } = target;
  const path = ["spec", "targetRefs", index];
  const service = model.world.get("Service", namespace, name);
  const words = `Service ${namespace}/${name}`;
  if (service === undefined)
    return {
      code: "MSH0740",
      path: [...path, "name"],
      args: { target: words, has: "" },
      needs: { kind: "Service", namespace },
    };
  if (sectionName === undefined || (service.spec?.ports ?? []).some((port) => port.name === sectionName))
    return undefined;
  const args = { target: `port ${sectionName} of ${words}`, has: portsOf(service) };
  return { code: "MSH0740", path: [...path, "sectionName"], args };
}

/** Of policies for one target the older counts. */
function conflictOf(model: Model, policy: BackendPolicy, { target, index }: TargetPlace): Problem | undefined {
  const rivals = model.world
    .list("BackendTLSPolicy", policy.metadata.namespace ?? "")
    .filter(
      (other) =>
        other !== policy &&
        byAge(other, policy) < 0 &&
        (other.spec?.targetRefs ?? []).some((each) => sameTarget(each, target)),
    );
  const [winner] = rivals.toSorted(byAge);
  if (winner === undefined) return undefined;
  const { namespace = "", name } = winner.metadata;
  const args = { target: `${target.kind} ${target.name}`, winner: `BackendTLSPolicy ${namespace}/${name}` };
  return { code: "MSH0741", path: ["spec", "targetRefs", index], args };
}

function sameTarget(a: Target, b: Target): boolean {
  return a.group === b.group && a.kind === b.kind && a.name === b.name && a.sectionName === b.sectionName;
}

function authorityProblems(model: Model, { spec, metadata }: BackendPolicy): readonly Problem[] {
  const from = { group: GATEWAY_GROUP, kind: "BackendTLSPolicy", namespace: metadata.namespace ?? "" };
  return (spec?.validation.caCertificateRefs ?? []).flatMap((ref, index): readonly Problem[] => {
    const found = model.gatewayApi.secrets.authorityProblem(from, ref);
    if (found === undefined) return [];
    const { what, problem, needs, wrongKind } = found;
    const path = ["spec", "validation", "caCertificateRefs", index];
    const reason = wrongKind === true ? { reason: "InvalidKind" } : {};
    return [{ code: "MSH0742", path, args: { what, problem }, ...(needs === undefined ? {} : { needs }), ...reason }];
  });
}

import { readOverlays } from "../../model/gateway-api-deployments.ts";
import type { Model } from "../../model/model.ts";
import type { ApiGateway, Listener, Problem } from "../../model/gateway-api-types.ts";
import { GATEWAY_GROUP } from "../../model/gateway-api-types.ts";
import {
  certain,
  type Condition,
  condition,
  type ConditionContext,
  type Knows,
  withAuthority,
  wordsOf,
} from "./condition.ts";

/** Status of a Gateway; addresses are added by whoever knows the Service. */
export interface GatewayStatus {
  readonly conditions: readonly Condition[];
  readonly listeners: readonly ListenerStatus[];
}

export interface ListenerStatus {
  readonly name: string;
  readonly supportedKinds: readonly { readonly group: string; readonly kind: string }[];
  readonly attachedRoutes: number;
  readonly conditions: readonly Condition[];
}

/** The status that our controller gives a Gateway; undefined when its class is not ours. */
export function gatewayStatus(model: Model, gateway: ApiGateway, knows: Knows): GatewayStatus | undefined {
  const served = model.gatewayApi.classes.of(gateway);
  if (!served.known || !served.ours) return undefined;
  const { namespace = "", name, generation = 0 } = gateway.metadata;
  const context = { generation, knows };
  const counts = model.gatewayApi.attachedRoutes(namespace, name);
  const listeners = model.gatewayApi.listeners
    .of(namespace, name)
    .map((listener) => ({ listener, status: listenerStatus(listener, counts.get(listener.name) ?? 0, context) }));
  const problems = gatewayProblems(model, gateway);
  const accepted = condition("Accepted", ACCEPTED, problems, context);
  const invalid = listeners.filter(({ status }) => !isProgrammed(status));
  return {
    conditions: [
      accepted.status === "True" && invalid.length > 0
        ? withInvalid(accepted, invalid.length === listeners.length)
        : accepted,
      programmed(problems, { some: invalid.length < listeners.length || listeners.length === 0, accepted }, context),
      condition(
        "ResolvedRefs",
        { reason: "ResolvedRefs", message: "every reference leads to something" },
        problems,
        context,
      ),
      ...(takesAnyClient(gateway) ? [insecure(generation)] : []),
    ],
    listeners: listeners.map(({ status }) => status),
  };
}

/** Whether clients of some port may come with any certificate, or none. */
function takesAnyClient({ spec }: ApiGateway): boolean {
  const { default: ofAll, perPort = [] } = spec?.tls?.frontend ?? {};
  return [ofAll, ...perPort.map(({ tls }) => tls)].some((tls) => tls?.validation?.mode === "AllowInsecureFallback");
}

function insecure(observedGeneration: number): Condition {
  const message = "clients are let in with a certificate that nobody has signed, or with none (AllowInsecureFallback)";
  const type = "InsecureFrontendValidationMode";
  return { type, status: "True", reason: "ConfigurationChanged", message, observedGeneration };
}

const ACCEPTED = { reason: "Accepted", message: "taken" };

/** What is wrong with a Gateway apart from its listeners. */
export function gatewayProblems(model: Model, gateway: ApiGateway): readonly Problem[] {
  return [
    ...addressProblems(model, gateway),
    ...parameterProblems(model, gateway),
    ...clientCertificate(model, gateway),
  ];
}

/** Addresses of type Hostname mean that the Gateway stands for a Service which is there already. */
function addressProblems(model: Model, { spec, metadata }: ApiGateway): readonly Problem[] {
  return (spec?.addresses ?? []).flatMap(({ type = "IPAddress", value = "" }, index): readonly Problem[] => {
    const path = ["spec", "addresses", index];
    if (type === "IPAddress") return [];
    if (type !== "Hostname") return [{ code: "MSH0703", path: [...path, "type"], args: { type, value } }];
    const [name = "", namespace = metadata.namespace ?? "", svc] = value.split(".");
    // a name outside the cluster is for whoever makes load balancers
    const isService = !value.includes(".") || svc === "svc";
    if (!isService || model.world.get("Service", namespace, name) !== undefined) return [];
    return [{ code: "MSH0704", path: [...path, "value"], args: { value }, needs: { kind: "Service", namespace } }];
  });
}

function parameterProblems(model: Model, { spec, metadata }: ApiGateway): readonly Problem[] {
  const ref = spec?.infrastructure?.parametersRef;
  if (ref === undefined) return [];
  const namespace = metadata.namespace ?? "";
  const problem = (needs?: Problem["needs"]): Problem => ({
    code: "MSH0706",
    path: ["spec", "infrastructure", "parametersRef", "name"],
    args: { kind: ref.kind, name: `${namespace}/${ref.name}` },
    ...(needs === undefined ? {} : { needs }),
  });
  if (ref.group !== "" || ref.kind !== "ConfigMap") return [problem()];
  const parameters = model.world.get("ConfigMap", namespace, ref.name);
  if (parameters === undefined) return [problem({ kind: "ConfigMap", namespace })];
  const read = readOverlays(parameters.data ?? {});
  if (!("problem" in read)) return [];
  const args = { name: `${namespace}/${ref.name}`, problem: read.problem };
  return [{ code: "MSH0707", path: ["spec", "infrastructure", "parametersRef", "name"], args }];
}

/** The certificate that a Gateway shows to backends. */
function clientCertificate(model: Model, { spec, metadata }: ApiGateway): readonly Problem[] {
  const ref = spec?.tls?.backend?.clientCertificateRef;
  if (ref === undefined) return [];
  const from = { group: GATEWAY_GROUP, kind: "Gateway", namespace: metadata.namespace ?? "" };
  const problem = model.gatewayApi.secrets.certificateProblem(from, ref, [
    "spec",
    "tls",
    "backend",
    "clientCertificateRef",
  ]);
  return problem === undefined ? [] : [problem];
}

function withInvalid(accepted: Condition, all: boolean): Condition {
  const message = all ? "no listener can serve" : "some listeners cannot serve";
  return { ...accepted, status: all ? "False" : "True", reason: "ListenersNotValid", message };
}

function programmed(
  problems: readonly Problem[],
  { some, accepted }: { readonly some: boolean; readonly accepted: Condition },
  context: ConditionContext,
): Condition {
  const found = condition("Programmed", { reason: "Programmed", message: "proxies have it" }, problems, context);
  if (found.status !== "True" || (some && accepted.status !== "False")) return found;
  const message = some ? accepted.message : "no listener can serve";
  return { ...found, status: "False", reason: "Invalid", message };
}

function listenerStatus(listener: Listener, attachedRoutes: number, context: ConditionContext): ListenerStatus {
  const { name, kinds, problems, overlaps } = listener;
  const [overlap] = overlaps;
  const conditions = [
    withAuthority(condition("Accepted", ACCEPTED, problems, context), lacksAuthority(listener, context.knows)),
    condition("Conflicted", { reason: "NoConflicts", message: "no other listener is in its way" }, problems, context),
    condition(
      "ResolvedRefs",
      { reason: "ResolvedRefs", message: "every reference leads to something" },
      problems,
      context,
    ),
  ];
  return {
    name,
    supportedKinds: kinds.map((kind) => ({ group: GATEWAY_GROUP, kind })),
    attachedRoutes,
    conditions: [
      ...withProgrammed(conditions, listener, context.generation),
      ...(overlap === undefined ? [] : [overlapCondition(overlap, context.generation)]),
    ],
  };
}

/** Whether client certificates are asked for, and nothing that could check them can be used. */
function lacksAuthority({ problems, authorityRefs }: Listener, knows: Knows): boolean {
  const broken = certain(problems, knows).filter(({ path }) => path[1] === "tls");
  return authorityRefs > 0 && broken.length >= authorityRefs;
}

/** A listener in conflict, or without what it needs, opens nothing. A kind that does not fit takes nothing from the others. */
function withProgrammed(
  conditions: readonly Condition[],
  { kinds, protocol }: Listener,
  observedGeneration: number,
): readonly Condition[] {
  const broken = conditions.find(
    ({ type, status, reason }) =>
      (type === "Conflicted" ? status === "True" : status === "False") &&
      (reason !== "InvalidRouteKinds" || kinds.length === 0),
  );
  const inConflict = broken?.type === "Conflicted";
  const all = inConflict
    ? conditions.map((each) =>
        each.type === "Accepted"
          ? { ...each, status: "False" as const, reason: broken.reason, message: broken.message }
          : each,
      )
    : conditions;
  const fine = { status: "True", reason: "Programmed", message: `${protocol} is served` } as const;
  const bad = { status: "False", reason: "Invalid", message: broken?.message ?? "" } as const;
  return [...all, { type: "Programmed", ...(broken === undefined ? fine : bad), observedGeneration }];
}

/** Whether a listener opens its port and serves routes, by what its status says. */
export function listenerServes(listener: Listener): boolean {
  return isProgrammed(listenerStatus(listener, 0, { generation: 0, knows: () => true }));
}

function isProgrammed({ conditions }: ListenerStatus): boolean {
  return conditions.some(({ type, status }) => type === "Programmed" && status === "True");
}

function overlapCondition(overlap: Problem, observedGeneration: number): Condition {
  const byHost = overlap.code === "MSH0717" && overlap.args.by === "hostnames";
  const reason = byHost ? "OverlappingHostnames" : "OverlappingCertificates";
  return { type: "OverlappingTLSConfig", status: "True", reason, message: wordsOf(overlap), observedGeneration };
}

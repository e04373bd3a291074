import { nearest } from "../base/nearest.ts";
import { finding, hintOf, messageOf } from "../diagnostics/codes.ts";
import type { Finding } from "../diagnostics/finding.ts";
import { type MeshKindName, meshKinds } from "../gen/mesh-kinds.ts";
import { type KubeObject, refOf } from "../resources/object.ts";
import { deprecations } from "./deprecations.ts";
import { destinationRuleRules } from "./destination-rule.ts";
import { gatewayRules } from "./gateway.ts";
import {
  authorizationPolicyRules,
  peerAuthenticationRules,
  requestAuthenticationRules,
  sidecarRules,
  telemetryRules,
} from "./policies.ts";
import { kubernetesFindings } from "./kubernetes.ts";
import { meshConfigFindings } from "./mesh-config.ts";
import { ruleFindings, type Rules } from "./rule.ts";
import { schemaFindings } from "./schema.ts";
import { serviceEntryRules } from "./service-entry.ts";
import { virtualServiceRules } from "./virtual-service.ts";

/** The rules of every kind of the mesh. */
export const rulesByKind: { readonly [K in MeshKindName]: Rules<K> } = {
  AuthorizationPolicy: authorizationPolicyRules,
  DestinationRule: destinationRuleRules,
  EnvoyFilter: [],
  Gateway: gatewayRules,
  PeerAuthentication: peerAuthenticationRules,
  ProxyConfig: [],
  RequestAuthentication: requestAuthenticationRules,
  ServiceEntry: serviceEntryRules,
  Sidecar: sidecarRules,
  Telemetry: telemetryRules,
  TrafficExtension: [],
  VirtualService: virtualServiceRules,
  WasmPlugin: [],
  WorkloadEntry: [],
  WorkloadGroup: [],
};

/** Groups of the mesh, with kinds that are real, but have no schema here: taken as they are. */
const OTHER_KINDS: Readonly<Record<string, readonly string[]>> = {
  "networking.istio.io": [],
  "security.istio.io": [],
  "telemetry.istio.io": [],
  "extensions.istio.io": [],
};

/**
 * What is wrong with one object, looked at alone: unknown kind or version, schema, then the rules of its kind (they need a
 * spec that holds to the schema). Of Kubernetes' own kinds the types of fields are checked.
 */
export function validateObject(object: KubeObject): readonly Finding[] {
  return [...kubernetesFindings(object), ...meshConfigFindings(object), ...meshFindings(object)];
}

function meshFindings(object: KubeObject): readonly Finding[] {
  const [group = "", version = ""] = object.apiVersion.includes("/") ? object.apiVersion.split("/") : ["", ""];
  const kind = object.kind;
  const known = Object.hasOwn(meshKinds, kind) ? meshKinds[kind as MeshKindName] : undefined;
  if (known === undefined || (known.group !== group && !(group in OTHER_KINDS))) return unknownKind(object, group);
  if (known.group !== group || !(known.versions as readonly string[]).includes(version)) {
    const served = known.versions.map((name) => `${known.group}/${name}`).join(", ");
    const place = { object: refOf(object), path: ["apiVersion"] };
    return [finding("MSH0201", place, { kind, apiVersion: object.apiVersion, served })];
  }
  const schema = schemaFindings(kind, object);
  if (schema.length > 0) return schema;
  return [...rulesOf(kind as MeshKindName, object), ...deprecations(kind as MeshKindName, object)];
}

function rulesOf<K extends MeshKindName>(kind: K, object: KubeObject): readonly Finding[] {
  return ruleFindings(rulesByKind[kind], object as Parameters<typeof ruleFindings<K>>[1]);
}

function unknownKind(object: KubeObject, group: string): readonly Finding[] {
  const others = OTHER_KINDS[group];
  if (others === undefined || others.includes(object.kind)) return [];
  const names = Object.entries(meshKinds).flatMap(([name, kind]) => (kind.group === group ? [name] : []));
  const close = nearest(object.kind, [...names, ...others]) ?? "";
  const place = { object: refOf(object), path: ["kind"] };
  return [finding("MSH0202", place, { kind: object.kind, nearest: close, group })];
}

/** The answer of the validating webhook for one object. */
export interface AdmissionVerdict {
  readonly allowed: boolean;
  /** Why it is refused; every problem with what to do. Empty when it is allowed. */
  readonly message: string;
  /** For the user's terminal (kubectl prints them). */
  readonly warnings: readonly string[];
}

/** Whether the control plane takes an object: refused for errors, warned of everything else. */
export function validateForAdmission(object: KubeObject): AdmissionVerdict {
  const findings = validateObject(object);
  const errors = findings.filter((found) => found.level === "Error");
  return {
    allowed: errors.length === 0,
    message: errors.map(sentence).join("; "),
    warnings: findings.filter((found) => found.level !== "Error").map(sentence),
  };
}

function sentence(found: Finding): string {
  const hint = hintOf(found);
  return `[${found.code}] ${messageOf(found)}${hint === undefined ? "" : `. ${hint}`}`;
}

export { soundObject } from "./sound.ts";

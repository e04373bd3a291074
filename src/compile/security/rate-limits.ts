import { durationMs } from "../../base/duration.ts";
import type {
  CountedRequests,
  GlobalLimit,
  GlobalLimits,
  LocalLimit,
  RateCondition,
  RateKey,
  RateLimits,
} from "../../ir/rate-limit.ts";
import type { Model } from "../../model/model.ts";
import { byText } from "../../model/order.ts";
import type { PolicyWorkload } from "../../model/policy-selection.ts";
import { RATE_LIMIT_PORT, type RateLimitPolicy } from "../../model/rate-limits.ts";
import { refOf } from "../../resources/object.ts";
import { BLACK_HOLE, outboundCluster } from "../names.ts";
import { withAliases } from "./trust-domains.ts";

type Spec = NonNullable<RateLimitPolicy["spec"]>;
type Limit = Spec["limits"][number];

const STATUS = 429;
const TIMEOUT_MS = 100;
const MAX_VALUES = 10_000;

/** The limits of all policies that hold for a workload or a gateway's pods; a policy's limits stay together. */
export function rateLimitsOf(model: Model, workload: PolicyWorkload): readonly RateLimits[] {
  return model.rateLimits.effective(workload).flatMap((policy) => rateLimits(model, policy) ?? []);
}

/** The limits of one policy; undefined when none of them can be kept. */
function rateLimits(model: Model, policy: RateLimitPolicy): RateLimits | undefined {
  const { spec } = policy;
  if (spec === undefined) return undefined;
  const from = refOf(policy);
  const local = spec.limits.flatMap((limit) => localLimit(model, limit) ?? []);
  const global = globalLimits(model, spec);
  if (local.length === 0 && global === undefined) return undefined;
  return {
    policy: `${from.namespace}/${from.name}`,
    local,
    ...(global === undefined ? {} : { global }),
    status: spec.status ?? STATUS,
    enforcedPercent: spec.enforcedPercent ?? 100,
    headers: spec.xRatelimitHeaders !== "OFF",
    provenance: { from, path: ["spec", "limits"], lost: [] },
  };
}

function localLimit(model: Model, limit: Limit): LocalLimit | undefined {
  const { local } = limit;
  const fillIntervalMs = durationMs(local?.fillInterval ?? "");
  if (local === undefined || fillIntervalMs === undefined) return undefined;
  return {
    ...counted(model, limit),
    maxTokens: local.maxTokens,
    tokensPerFill: local.tokensPerFill ?? local.maxTokens,
    fillIntervalMs,
    maxValues: local.maxDynamicDescriptors ?? MAX_VALUES,
  };
}

/**
 * Where no rate limit service is installed nobody can count: what must not pass uncounted goes to a cluster without endpoints,
 * so that Envoy finds its service failed.
 */
function globalLimits(model: Model, spec: Spec): GlobalLimits | undefined {
  const limits = spec.limits.flatMap((limit): readonly GlobalLimit[] => {
    const { global } = limit;
    if (global === undefined) return [];
    return [{ ...counted(model, limit), requestsPerUnit: global.requestsPerUnit, unit: global.unit }];
  });
  const host = model.rateLimits.service();
  const failureModeDeny = spec.failureModeDeny === true;
  if (limits.length === 0 || (host === undefined && !failureModeDeny)) return undefined;
  return {
    limits,
    cluster: host === undefined ? BLACK_HOLE : outboundCluster({ port: RATE_LIMIT_PORT, subset: "", host }),
    host: host ?? "",
    timeoutMs: durationMs(spec.timeout ?? "") ?? TIMEOUT_MS,
    failureModeDeny,
  };
}

function counted(model: Model, { name, match = {}, keys = [] }: Limit): CountedRequests {
  return { name, match: conditions(model, match), keys: keys.map(keyOf) };
}

function conditions(model: Model, match: NonNullable<Limit["match"]>): readonly RateCondition[] {
  const { trustDomain, trustDomainAliases } = model.meshConfig();
  const plain = (kind: "host" | "method" | "path" | "route" | "principal", values: readonly string[] | undefined) =>
    values === undefined ? [] : [{ attribute: { kind }, values } as const];
  const named = (kind: "header" | "claim", all: Readonly<Record<string, readonly string[]>> | undefined) =>
    Object.entries(all ?? {})
      .toSorted(([a], [b]) => byText(a, b))
      .map(([name, values]) => ({ attribute: { kind, name: kind === "header" ? name.toLowerCase() : name }, values }));
  const principals = match.principals && withAliases(match.principals, [trustDomain, ...trustDomainAliases]);
  return [
    ...plain("host", match.hosts),
    ...plain("method", match.methods),
    ...plain("path", match.paths),
    ...plain("route", match.routes),
    ...named("header", match.headers),
    ...plain("principal", principals),
    ...named("claim", match.claims),
  ];
}

function keyOf({ header, claim, source }: NonNullable<Limit["keys"]>[number]): RateKey {
  if (header !== undefined) return { kind: "header", name: header.toLowerCase() };
  if (claim !== undefined) return { kind: "claim", name: claim };
  return { kind: source === "REMOTE_ADDRESS" ? "remote-address" : "principal" };
}

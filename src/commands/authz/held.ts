import { authorizationAction, isDryRun } from "../../model/authorization.ts";
import { refOf } from "../../resources/object.ts";
import { globalOptions } from "../input.ts";
import type { CommandInput, Io } from "../io.ts";
import { readMesh, tellStandIns } from "../offline/mesh.ts";
import { proxyNamed } from "../offline/proxies.ts";
import { findPod, getJson } from "../pod-http.ts";
import { listenersOf } from "../proxy-config/listeners.ts";
import { list, record, text } from "../proxy-config/view.ts";

/** A policy that a proxy asks. */
export interface HeldPolicy {
  readonly action: "CUSTOM" | "AUDIT" | "DENY" | "ALLOW";
  /** `viewer.shop`; of rules that nobody named, istioctl's word for them. */
  readonly policy: string;
  readonly rules: number;
  /** Only tried out. */
  readonly dryRun?: boolean;
}

const ADMIN_PORT = 15_000;
const UNNAMED = "_anonymous_match_nothing_";

/** The policies of a workload by the files (or cluster) that the flags name. */
export async function heldOffline(input: CommandInput, io: Io): Promise<readonly HeldPolicy[]> {
  const mesh = await readMesh(input, io);
  const server = proxyNamed(mesh.mesh.model, input.args[0] ?? "", globalOptions(input).namespace);
  tellStandIns(mesh, [server], io);
  const policies = mesh.mesh.model.authorizationPolicies.effective(server).map((policy): HeldPolicy => {
    const { namespace, name } = refOf(policy);
    const rules = policy.spec?.rules?.length ?? 0;
    const tried = isDryRun(policy) ? { dryRun: true } : {};
    return { action: authorizationAction(policy), policy: `${name}.${namespace}`, rules, ...tried };
  });
  return policies.toSorted((a, b) => ORDER.indexOf(a.action) - ORDER.indexOf(b.action));
}

/** In which actions are asked. */
const ORDER: readonly HeldPolicy["action"][] = ["CUSTOM", "AUDIT", "DENY", "ALLOW"];

/** The policies that a running proxy holds, by its own configuration dump. Throws ClusterError. */
export async function heldByProxy(input: CommandInput, io: Io): Promise<readonly HeldPolicy[]> {
  const cluster = await io.cluster();
  const pod = await findPod(cluster, input.args[0] ?? "", globalOptions(input).namespace ?? "default");
  return heldInDump(await getJson(cluster, { ...pod, port: ADMIN_PORT }, "/config_dump"));
}

/** The policies in the RBAC filters of a dump; each chain has the same ones. */
export function heldInDump(dump: unknown): readonly HeldPolicy[] {
  const rules = new Map<string, Omit<HeldPolicy, "rules">>();
  for (const listener of listenersOf(dump))
    for (const chain of [...list(listener, "filter_chains"), record(listener, "default_filter_chain")])
      for (const filter of filtersOf(chain))
        for (const [field, dryRun] of FIELDS)
          for (const one of rulesIn(filter, field, dryRun)) rules.set(one.key, one.of);
  const held = counted([...rules.values()]);
  // a chain of bytes may have none of the rules that requests have: that says nothing of the policies
  const named = new Set(held.filter(({ policy }) => policy !== UNNAMED).map(({ action }) => action));
  return held.filter(({ policy, action }) => policy !== UNNAMED || !named.has(action));
}

const FIELDS = [
  ["rules", false],
  ["shadow_rules", true],
] as const;

/** Network filters, and HTTP's inside of them. */
function filtersOf(chain: unknown): readonly unknown[] {
  return list(chain, "filters").flatMap((filter) => [filter, ...list(filter, "typed_config", "http_filters")]);
}

const ACTIONS: Readonly<Record<string, HeldPolicy["action"]>> = { LOG: "AUDIT", DENY: "DENY" };

function rulesIn(filter: unknown, field: "rules" | "shadow_rules", dryRun: boolean) {
  const config = record(filter, "typed_config");
  if (!text(config, "@type").endsWith(".rbac.v3.RBAC")) return [];
  // AUDIT's own rules once more, for the sake of their names
  if (dryRun && text(config, "shadow_rules_stat_prefix") === "istio_audit_") return [];
  const rbac = record(config, field);
  const names = Object.keys(record(rbac, "policies"));
  const said = ACTIONS[text(rbac, "action")] ?? "ALLOW";
  if (names.length === 0)
    return config[field] === undefined
      ? []
      : [{ key: `${said} ${field}`, of: { action: said, policy: UNNAMED, dryRun } }];
  return names.map((name) => {
    const [, namespace = "", policy = ""] = /ns\[(.*?)\]-policy\[(.*?)\]-rule/.exec(name) ?? [];
    const isCustom = name.startsWith("istio-ext-authz-");
    const action = isCustom ? ("CUSTOM" as const) : said;
    const shown = policy === "" ? UNNAMED : `${policy}.${namespace}`;
    return { key: `${action} ${field} ${name}`, of: { action, policy: shown, dryRun: dryRun && !isCustom } };
  });
}

/** One entry a policy, with the number of its rules; in the order in which they were met. */
function counted(
  rules: readonly (Omit<HeldPolicy, "rules" | "dryRun"> & { readonly dryRun?: boolean })[],
): readonly HeldPolicy[] {
  const counts = new Map<string, HeldPolicy>();
  for (const { action, policy, dryRun } of rules) {
    const key = `${action} ${policy} ${String(dryRun)}`;
    const known = counts.get(key)?.rules ?? 0;
    const isNamed = policy !== UNNAMED;
    counts.set(key, { action, policy, rules: isNamed ? known + 1 : 0, ...(dryRun === true ? { dryRun } : {}) });
  }
  return [...counts.values()];
}

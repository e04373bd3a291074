import { nearest } from "../../base/nearest.ts";
import type { Protocol } from "../../ir/service.ts";
import { parseServiceHost } from "../../model/host.ts";
import { isHttp } from "../../model/protocol.ts";
import type { Pod } from "../../resources/core.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { actionOf, type AuthorizationPolicy, type RuleValues, rulesOf, ruleValues } from "./shared-rules.ts";

/** What is called: methods and hosts that no request has, and questions about HTTP where there is none. */
export const authorizationOperations = defineAnalyzer({
  name: "authorization-operations",
  summary: "Checks methods, hosts and ports of AuthorizationPolicies against what requests can have.",
  reads: ["AuthorizationPolicy", "Service", "Pod", "Gateway"],
  codes: ["MSH0150", "MSH0151", "MSH0156"],
  analyze: (input) => {
    const served = servedReader(input);
    for (const policy of input.world.list("AuthorizationPolicy"))
      for (const { rule, at } of rulesOf(policy)) {
        const lists = ruleValues(rule, at);
        for (const list of lists) {
          if (list.field === "methods" || list.field === "notMethods") checkMethods(input, policy, list);
          if (list.field === "hosts" || list.field === "notHosts") checkHosts(input, policy, list);
        }
        checkHttp(input, policy, lists, served);
      }
  },
});

type Input = AnalyzerInput<"AuthorizationPolicy" | "Service" | "Pod" | "Gateway", "MSH0150" | "MSH0151" | "MSH0156">;

const METHODS: readonly string[] = [
  "GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH PURGE QUERY REPORT PROPFIND PROPPATCH MKCOL COPY MOVE LOCK",
  "UNLOCK SEARCH MKCALENDAR",
].flatMap((line) => line.split(" "));

function checkMethods({ report }: Input, policy: AuthorizationPolicy, { values, path }: RuleValues): void {
  for (const [index, method] of values.entries()) {
    if (METHODS.includes(method) || method.includes("*")) continue;
    report(policy, [...path, index], "MSH0150", { method, nearest: nearest(method, METHODS) ?? "" });
  }
}

/** Only full names of Services can be judged: what comes in at a gateway may be any name. */
function checkHosts(input: Input, policy: AuthorizationPolicy, { values, path }: RuleValues): void {
  const { world, model } = input;
  for (const [index, value] of values.entries()) {
    const host = value.replace(/:(?:\d+|\*)$/, "");
    const parsed = host.includes("*") ? undefined : parseServiceHost(host, model.domain);
    if (parsed === undefined || world.get("Service", parsed.namespace, parsed.name) !== undefined) continue;
    if (!input.knows("Service", parsed.namespace)) {
      input.unknown(`host ${host}: no service of its namespace is in the files`);
      continue;
    }
    const names = world.list("Service", parsed.namespace).map(({ metadata }) => metadata.name);
    const close = nearest(parsed.name, names);
    const meant = close === undefined ? "" : host.replace(parsed.name, close);
    input.report(policy, [...path, index], "MSH0151", { host, nearest: meant });
  }
}

const HTTP_FIELDS: ReadonlySet<string> = new Set([
  "hosts",
  "notHosts",
  "methods",
  "notMethods",
  "paths",
  "notPaths",
  "requestPrincipals",
  "notRequestPrincipals",
]);
const isHttpField = (field: string): boolean => HTTP_FIELDS.has(field) || field.startsWith("request.");
const isTcp = (protocol: Protocol): boolean => !isHttp(protocol) && protocol !== "auto" && protocol !== "udp";

type Served = ReturnType<Input["model"]["workloads"]["servedPorts"]>;

/** Ports of a pod that is no gateway, asked once for each pod; undefined when none of them is TCP. */
function servedReader({ model }: Input): (pod: Pod) => Served | undefined {
  const known = new Map<Pod, Served | undefined>();
  return (pod) => {
    if (known.has(pod)) return known.get(pod);
    const served = model.workloads.servedPorts(pod.metadata.namespace ?? "", pod.metadata.name);
    const matters = served.some(({ protocol }) => isTcp(protocol)) && !model.workloads.isGateway(pod);
    known.set(pod, matters ? served : undefined);
    return matters ? served : undefined;
  };
}

/**
 * On a TCP port ALLOW drops the whole rule, and DENY drops the HTTP part and refuses the rest. A DENY rule that names no ports
 * therefore reaches TCP ports that nobody thought of.
 */
function checkHttp(
  { model, report }: Input,
  policy: AuthorizationPolicy,
  lists: readonly RuleValues[],
  servedBy: ReturnType<typeof servedReader>,
): void {
  const action = actionOf(policy);
  const asked = [...new Set(lists.map(({ field }) => field).filter(isHttpField))];
  if (asked.length === 0 || (action !== "ALLOW" && action !== "DENY")) return;
  const named = lists.filter(({ field }) => field === "ports").flatMap(({ values }) => values.map(Number));
  for (const pod of model.workloads.ofPolicy(policy)) {
    const served = servedBy(pod);
    if (served === undefined) continue;
    const concerned = served.filter(
      ({ target }) => named.length === 0 || (target !== undefined && named.includes(target)),
    );
    const tcp = concerned.filter(({ protocol }) => isTcp(protocol));
    const reached = action === "DENY" ? tcp.length > 0 : tcp.length === concerned.length;
    if (tcp.length === 0 || !reached) continue;
    const titles = tcp.map(({ target, number, protocol }) => `port ${target ?? number} (${protocol})`);
    const effect =
      action === "ALLOW" ? "the rule allows nothing there" : "the rest of the rule refuses there on its own";
    const path = lists.find(({ field }) => isHttpField(field))?.path ?? ["spec"];
    const args = { fields: asked.join(", "), ports: [...new Set(titles)].join(", "), effect };
    return report(policy, path, "MSH0156", args);
  }
}

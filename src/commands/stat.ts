import { UsageError } from "../base/errors.ts";
import { table } from "../report/table.ts";
import type { Cluster } from "../resources/cluster.ts";
import { durationOption, globalOptions, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { print } from "./print.ts";
import { type Flow, mergeFlows } from "./traffic/flows.ts";
import { type PolicyRow, policyRows, type RouteRow, routeRows } from "./traffic/named-counters.ts";
import { GOLDEN_COLUMNS, type Golden, goldenCells, groupsOf, isAlive, secondsOf } from "./traffic/rows.ts";
import { observed, type ProxyFlows } from "./traffic/scrape.ts";
import { type PartyTest, partyTest } from "./traffic/wanted.ts";

/** One row of `stat`; -o json prints it so. */
export type StatRow = Golden & {
  readonly kind: StatKind;
  readonly name: string;
  readonly namespace: string;
  /** Which side's proxies counted: outbound where what others do is asked for (`--to`), and at gateways. */
  readonly direction: "inbound" | "outbound";
};

/** What can be counted by. */
export type StatKind = "workload" | "pod" | "service" | "namespace";

const WORDS: Readonly<Record<StatKind | "route" | "policy", readonly string[]>> = {
  workload: ["deploy", "deployment", "deployments", "sts", "statefulset", "ds", "daemonset", "workload", "wl"],
  pod: ["po", "pod", "pods"],
  service: ["svc", "service", "services"],
  namespace: ["ns", "namespace", "namespaces"],
  route: ["route", "routes"],
  policy: ["policy", "policies", "ap", "authorizationpolicy", "authorizationpolicies"],
};

interface Asked {
  readonly kind: keyof typeof WORDS;
  /** Without a namespace, as the user wrote it. */
  readonly name: string | undefined;
  readonly namespace: string | undefined;
}

/** `meshctl stat [TYPE[/NAME]]`: success, requests per second and latencies by workload, pod, service, namespace, route or policy. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const { namespace } = globalOptions(input);
  const windowMs = durationOption(input, "window", "10s");
  const asked = askedOf(input.args[0] ?? "deploy", namespace);
  const cluster = await io.cluster();
  if (asked.kind === "route" || asked.kind === "policy") return named(cluster, asked, { input, io, windowMs });
  const proxies = await observed(cluster, { namespace, windowMs }, io);
  const [from, to] = [textOption(input, "from"), textOption(input, "to")];
  const rows = statRows(proxies, asked.kind, {
    ...(from === undefined ? {} : { from: partyTest(from, namespace) }),
    ...(to === undefined ? {} : { to: partyTest(to, namespace) }),
  }).filter(
    (row) =>
      (asked.name === undefined || row.name === asked.name) &&
      (asked.namespace === undefined || row.namespace === asked.namespace),
  );
  if (rows.length === 0) io.err("No proxy has counted anything of it.\n");
  print(input, io, { data: { rows }, text: rows.length === 0 ? "" : statTable(rows) });
  return { exitCode: 0 };
}

function askedOf(text: string, namespace: string | undefined): Asked {
  const [word = "", full, more] = text.split("/");
  const kind = (Object.keys(WORDS) as (keyof typeof WORDS)[]).find((key) => WORDS[key].includes(word.toLowerCase()));
  if (kind === undefined || more !== undefined)
    throw new UsageError(
      `"${text}" is nothing that is counted by`,
      `Expected ${Object.values(WORDS)
        .map(([first]) => first)
        .join(", ")}, with /NAME for one.`,
    );
  if (full === undefined) return { kind, name: undefined, namespace };
  const at = kind === "namespace" ? -1 : full.indexOf(".");
  if (kind === "namespace") return { kind, name: full, namespace: undefined };
  return at < 0 ? { kind, name: full, namespace } : { kind, name: full.slice(0, at), namespace: full.slice(at + 1) };
}

/** Rows of one kind out of what proxies counted. */
export function statRows(
  proxies: readonly ProxyFlows[],
  kind: StatKind,
  wanted: { readonly from?: PartyTest; readonly to?: PartyTest },
): readonly StatRow[] {
  const seconds = secondsOf(proxies);
  const wants = (flow: Flow): boolean =>
    isAlive(flow) && (wanted.from?.(flow.from) ?? true) && (wanted.to?.(flow.to) ?? true);
  const direction = wanted.to === undefined ? "inbound" : "outbound";
  const rows = (flows: readonly Flow[], key: (flow: Flow) => string, side: StatRow["direction"]): StatRow[] =>
    groupsOf(flows.filter(wants), key, seconds).map(({ name, ...golden }) => {
      const at = name.indexOf(" ");
      return { kind, name: name.slice(at + 1), namespace: name.slice(0, at), direction: side, ...golden };
    });
  const all = proxies.flatMap(({ flows }) => flows);
  switch (kind) {
    case "service":
      return rows(mergeFlows(all), serviceKey, "inbound");
    case "pod":
      return proxies.flatMap(({ pod, flows }) =>
        sided(flows, direction, (own, side) => rows(own, () => `${pod.namespace} ${pod.name}`, side)),
      );
    case "namespace":
    case "workload": {
      const key = (end: Flow["from"]): string =>
        kind === "workload" ? `${end.namespace} ${end.workload}` : ` ${end.namespace}`;
      const perProxy = proxies.map(({ flows }) =>
        sided(flows, direction, (own, side) => own.map((flow) => ({ flow, side }))),
      );
      return (["inbound", "outbound"] as const).flatMap((side) =>
        rows(
          perProxy.flat().flatMap((entry) => (entry.side === side ? [entry.flow] : [])),
          ({ from, to }) => key(side === "inbound" ? to : from),
          side,
        ),
      );
    }
  }
}

/** A proxy's flows of the side that is asked for; a gateway, into which nothing is counted, tells what it passes on. */
function sided<T>(
  flows: readonly Flow[],
  direction: StatRow["direction"],
  use: (flows: readonly Flow[], side: StatRow["direction"]) => readonly T[],
): readonly T[] {
  const of = (reporter: Flow["reporter"]): readonly Flow[] => flows.filter((flow) => flow.reporter === reporter);
  const inbound = of("destination");
  return direction === "outbound" || inbound.length === 0 ? use(of("source"), "outbound") : use(inbound, "inbound");
}

/** `web.shop.svc.cluster.local` is service web of namespace shop; any other host is a name of its own. */
function serviceKey({ service }: Flow): string {
  const match = /^([^.]+)\.([^.]+)\.svc\./.exec(service);
  return match === null ? ` ${service}` : `${match[2]} ${match[1]}`;
}

/** The table of `stat`. */
export function statTable(rows: readonly StatRow[]): string {
  return table(
    ["NAME", "NAMESPACE", "DIRECTION", ...GOLDEN_COLUMNS, "TCP", "READ", "WRITTEN"],
    rows.map((row) => [
      row.name,
      row.namespace === "" ? "-" : row.namespace,
      row.direction,
      ...goldenCells(row),
      row.tcp === undefined ? "-" : String(row.tcp.opened),
      row.tcp === undefined ? "-" : `${row.tcp.receivedBytes}B`,
      row.tcp === undefined ? "-" : `${row.tcp.sentBytes}B`,
    ]),
  );
}

/** Routes and policies: their counters have names and no labels. */
async function named(
  cluster: Cluster,
  { kind, name, namespace }: Asked,
  { input, io, windowMs }: { readonly input: CommandInput; readonly io: Io; readonly windowMs: number },
): Promise<CommandResult> {
  const isChosen = (row: { readonly name: string; readonly namespace: string }): boolean =>
    (name === undefined || row.name === name) && (namespace === undefined || row.namespace === namespace);
  if (kind === "route") {
    const rows = (await routeRows(cluster, { windowMs }, io)).filter(isChosen);
    if (rows.length === 0)
      io.err("No proxy has counted a route: of those that are asked, no match has a statPrefix.\n");
    print(input, io, { data: { rows }, text: rows.length === 0 ? "" : routeTable(rows) });
  } else {
    const rows = (await policyRows(cluster, { windowMs }, io)).filter(isChosen);
    if (rows.length === 0) io.err("No rule of a policy has decided anything.\n");
    print(input, io, { data: { rows }, text: rows.length === 0 ? "" : policyTable(rows) });
  }
  return { exitCode: 0 };
}

/** The table of `stat route`. */
export function routeTable(rows: readonly RouteRow[]): string {
  return table(
    ["NAME", "HOST", ...GOLDEN_COLUMNS, "RETRIES", "TIMEOUTS"],
    rows.map((row) => [row.name, row.host, ...goldenCells(row), String(row.retries), String(row.timeouts)]),
  );
}

/** The table of `stat policy`. */
export function policyTable(rows: readonly PolicyRow[]): string {
  return table(
    ["NAME", "NAMESPACE", "RULE", "ALLOWED", "DENIED", "TRIED"],
    rows.map(({ name, namespace, rule, allowed, denied, tried }) => [
      name,
      namespace,
      ...[rule, allowed, denied, tried].map(String),
    ]),
  );
}

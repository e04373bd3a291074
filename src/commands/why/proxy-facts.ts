import type { X509Certificate } from "node:crypto";
import { MeshError } from "../../base/errors.ts";
import type { Proxy } from "../../ir/proxy.ts";
import { leadsTo } from "../mtls/trust.ts";
import type { Cluster } from "../../resources/cluster.ts";
import type { CertificateFacts, HostFacts, ProxyFacts, RunningConfig } from "../../why/types.ts";
import { getJson, getText } from "../pod-http.ts";
import { ecds } from "../proxy-config/ecds.ts";
import { chainIn, rootsIn, secret } from "../proxy-config/secret.ts";
import { list, record, sections, text } from "../proxy-config/view.ts";
import { dumpView } from "../trace/dump-view.ts";

/** What Envoy's admin port answers, as far as it did. */
export interface Answers {
  /** `/config_dump?include_eds` */
  readonly dump?: unknown;
  /** `/clusters?format=json` */
  readonly clusters?: unknown;
  /** `/stats?usedonly` */
  readonly stats?: string;
}

export const DUMP_PATH = "/config_dump?include_eds";
export const CLUSTERS_PATH = "/clusters?format=json";
export const STATS_PATH = "/stats?usedonly";

/** Asks the admin port of a pod's proxy. What it does not answer is not there. */
export async function askProxy(
  cluster: Cluster,
  target: { readonly namespace: string; readonly pod: string; readonly port: number },
): Promise<Answers> {
  const ask = async <T>(question: Promise<T>): Promise<T | undefined> => {
    try {
      return await question;
    } catch (error) {
      if (error instanceof MeshError) return undefined;
      throw error;
    }
  };
  const [dump, clusters, stats] = await Promise.all([
    ask(getJson(cluster, target, DUMP_PATH)),
    ask(getJson(cluster, target, CLUSTERS_PATH)),
    ask(getText(cluster, target, STATS_PATH)),
  ]);
  return {
    ...(dump === undefined ? {} : { dump }),
    ...(clusters === undefined ? {} : { clusters }),
    ...(stats === undefined ? {} : { stats }),
  };
}

/** The facts about a proxy: what it answered, and `generated` where it did not. `refused`: what the control plane knows of it. */
export function proxyFacts(
  proxy: Proxy,
  { dump, clusters, stats = "" }: Answers,
  {
    generated,
    refused,
  }: { readonly generated: () => Omit<RunningConfig, "live">; readonly refused: readonly string[] },
): ProxyFacts {
  const roots = dump === undefined ? [] : rootsIn(dump);
  const counters = countersIn(stats);
  const config: RunningConfig = dump === undefined ? { ...generated(), live: false } : dumpView(dump);
  const hosts = hostsIn(clusters);
  return {
    name: `${proxy.name}.${proxy.namespace}`,
    pod: { kind: "Pod", namespace: proxy.namespace, name: proxy.name },
    type: proxy.type,
    namespace: proxy.namespace,
    labels: proxy.labels,
    config,
    hosts: (name) => hosts.get(name) ?? assignedHosts(config, name),
    secrets: dump === undefined ? undefined : activeSecrets(dump),
    certificates: dump === undefined ? [] : certificatesIn(dump),
    trusts: (certificate) => (roots.length === 0 ? undefined : leadsTo(certificate.chain, roots)),
    count: (pattern) => counters.reduce((sum, [name, value]) => sum + (pattern.test(name) ? value : 0), 0),
    counters: (pattern) => counters.filter(([name]) => pattern.test(name)).map(([name]) => name),
    refusing: refusingIn(dump),
    refusals: [...new Set([...refused, ...errorsIn(dump)])],
  };
}

function countersIn(stats: string): readonly (readonly [name: string, value: number])[] {
  return stats.split("\n").flatMap((line) => {
    const match = /^(.+): (\d+)$/.exec(line);
    return match === null ? [] : [[match[1] ?? "", Number(match[2])] as const];
  });
}

/** Envoy's own reasons not to use an endpoint, by the names of `health_status`. */
function hostsIn(clusters: unknown): ReadonlyMap<string, readonly HostFacts[]> {
  return new Map(
    list(clusters, "cluster_statuses").map((status) => [
      text(status, "name"),
      list(status, "host_statuses").map((host) => {
        const socket = record(host, "address", "socket_address");
        const health = record(host, "health_status");
        const failed = Object.entries(health).flatMap(([name, value]) => (value === true ? [name] : []));
        const told = text(health, "eds_health_status");
        return {
          address: `${text(socket, "address")}:${text(socket, "port_value")}`,
          unhealthy:
            told === "" || told === "HEALTHY" || told === "UNKNOWN" ? failed : [...failed, `told to be ${told}`],
        };
      }),
    ]),
  );
}

function assignedHosts(config: RunningConfig, name: string): readonly HostFacts[] {
  const assignment = config.endpoints(name) ?? config.cluster(name)?.load_assignment;
  return (assignment?.endpoints ?? []).flatMap(({ lb_endpoints: endpoints = [] }) =>
    endpoints.map(({ endpoint, health_status: health }) => {
      const socket = endpoint?.address?.socket_address;
      const isWell = health === undefined || health === "UNKNOWN" || health === "HEALTHY";
      return {
        address: `${socket?.address ?? ""}:${socket?.port_value ?? ""}`,
        unhealthy: isWell ? [] : [`told to be ${health}`],
      };
    }),
  );
}

function certificatesIn(dump: unknown): readonly CertificateFacts[] {
  const chain: readonly X509Certificate[] = chainIn(dump, "default");
  const [leaf] = chain;
  if (leaf === undefined) return [];
  return [
    {
      identity: (leaf.subjectAltName ?? "").replace(/^.*URI:/, "").replace(/,.*$/, ""),
      notBefore: new Date(leaf.validFrom),
      notAfter: new Date(leaf.validTo),
      chain,
    },
  ];
}

/** What a dump says of configuration that Envoy did not take. */
function errorsIn(dump: unknown): readonly string[] {
  const all = ["ListenersConfigDump", "ClustersConfigDump", "RoutesConfigDump"].flatMap((name) => sections(dump, name));
  return all.flatMap((section) =>
    Object.values(section)
      .filter(Array.isArray)
      .flatMap((entries) =>
        (entries as readonly unknown[]).flatMap((entry) => {
          const details = text(entry, "error_state", "details");
          const name = text(entry, "name");
          return details === "" ? [] : [name === "" || details.includes(name) ? details : `${name}: ${details}`];
        }),
      ),
  );
}

/** Filters that were delivered apart, in whose place the agent put a rule that lets nothing through. */
function refusingIn(dump: unknown): readonly string[] {
  return ecds
    .items(dump)
    .filter((filter) => prefixOf(record(filter, "typed_config")).startsWith("wasm-default-deny"))
    .map((filter) => text(filter, "name"));
}

function prefixOf(config: unknown): string {
  return text(config, "rules_stat_prefix") || text(config, "stat_prefix");
}

/** Names of secrets in use; one that Envoy still waits for is none. */
function activeSecrets(dump: unknown): ReadonlySet<string> {
  const active = secret.items(dump).filter((held) => text(held, "status") === "ACTIVE");
  return new Set(active.map((held) => text(held, "name")));
}

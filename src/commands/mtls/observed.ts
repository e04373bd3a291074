import { errorText } from "../../base/errors.ts";
import type { Proxy } from "../../ir/proxy.ts";
import type { Cluster } from "../../resources/cluster.ts";
import type { Io } from "../io.ts";
import { getJson, getText } from "../pod-http.ts";
import { type HeldTrust, trustIn } from "./trust.ts";

/** What a proxy saw come in since it started. */
export interface Observed {
  /** `web-6d5f.shop` */
  readonly pod: string;
  /** Requests and connections by mutual TLS, and without. */
  readonly mtls: number;
  readonly plain: number;
}

/** What pods say of themselves. */
export interface PodReport {
  readonly observed: Observed;
  readonly trust: HeldTrust;
}

const ADMIN_PORT = 15_000;
const PARALLEL = 8;
const COUNTERS = "/stats/prometheus?filter=istio_(requests_total|tcp_connections_opened_total)";
const SECRETS = "/config_dump?resource=dynamic_active_secrets";

/** Asks every proxy's admin port. One that does not answer is told and left out. */
export async function observe(
  cluster: Cluster,
  proxies: readonly Pick<Proxy, "name" | "namespace">[],
  io: Pick<Io, "err">,
): Promise<readonly PodReport[]> {
  const left = [...proxies];
  const reports: PodReport[] = [];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const { name, namespace } = next;
      const target = { namespace, pod: name, port: ADMIN_PORT };
      const pod = `${name}.${namespace}`;
      try {
        const counted = countersOf(await getText(cluster, target, COUNTERS));
        const trust = trustIn(pod, await getJson(cluster, target, SECRETS));
        reports.push({ observed: { pod, ...counted }, trust });
      } catch (error) {
        io.err(`Not asked: ${errorText(error)}\n`);
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return reports.toSorted((a, b) => (a.observed.pod < b.observed.pod ? -1 : 1));
}

/** Sums of the server side's counters by how they were secured, out of Prometheus text. */
export function countersOf(text: string): Pick<Observed, "mtls" | "plain"> {
  const sums = { mtls: 0, plain: 0 };
  for (const line of text.split("\n")) {
    if (!/^istio_(requests|tcp_connections_opened)_total\{/.test(line) || !line.includes('reporter="destination"'))
      continue;
    const value = Number(line.slice(line.lastIndexOf(" ") + 1));
    const isSecured = line.includes('connection_security_policy="mutual_tls"');
    sums[isSecured ? "mtls" : "plain"] += Number.isFinite(value) ? value : 0;
  }
  return sums;
}

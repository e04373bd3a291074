import type { AgentConfig } from "./config.ts";
import { fetchText } from "./envoy-admin.ts";
import type { AgentMetrics } from "./metrics.ts";

/** One endpoint of the application that a scrape of the agent includes. */
export interface ScrapeTarget {
  readonly port: number;
  readonly path: string;
}

/** Ports that lead back to the proxy itself: scraping them would recurse. */
const RESERVED: readonly number[] = [15000, 15001, 15004, 15006, 15008, 15020, 15021, 15053, 15090];
const TEXT = { accept: "text/plain;version=0.0.4;q=0.5,*/*;q=0.1" };
const TIMEOUT = 10_000;

/**
 * What the pod's own `prometheus.io` annotations asked for, which injection moved to ISTIO_PROMETHEUS_ANNOTATIONS:
 * `{scrape, path, port}` or `{scrape, targets: [{port, path}]}`. Reserved ports are left out.
 */
export function scrapeTargets(annotations: Readonly<Record<string, unknown>> | undefined): readonly ScrapeTarget[] {
  if (annotations === undefined || !isTrue(annotations["scrape"])) return [];
  const listed = annotations["targets"];
  const entries: readonly unknown[] = Array.isArray(listed) && listed.length > 0 ? listed : [annotations];
  return entries.flatMap((entry) => {
    const { port: value, path } = entry as { readonly port?: unknown; readonly path?: unknown };
    const port = Number(value ?? 80);
    if (!Number.isInteger(port) || port <= 0 || port > 65535 || RESERVED.includes(port)) return [];
    return [{ port, path: typeof path === "string" && path !== "" ? path : "/metrics" }];
  });
}

/**
 * Agent, Envoy and application in this order, as one Prometheus text. A part that fails is left out: a broken application
 * must not hide the proxy's metrics. The application's `# EOF` (OpenMetrics) ends the whole.
 */
export async function mergedMetrics(config: AgentConfig, metrics: AgentMetrics): Promise<string> {
  const { addresses, ports, appAddress } = config;
  const envoy = { host: addresses.admin, port: ports.admin, path: "/stats/prometheus" };
  const apps = scrapeTargets(config.scrape).map((target) => ({ host: appAddress, ...target }));
  const texts = await Promise.all([metrics.text(), ...[envoy, ...apps].map(get)]);
  const lines = texts
    .map((text) => text.replace(/^# EOF\n?/m, ""))
    .map((text) => (text === "" || text.endsWith("\n") ? text : `${text}\n`));
  return lines.join("") + (texts.some((text) => /^# EOF$/m.test(text)) ? "# EOF\n" : "");
}

async function get(target: { readonly host: string; readonly port: number; readonly path: string }): Promise<string> {
  try {
    const answer = await fetchText({ ...target, method: "GET", timeout: TIMEOUT, headers: TEXT });
    return answer.status === 200 ? answer.body : "";
  } catch {
    return "";
  }
}

function isTrue(value: unknown): boolean {
  return value === true || value === "true";
}

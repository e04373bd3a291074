import { InjectionError } from "./config.ts";

type Annotations = Readonly<Record<string, string>>;

const SCRAPE = "prometheus.io/scrape";
const PORT = "prometheus.io/port";
const PATH = "prometheus.io/path";
const TARGETS = "prometheus.istio.io/scrape-targets";
const MERGED_PATH = "/stats/prometheus";

/** New annotations of the pod, and the application's own scrape settings for the agent; absent when it has none. */
export interface MergedScrape {
  readonly annotations: Annotations;
  readonly scrapeJson: string | undefined;
}

/**
 * Prometheus is sent to the agent, which answers with its own, Envoy's and the application's metrics together: under mutual
 * TLS a plain scrape of the application would be refused. `prometheus.io/scrape: "false"` leaves the pod alone.
 */
export function mergeScrape(annotations: Annotations, statusPort: number): MergedScrape {
  if (annotations[SCRAPE] === "false") return { annotations, scrapeJson: undefined };
  const { [TARGETS]: listed, ...rest } = annotations;
  const targets = targetsOf(listed);
  const [first] = targets;
  // an older agent knows one target only
  const single = { port: first?.port ?? annotations[PORT], path: first?.path ?? annotations[PATH] };
  if (single.port === String(statusPort))
    throw new InjectionError(`annotation ${PORT}: expected a port of the application, got the agent's ${statusPort}`);
  const own = { scrape: annotations[SCRAPE], path: single.path, port: single.port };
  const isAsked = Object.values(own).some((value) => value !== undefined);
  return {
    annotations: { ...rest, [SCRAPE]: "true", [PORT]: String(statusPort), [PATH]: MERGED_PATH },
    scrapeJson: isAsked ? JSON.stringify({ ...own, ...(targets.length === 0 ? {} : { targets }) }) : undefined,
  };
}

/** `8080:/metrics, 9090` as the agent reads it. */
function targetsOf(listed: string | undefined): readonly { readonly port: string; readonly path: string }[] {
  const entries = (listed ?? "").split(",").map((entry) => entry.trim().split(/:(.*)/s));
  return entries.flatMap(([port = "", path = ""]) =>
    port === "" ? [] : [{ port: port.trim(), path: path.trim() === "" ? "/metrics" : path.trim() }],
  );
}

/** The annotations as they were before Istio merged them; `scrapeJson` is what its proxy was told. */
export function restoreScrape(annotations: Annotations, scrapeJson: string | undefined): Annotations {
  if (annotations[PATH] !== MERGED_PATH) return annotations;
  const { [SCRAPE]: _, [PORT]: __, [PATH]: ___, ...rest } = annotations;
  if (scrapeJson === undefined) return rest;
  const { scrape, port, path } = JSON.parse(scrapeJson) as Record<string, string | undefined>;
  return {
    ...rest,
    ...(scrape === undefined ? {} : { [SCRAPE]: scrape }),
    ...(port === undefined ? {} : { [PORT]: port }),
    ...(path === undefined ? {} : { [PATH]: path }),
  };
}

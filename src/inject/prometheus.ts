type Annotations = Readonly<Record<string, string>>;

const SCRAPE = "prometheus.io/scrape";
const PORT = "prometheus.io/port";
const PATH = "prometheus.io/path";
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
  const own = { scrape: annotations[SCRAPE], path: annotations[PATH], port: annotations[PORT] };
  const isAsked = Object.values(own).some((value) => value !== undefined);
  return {
    annotations: { ...annotations, [SCRAPE]: "true", [PORT]: String(statusPort), [PATH]: MERGED_PATH },
    scrapeJson: isAsked ? JSON.stringify(own) : undefined,
  };
}

/** The annotations as they were before mergeScrape; `scrapeJson` is what it returned. */
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

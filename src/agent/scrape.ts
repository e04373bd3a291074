import { type IncomingMessage, request } from "node:http";
import type { AgentConfig } from "./config.ts";
import type { AgentMetrics } from "./metrics.ts";

/** One endpoint of the application that a scrape of the agent includes. */
export interface ScrapeTarget {
  readonly port: number;
  readonly path: string;
}

/** One scrape under way: what to answer, and its body as it comes in. */
export interface Scrape {
  readonly contentType: string;
  readonly body: AsyncIterable<string | Buffer>;
}

/** Ports that lead back to the proxy itself: scraping them would recurse. */
const RESERVED: readonly number[] = [15000, 15001, 15004, 15006, 15008, 15020, 15021, 15053, 15090];
type ScrapedMetrics = Pick<AgentMetrics, "scrapeFailed" | "text" | "counts">;

const TEXT = "text/plain; version=0.0.4; charset=utf-8";
const ACCEPT_TEXT = "text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
/** Milliseconds of silence after which a part has failed. */
const TIMEOUT = 10_000;
/** A line longer than this is nothing that a scraper reads. */
const LINE_LIMIT = 1 << 20;

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
 * Agent, Envoy and application in this order, as one body that is never held whole: each part is passed on as it comes, at
 * the speed of the reader. A part that fails is left out from there on: a broken application must not hide the proxy's
 * metrics. A single application may answer in OpenMetrics when the scraper takes it; that is then the format of the whole,
 * and its `# EOF` ends it. Of several, all are asked for text.
 */
export async function mergedMetrics(config: AgentConfig, metrics: ScrapedMetrics, accept?: string): Promise<Scrape> {
  const { addresses, ports, appAddress } = config;
  const targets = scrapeTargets(config.scrape).map((target) => ({ host: appAddress, ...target }));
  const wanted = targets.length === 1 ? acceptOfApplication(accept) : ACCEPT_TEXT;
  const failed = (part: "application" | "envoy") => (): undefined => {
    metrics.scrapeFailed(part);
  };
  const [envoy, ...apps] = await Promise.all([
    open({ host: addresses.admin, port: ports.admin, path: "/stats/prometheus" }, ACCEPT_TEXT).catch(failed("envoy")),
    ...targets.map((target) => open(target, wanted).catch(failed("application"))),
  ]);
  const type = apps.length === 1 ? (apps[0]?.headers["content-type"] ?? TEXT) : TEXT;
  const isOpen = type.startsWith("application/openmetrics-text");
  async function* parts(): AsyncGenerator<string | Buffer> {
    try {
      yield* whole(metrics.text());
      if (envoy !== undefined) {
        const counts = metrics.counts.scrape();
        yield* lines(envoy, failed("envoy"), counts.added);
        yield* bytes(counts.rest());
      }
      for (const app of apps) if (app !== undefined) yield* lines(app, failed("application"));
      if (isOpen) yield "# EOF\n";
    } finally {
      for (const answer of [envoy, ...apps]) answer?.destroy();
    }
  }
  return { contentType: isOpen ? type : TEXT, body: parts() };
}

/** Formats that can be joined line by line; the binary one cannot. */
function acceptOfApplication(accept: string | undefined): string {
  const texts = (accept ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part.startsWith("text/plain") || part.startsWith("application/openmetrics-text"));
  return texts.length === 0 ? ACCEPT_TEXT : texts.join(",");
}

/** The head of an answer of status 200; the body flows when it is read. Rejects for everything else. */
function open(
  target: { readonly host: string; readonly port: number; readonly path: string },
  accept: string,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const call = request({ ...target, headers: { accept }, agent: false }, (answer) => {
      // Read only once its turn has come; until then an end of the connection is no uncaught error.
      answer.on("error", () => undefined);
      if (answer.statusCode === 200) resolve(answer);
      else {
        answer.destroy();
        reject(new Error(`status ${answer.statusCode}`));
      }
    });
    call.setTimeout(TIMEOUT, () => call.destroy(new Error(`no answer within ${TIMEOUT} ms`)));
    call.on("error", reject);
    call.end();
  });
}

/** Whole lines of a body, without empty ones and without an end mark: others follow. A line that was cut off is left out. */
async function* lines(
  answer: IncomingMessage,
  onFailure: () => void,
  change: (text: string) => string = (text) => text,
): AsyncGenerator<Buffer> {
  let held = "";
  try {
    for await (const chunk of answer) {
      held += (chunk as Buffer).toString("latin1");
      const end = held.lastIndexOf("\n") + 1;
      if (end > 0) yield* bytes(change(held.slice(0, end)));
      held = held.slice(end);
      if (held.length > LINE_LIMIT) throw new Error("a line without end");
    }
    if (held !== "") yield* bytes(change(`${held}\n`));
  } catch {
    onFailure();
  }
}

/** Bytes as they came: labels may hold any encoding. */
function* bytes(latin1: string): Generator<Buffer> {
  for (const text of whole(latin1)) yield Buffer.from(text, "latin1");
}

function* whole(text: string): Generator<string> {
  const kept = text.replace(/^(?:# EOF)?\r?\n/gm, "");
  if (kept !== "") yield kept;
}

function isTrue(value: unknown): boolean {
  return value === true || value === "true";
}

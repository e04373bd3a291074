import { COUNTS } from "../base/agent-counts.ts";

/** Metrics that Envoy tells record by record, and what becomes of them in what it counts itself. */
export interface AgentCounts {
  /** A record: labels, and numbers that are totals so far of something that lasts, or all there is of something that is over. */
  readonly add: (record: ReadonlyMap<string, string>) => void;
  /** What one scrape makes of Envoy's exposition. */
  readonly scrape: () => CountedScrape;
}

/** Envoy's lines on their way out, as latin1 text: labels may hold any encoding. */
export interface CountedScrape {
  /** Whole lines, with our values added to those of the same labels. */
  readonly added: (text: string) => string;
  /** What Envoy did not have, once its lines are through. */
  readonly rest: () => string;
}

/** How much is kept, and for how long. Times in milliseconds. */
export interface CountsBounds {
  /** Label sets; further ones are not counted. */
  readonly sets: number;
  /** Something that lasts and was not heard of for so long has ended unheard. */
  readonly forgetOpenAfter: number;
  /** A label set that nothing was counted for, as long as Envoy keeps its own (bootstrap stats_eviction_interval, twice). */
  readonly forgetAfter: number;
}

const BOUNDS: CountsBounds = { sets: 10_000, forgetOpenAfter: 60_000, forgetAfter: 600_000 };

interface Series {
  readonly name: string;
  readonly labels: string;
  value: number;
  seen: number;
}

interface Lasting {
  totals: readonly number[];
  seen: number;
}

/** Envoy's word for the last record of a connection. */
const END = "TcpConnectionEnd";

interface CountsDeps {
  readonly now?: () => number;
  /** Hears of records that were not counted, because there are too many label sets already. */
  readonly onDropped?: () => void;
  readonly bounds?: CountsBounds;
}

/** Counts of one proxy. */
export function createCounts({
  now = Date.now,
  onDropped = () => undefined,
  bounds = BOUNDS,
}: CountsDeps = {}): AgentCounts {
  const series = new Map<string, Series>();
  const open = new Map<string, Lasting>();

  const count = (name: string, labels: string, by: number): void => {
    const key = `${name}{${labels}}`;
    const known = series.get(key);
    if (known !== undefined) {
      known.value += by;
      known.seen = now();
    } else if (series.size >= bounds.sets) onDropped();
    else series.set(key, { name, labels, value: by, seen: now() });
  };
  const sweep = (): void => {
    for (const [id, { seen }] of open) if (now() - seen > bounds.forgetOpenAfter) open.delete(id);
    for (const [key, { seen }] of series) if (now() - seen > bounds.forgetAfter) series.delete(key);
  };
  return {
    add(record) {
      const { names, totals, id, type, labels } = read(record);
      const before = id === undefined ? undefined : open.get(`${id} ${names.join()}`)?.totals;
      for (const [index, name] of names.entries()) {
        const by = (totals[index] ?? 0) - (before?.[index] ?? 0);
        if (name !== "" && by >= 0) count(name, labels, by);
      }
      if (id === undefined) return;
      if (type === END) open.delete(`${id} ${names.join()}`);
      else open.set(`${id} ${names.join()}`, { totals, seen: now() });
    },
    scrape: () => {
      sweep();
      return scrapeOf(series);
    },
  };
}

/** One exposition's worth of them. */
function scrapeOf(series: ReadonlyMap<string, Series>): CountedScrape {
  const told = new Set<string>();
  const typed = new Set<string>();
  const withOurs = (line: string): string => {
    const parsed = sampleOf(line);
    const own = parsed === undefined ? undefined : series.get(parsed.key);
    if (parsed === undefined || own === undefined) return line;
    told.add(parsed.key);
    return `${line.slice(0, parsed.valueAt)}${parsed.value + own.value}`;
  };
  return {
    added(text) {
      if (series.size === 0) return text;
      for (const [, name = ""] of text.matchAll(TYPE)) typed.add(name);
      return text.split("\n").map(withOurs).join("\n");
    },
    rest() {
      const ours = [...series].filter(([key]) => !told.has(key)).map(([, one]) => one);
      const names = [...new Set(ours.map(({ name }) => name))].filter((name) => !typed.has(name));
      return [
        ...names.map((name) => `# TYPE ${name} counter\n`),
        ...ours.map(({ name, labels, value }) => `${name}{${labels}} ${value}\n`),
      ].join("");
    },
  };
}

function read(record: ReadonlyMap<string, string>): {
  readonly names: readonly string[];
  readonly totals: readonly number[];
  readonly id: string | undefined;
  readonly type: string | undefined;
  readonly labels: string;
} {
  let names: readonly string[] = [];
  let totals: readonly number[] = [];
  const labels: [string, string][] = [];
  for (const [key, value] of record) {
    if (key === COUNTS.id || key === COUNTS.type) continue;
    if (!key.startsWith(COUNTS.metrics)) labels.push([key, value]);
    else {
      names = key.slice(COUNTS.metrics.length).split(",");
      totals = value.split(",").map((text) => (/^\d+$/.test(text) ? Number(text) : 0));
    }
  }
  return { names, totals, id: record.get(COUNTS.id), type: record.get(COUNTS.type), labels: labelText(labels) };
}

/** Labels in one order, whoever wrote them. */
function labelText(labels: readonly (readonly [string, string])[]): string {
  const text = inOrder(labels.map(([name, value]) => [name, escaped(value)]));
  return Buffer.from(text, "utf8").toString("latin1");
}

function inOrder(labels: readonly (readonly [string, string])[]): string {
  return labels
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}="${value}"`)
    .join(",");
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

const NAMES = "istio_(?:tcp_(?:sent|received)_bytes|(?:request|response)_messages)_total";
const TYPE = new RegExp(`^# TYPE (${NAMES}) `, "gm");
const SAMPLE = new RegExp(`^(${NAMES})\\{(.*)\\} (\\d+)$`);

/** A sample of a metric that may be ours too: the key of its series, its value and where that stands; undefined for other lines. */
function sampleOf(
  line: string,
): { readonly key: string; readonly value: number; readonly valueAt: number } | undefined {
  const found = SAMPLE.exec(line);
  if (found === null) return undefined;
  const [, name = "", text = "", value = "0"] = found;
  const labels = [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = "", raw = ""]) => [key, raw] as const);
  return { key: `${name}{${inOrder(labels)}}`, value: Number(value), valueAt: line.length - value.length };
}

/** A metric that counts up. */
export interface Counter {
  inc(label?: string): void;
}

/** A metric whose value is asked when it is read; undefined values are left out. */
export type Read = () => number | undefined;

/** A metric that sorts values into buckets. */
export interface Histogram {
  observe(value: number, label?: string): void;
}

/** Metrics of one process in Prometheus' text format. */
export interface Exposition {
  /** `label`: the name of its one label, whose values come with each count. */
  counter(name: string, help: string, label?: string): Counter;
  gauge(name: string, help: string, labels: Readonly<Record<string, string>>, read: Read): void;
  /** A counter that somebody else keeps: its value is asked when it is read. */
  reading(name: string, help: string, read: Read): void;
  /** `bounds`: upper bounds of the buckets, rising. */
  histogram(
    named: { readonly name: string; readonly help: string; readonly label?: string },
    bounds: readonly number[],
  ): Histogram;
  text(): string;
}

/**
 * What an agent needs of a metrics library, and no more: the library that meshd uses takes 3 MB of each pod
 * (docs/internals/agent-memory.md). A test holds the text to the library's.
 */
export function createExposition(): Exposition {
  const parts: (() => string)[] = [];
  const add = (name: string, help: string, type: string, lines: () => readonly string[]): void => {
    parts.push(() => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines(), ""].join("\n"));
  };
  return {
    counter(name, help, label) {
      const counts = new Map<string, number>(label === undefined ? [["", 0]] : []);
      add(name, help, "counter", () =>
        [...counts].map(([value, count]) => `${name}${labelled(label, value)} ${count}`),
      );
      return { inc: (value = "") => void counts.set(value, (counts.get(value) ?? 0) + 1) };
    },
    gauge(name, help, labels, read) {
      const [[label, value] = [undefined, ""], ...more] = Object.entries(labels);
      const rest = more.map(([key, text]) => pair(key, text));
      add(name, help, "gauge", () => {
        const now = read();
        return now === undefined ? [] : [`${name}${labelled(label, value, rest)} ${now}`];
      });
    },
    reading: (name, help, read) =>
      add(name, help, "counter", () => {
        const now = read();
        return now === undefined ? [] : [`${name} ${now}`];
      }),
    histogram({ name, help, label }, bounds) {
      const series = new Map<string, Series>(label === undefined ? [["", emptySeries(bounds)]] : []);
      add(name, help, "histogram", () =>
        [...series].flatMap(([value, one]) => seriesLines({ name, label, value, bounds }, one)),
      );
      return {
        observe(seen, value = "") {
          const one = series.get(value) ?? emptySeries(bounds);
          series.set(value, one);
          const index = bounds.findIndex((bound) => seen <= bound);
          if (index >= 0) one.buckets[index] = (one.buckets[index] ?? 0) + 1;
          one.sum += seen;
          one.count += 1;
        },
      };
    },
    text: () => parts.map((part) => part()).join("\n"),
  };
}

interface Series {
  /** Values that fell into each bucket and into none below it. */
  readonly buckets: number[];
  sum: number;
  count: number;
}

function emptySeries(bounds: readonly number[]): Series {
  return { buckets: bounds.map(() => 0), sum: 0, count: 0 };
}

interface SeriesName {
  readonly name: string;
  readonly label: string | undefined;
  readonly value: string;
  readonly bounds: readonly number[];
}

function seriesLines({ name, label, value, bounds }: SeriesName, { buckets, sum, count }: Series): readonly string[] {
  let below = 0;
  const own = label === undefined ? [] : [pair(label, value)];
  const rows = bounds.map((bound, index) => {
    below += buckets[index] ?? 0;
    return `${name}_bucket${labelled("le", String(bound), own)} ${below}`;
  });
  const all = labelled(label, value);
  return [
    ...rows,
    `${name}_bucket${labelled("le", "+Inf", own)} ${count}`,
    `${name}_sum${all} ${sum}`,
    `${name}_count${all} ${count}`,
  ];
}

function labelled(label: string | undefined, value: string, more: readonly string[] = []): string {
  return label === undefined ? "" : `{${[pair(label, value), ...more].join(",")}}`;
}

function pair(label: string, value: string): string {
  return `${label}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}

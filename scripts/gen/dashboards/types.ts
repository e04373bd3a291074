/** One query of a panel, in PromQL; `$__rate_interval` and variables are Grafana's. */
export interface Query {
  readonly expr: string;
  /** What a series is called: text with `{{label}}`. */
  readonly legend: string;
}

/** A panel: `stat` one number, `graph` lines over time, `table` one row for each series now. */
export interface Panel {
  readonly title: string;
  readonly kind: "stat" | "graph" | "table";
  /** Grafana's name of the unit: reqps, ms, percentunit, Bps, bytes, s, short. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** What it means and what to do, for those who ask the panel. */
  readonly help?: string;
}

/** A choice at the top of a dashboard: the values of a label over some series. */
export interface Variable {
  readonly name: string;
  readonly label: string;
  /** Selector of the series. */
  readonly of: string;
  /** Their label. */
  readonly values: string;
}

/** Panels below a heading. */
export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** A dashboard of the addon grafana: `id` is its file's name and its uid. */
export interface Dashboard {
  readonly id: string;
  readonly title: string;
  readonly help: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

/** A panel of one number. */
export function stat(title: string, unit: string, expr: string, help?: string): Panel {
  return { title, kind: "stat", unit, queries: [{ expr, legend: "" }], ...(help === undefined ? {} : { help }) };
}

/** A panel of lines: legend and query of each. */
export function graph(title: string, unit: string, lines: Readonly<Record<string, string>>, help?: string): Panel {
  const queries = Object.entries(lines).map(([legend, expr]) => ({ legend, expr }));
  return { title, kind: "graph", unit, queries, ...(help === undefined ? {} : { help }) };
}

/** Per second, over the interval that Grafana thinks right. */
export function rate(series: string): string {
  return `rate(${series}[$__rate_interval])`;
}

/** Sum of rates, by labels. */
export function rates(series: string, ...by: readonly string[]): string {
  return by.length === 0 ? `sum(${rate(series)})` : `sum by (${by.join(", ")}) (${rate(series)})`;
}

/** A quantile of a histogram; `name` without `_bucket`, `selector` without braces. */
export function quantile(q: number, name: string, selector: string, ...by: readonly string[]): string {
  const braces = selector === "" ? "" : `{${selector}}`;
  return `histogram_quantile(${q}, ${rates(`${name}_bucket${braces}`, "le", ...by)})`;
}

/** Zero where nothing was counted yet: of what should never happen. */
export function orZero(expr: string): string {
  return `${expr} or vector(0)`;
}

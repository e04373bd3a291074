import { planeDashboards } from "./plane.ts";
import { requestDashboards } from "./requests.ts";
import type { Dashboard, Panel, Query, Row, Variable } from "./types.ts";

/** Every dashboard of the addon grafana. */
export const DASHBOARDS: readonly Dashboard[] = [...requestDashboards, ...planeDashboards];

const SOURCE = { type: "prometheus", uid: "prometheus" };
const WIDTH = 24;

/** The dashboards as Grafana reads them: path below manifests/ -> JSON. */
export function generateDashboards(): ReadonlyMap<string, string> {
  return new Map(
    DASHBOARDS.map((dashboard) => [
      `manifests/addons/grafana/${dashboard.id}.json`,
      `${JSON.stringify(grafanaOf(dashboard), undefined, 2)}\n`,
    ]),
  );
}

function grafanaOf({ id, title, help, variables, rows }: Dashboard): unknown {
  return {
    uid: `mesh-${id}`,
    title: id === "mesh" ? title : `Mesh: ${title}`,
    description: help,
    tags: ["mesh"],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: "15s",
    time: { from: "now-15m", to: "now" },
    timezone: "browser",
    links: [{ type: "dashboards", title: "Mesh", tags: ["mesh"], asDropdown: true, includeVars: true, keepTime: true }],
    annotations: { list: [] },
    templating: { list: variables.map(variableOf) },
    panels: placed(rows),
  };
}

function variableOf({ name, label, of, values }: Variable): unknown {
  const query = `label_values(${of}, ${values})`;
  return {
    name,
    label,
    type: "query",
    datasource: SOURCE,
    query: { query, refId: name },
    definition: query,
    refresh: 2,
    sort: 1,
    multi: false,
    includeAll: false,
  };
}

/** Rows below each other; numbers side by side, graphs in pairs, tables over the whole width. */
function placed(rows: readonly Row[]): readonly unknown[] {
  const out: unknown[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    out.push({
      id: out.length + 1,
      type: "row",
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: WIDTH, h: 1 },
      panels: [],
    });
    y += 1;
    let [x, high] = [0, 0];
    const stats = panels.filter(({ kind }) => kind === "stat").length;
    for (const panel of panels) {
      const [w, h] = sizeOf(panel, stats);
      if (x + w > WIDTH) {
        y += high;
        [x, high] = [0, 0];
      }
      out.push(panelOf(panel, { id: out.length + 1, gridPos: { x, y, w, h } }));
      x += w;
      high = Math.max(high, h);
    }
    y += high;
  }
  return out;
}

function sizeOf({ kind }: Panel, stats: number): readonly [number, number] {
  if (kind === "stat") return [Math.floor(WIDTH / stats), 4];
  return kind === "table" ? [WIDTH, 9] : [WIDTH / 2, 8];
}

const TYPES = { stat: "stat", graph: "timeseries", table: "table" } as const;

function panelOf({ title, kind, unit, queries, help }: Panel, place: object): unknown {
  return {
    ...place,
    type: TYPES[kind],
    title,
    ...(help === undefined ? {} : { description: help }),
    datasource: SOURCE,
    targets: queries.map((query, index) => targetOf(query, { kind, index })),
    fieldConfig: { defaults: { unit, ...(kind === "graph" ? { min: 0 } : {}) }, overrides: [] },
    ...(kind === "table" ? { transformations: merged(queries) } : {}),
  };
}

function targetOf(
  { expr, legend }: Query,
  { kind, index }: { readonly kind: Panel["kind"]; readonly index: number },
): unknown {
  const refId = String.fromCharCode(65 + index);
  const how = kind === "table" ? { format: "table", instant: true } : { range: true };
  return { refId, datasource: SOURCE, expr, legendFormat: legend === "" ? "__auto" : legend, ...how };
}

/** The queries of a table as columns of one, under their legends. */
function merged(queries: readonly Query[]): readonly unknown[] {
  const names = queries.map(({ legend }, index) => [`Value #${String.fromCharCode(65 + index)}`, legend] as const);
  return [
    { id: "merge", options: {} },
    { id: "organize", options: { excludeByName: { Time: true }, renameByName: Object.fromEntries(names) } },
  ];
}

import { request } from "node:http";
import { getAt } from "../../../scripts/scenario/ask.ts";
import type { Ask, Sample } from "../local/prometheus-step.ts";

/** Queries through Grafana, as its panels make them: its own data source asks Prometheus. `address`: of its pod. */
export function askingGrafana(address: string): Ask {
  return async (expr) => {
    const query = {
      refId: "A",
      datasource: { uid: "prometheus" },
      expr,
      instant: true,
      intervalMs: 1000,
      maxDataPoints: 1,
    };
    const { status, body } = await post(address, "/api/ds/query", { queries: [query], from: "now-1m", to: "now" });
    if (status !== 200) throw new Error(`Grafana answered ${status} to ${expr}: ${body}`);
    const { results } = JSON.parse(body) as {
      readonly results: { readonly A: { readonly frames?: readonly Frame[] } };
    };
    return (results.A.frames ?? []).flatMap(samplesOf);
  };
}

interface Frame {
  readonly schema: { readonly fields: readonly { readonly type: string; readonly labels?: Sample["metric"] }[] };
  readonly data: { readonly values: readonly (readonly (number | null)[])[] };
}

function samplesOf({ schema, data }: Frame): readonly Sample[] {
  return schema.fields.flatMap(({ type, labels = {} }, index) => {
    const value = data.values[index]?.at(-1);
    return type === "number" && value !== undefined ? [{ metric: labels, value: value ?? Number.NaN }] : [];
  });
}

interface Panel {
  readonly targets?: readonly { readonly expr?: string }[];
  readonly panels?: readonly Panel[];
}

/** Dashboards that Grafana has, with the queries of their panels. */
export async function dashboardsIn(
  address: string,
): Promise<readonly { readonly title: string; readonly folder: string; readonly queries: readonly string[] }[]> {
  const get = async (path: string): Promise<unknown> => {
    const { status, body } = await getAt(address, 3000, path, {});
    if (status !== 200) throw new Error(`Grafana answered ${status} to ${path}: ${body}`);
    return JSON.parse(body) as unknown;
  };
  const found = (await get("/api/search?type=dash-db")) as readonly {
    readonly uid: string;
    readonly title: string;
    readonly folderTitle?: string;
  }[];
  return Promise.all(
    found.map(async ({ uid, title, folderTitle = "" }) => {
      const { dashboard } = (await get(`/api/dashboards/uid/${uid}`)) as { readonly dashboard: Panel };
      return { title, folder: folderTitle, queries: queriesIn(dashboard) };
    }),
  );
}

function queriesIn({ targets = [], panels = [] }: Panel): readonly string[] {
  return [...targets.flatMap(({ expr }) => expr ?? []), ...panels.flatMap(queriesIn)];
}

function post(host: string, path: string, body: unknown): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host, port: 3000, path, method: "POST", headers: { "content-type": "application/json" } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      },
    );
    sent.on("error", reject);
    sent.end(JSON.stringify(body));
  });
}

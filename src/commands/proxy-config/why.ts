import { sourceOf, type Tagged } from "../../why/source.ts";
import { matchText } from "./routes.ts";
import { type Data, list, record, sorted, text } from "./view.ts";

/** Columns behind those that name a resource. */
const BECAUSE = ["FROM", "FIELD", "NOT FOLLOWED"];

/** The table of `--why`: what each resource comes from, and which objects wanted to decide it and did not. */
export interface WhyTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** By the word after `proxy-config`: the views whose resources objects of the mesh decide. */
export const whyTables: Readonly<Record<string, (items: readonly Data[]) => WhyTable>> = {
  routes: (tables) => ({
    columns: ["NAME", "VHOST NAME", "MATCH", ...BECAUSE],
    // within a virtual host the first match wins: Envoy's order says something
    rows: sorted(tables.flatMap(routeRows), 2),
  }),
  clusters: (items) => ({
    columns: ["CLUSTER", ...BECAUSE],
    rows: sorted(items.map((cluster) => [text(cluster, "name"), ...because(cluster, "")])),
  }),
  listeners: (items) => ({
    columns: ["LISTENER", "CHAIN", ...BECAUSE],
    rows: sorted(items.flatMap(listenerRows)),
  }),
};

function routeRows(table: unknown): string[][] {
  return list(table, "virtual_hosts").flatMap((host) =>
    list(host, "routes").map((route) => [
      text(table, "name"),
      text(host, "name"),
      matchText(record(route, "match")),
      ...because(route, hostOf(text(route, "route", "cluster"))),
    ]),
  );
}

/** The listener itself, then its chains that say something of their own. */
function listenerRows(listener: Data): string[][] {
  const name = text(listener, "name");
  const chains = [...list(listener, "filter_chains"), record(listener, "default_filter_chain")].flatMap((chain) => {
    const [from = "", ...more] = because(chain, "");
    return from === "" ? [] : [[name, text(chain, "name"), from, ...more]];
  });
  const once = new Map(chains.map((row) => [row.join("\n"), row]));
  return [[name, "", ...because(listener, "")], ...once.values()];
}

/** A resource that says nothing comes from the service it is for: `fallback`. */
function because(resource: unknown, fallback: string): string[] {
  const source = sourceOf(resource as Tagged, () => undefined);
  if (source === undefined) return [fallback, "", ""];
  const parts = Object.entries(source.parts ?? {}).map(([part, where]) => `${part}: ${where}`);
  return [source.object, [source.field ?? "", ...parts].filter(Boolean).join("; "), (source.lost ?? []).join("; ")];
}

/** `service reviews.shop.svc.cluster.local` of a cluster's name; empty for the special ones. */
function hostOf(cluster: string): string {
  const host = cluster.split("|")[3];
  return host === undefined ? "" : `service ${host}`;
}

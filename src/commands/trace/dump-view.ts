import type { ExplicitBind } from "../../ir/proxy.ts";
import type { RunningConfig } from "../../why/types.ts";
import { clustersOf } from "../proxy-config/clusters.ts";
import { eds } from "../proxy-config/eds.ts";
import { listenersOf } from "../proxy-config/listeners.ts";
import { tablesOf } from "../proxy-config/routes.ts";
import { type Data, record, sections, text } from "../proxy-config/view.ts";

/** What an Envoy runs, read out of its `/config_dump?include_eds`: the messages are those of the wire, by the same names. */
export function dumpView(dump: unknown): RunningConfig {
  const clusters = new Map(clustersOf(dump).map((cluster) => [text(cluster, "name"), cluster]));
  const tables = new Map(tablesOf(dump).map((table) => [text(table, "name"), table]));
  const endpoints = new Map(eds.items(dump).map((assignment) => [text(assignment, "cluster_name"), assignment]));
  const listeners = listenersOf(dump);
  return {
    live: true,
    listeners: () => listeners as unknown as ReturnType<RunningConfig["listeners"]>,
    routes: (name) => tables.get(name) as ReturnType<RunningConfig["routes"]>,
    cluster: (name) => clusters.get(name) as ReturnType<RunningConfig["cluster"]>,
    endpoints: (name) => endpoints.get(name) as ReturnType<RunningConfig["endpoints"]>,
  };
}

/** Who a dump is of, as its bootstrap says. */
export interface DumpNode {
  /** `sidecar~10.1.0.5~web-abc.shop~shop.svc.cluster.local` */
  readonly id: string;
  readonly metadata: Data;
}

/** The node of a dump's bootstrap. */
export function nodeOf(dump: unknown): DumpNode {
  const node = record(sections(dump, "BootstrapConfigDump")[0], "bootstrap", "node");
  return { id: text(node, "id"), metadata: record(node, "metadata") };
}

/** Explicit addresses that a node says it binds; undefined where traffic is redirected. */
export function bindOf({ metadata }: Pick<DumpNode, "metadata">): ExplicitBind | undefined {
  try {
    const bind = JSON.parse(text(metadata, "MESH_BIND")) as Partial<ExplicitBind>;
    const { prefix, appAddress, httpProxyPort } = bind;
    return prefix === undefined || appAddress === undefined || httpProxyPort === undefined
      ? undefined
      : { prefix, appAddress, httpProxyPort };
  } catch {
    return undefined;
  }
}

import { ADDON_LABEL, ADDONS, addonImage, type AddonName } from "../install/addons.ts";
import { isReady } from "../install/readiness.ts";
import { table } from "../report/table.ts";
import type { KubeObject } from "../resources/object.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { print } from "./print.ts";

/** One addon, and how it stands in the cluster. */
export interface AddonState {
  readonly name: AddonName;
  readonly summary: string;
  readonly state: "ready" | "not ready" | "not installed";
  /** The image that runs, else the one that would. */
  readonly image: string;
}

const SUMMARIES: Readonly<Record<AddonName, string>> = {
  grafana: "dashboards over Prometheus",
  jaeger: "traces: keeps them, finds them, shows them",
  kiali: "the mesh as a graph, with its configuration",
  "otel-collector": "takes traces and logs by OTLP and passes them on",
  prometheus: "metrics: scrapes proxies and control plane, rules and alerts",
};

/** `meshctl addons list`: addons by name, also those that were applied from samples/addons/. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const cluster = await io.cluster();
  const deployments = await cluster.list({ apiVersion: "apps/v1", kind: "Deployment" }, { labelSelector: ADDON_LABEL });
  const data = ADDONS.map((name) => stateOf(name, deployments));
  const text = table(
    ["ADDON", "STATE", "IMAGE", "FOR"],
    data.map(({ name, state, image, summary }) => [name, state, image, summary]),
  );
  print(input, io, { data, text });
  return { exitCode: 0 };
}

function stateOf(name: AddonName, deployments: readonly KubeObject[]): AddonState {
  const own = deployments.find(({ metadata }) => metadata.labels?.[ADDON_LABEL] === name);
  const summary = SUMMARIES[name];
  if (own === undefined) return { name, summary, state: "not installed", image: addonImage(name, {}) };
  const { template } = own.spec as { template: { spec: { containers: readonly { image?: string }[] } } };
  const isUp = isReady({ ...own, kind: "Deployment" });
  return { name, summary, state: isUp ? "ready" : "not ready", image: template.spec.containers[0]?.image ?? "" };
}

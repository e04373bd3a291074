import { runChecks } from "../checks/check.ts";
import { precheckChecks } from "../checks/precheck.ts";
import { VERSION } from "../gen/version.ts";
import { namespaceObject, render } from "../install/render.ts";
import type { Settings, SettingsRequest } from "../install/settings.ts";
import { revisionOf } from "../install/variables.ts";
import type { Cluster } from "../resources/cluster.ts";
import type { Plan } from "./bring.ts";
import { createProbes } from "./checks/probes.ts";
import { letImagesAppear } from "./install-images.ts";
import type { Io } from "./io.ts";
import { checkText } from "./precheck.ts";

/** The plan of settings: their objects, and every namespace that these are in. */
export function planOf(settings: Settings, request: SettingsRequest): Plan {
  const components = render(settings);
  const inside = components.flatMap(({ objects }) => objects.flatMap(({ metadata }) => metadata.namespace ?? []));
  const names = new Set([settings.namespace, ...inside]);
  const { namespace, profile } = settings;
  const namespaces = [...names].map((name) => namespaceObject(settings, name));
  return { namespace, profile, revision: revisionOf(settings), request, namespaces, components };
}

/** Nodes that cannot redirect traffic say so by a label; when all do, proxies are reached by explicit addresses. */
export async function withClusterFacts(cluster: Cluster, settings: Settings): Promise<Settings> {
  const nodes = await cluster.list({ apiVersion: "v1", kind: "Node" });
  const isExplicit =
    nodes.length > 0 && nodes.every((node) => node.metadata.labels?.["meshctl.io/interception"] === "none");
  if (!isExplicit) return settings;
  const proxy = { ...(settings.values.global["proxy"] as object), interceptionMode: "NONE" };
  return { ...settings, values: { ...settings.values, global: { ...settings.values.global, proxy } } };
}

/** Checks about a mesh that is there: what is broken in it must not stop the installation that mends it. */
const OF_A_RUNNING_MESH: readonly string[] = [
  "certificates",
  "configuration",
  "control plane",
  "gateways",
  "injection",
  "measurements",
  "mesh configuration",
  "proxies",
  "webhooks",
];

/** Whether nothing in the cluster speaks against a plan; what does is told on stderr. `passed`: names of checks that are not run. */
export async function passesPrecheck(
  cluster: Cluster,
  plan: Plan,
  io: Io,
  passed: readonly string[] = [],
): Promise<boolean> {
  const checks = precheckChecks.filter(
    ({ category, name }) => !OF_A_RUNNING_MESH.includes(category) && !passed.includes(name),
  );
  const rendered = [...plan.namespaces, ...plan.components.flatMap(({ objects }) => objects)];
  await letImagesAppear(cluster, rendered, io);
  const facts = {
    istioNamespace: plan.namespace,
    rendered,
    version: VERSION,
    now: io.now(),
    probes: createProbes(cluster, plan.namespace, io),
  };
  const results = await runChecks(checks, cluster, facts);
  const bad = results.filter(({ status }) => status === "error" || status === "warning");
  if (bad.length > 0) io.err(checkText(bad));
  const failed = bad.filter(({ status }) => status === "error");
  if (failed.length > 0) io.err("Nothing was changed. Repair what is named above, or pass --skip-precheck.\n");
  return failed.length === 0;
}

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { type Scenario, must } from "../../../scripts/scenario/context.ts";
import type { KubeObject } from "../../../src/resources/object.ts";

const NAMESPACE = "shop";
/** A namespace whose pods are not injected. */
const ELSEWHERE = "outside";

/** Pods that are injected, and pods that are not, each for another reason. */
const PODS: Readonly<Record<string, Partial<KubeObject["metadata"]> & { readonly hostNetwork?: boolean }>> = {
  plain: {},
  annotated: {
    annotations: { "sidecar.istio.io/logLevel": "info", "traffic.sidecar.istio.io/excludeOutboundPorts": "25" },
  },
  tproxy: { annotations: { "sidecar.istio.io/interceptionMode": "TPROXY" } },
  refused: { labels: { "sidecar.istio.io/inject": "false" } },
  host: { hostNetwork: true },
};

interface PodSpec {
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
}

interface Container {
  readonly name: string;
  readonly volumeMounts?: readonly { readonly name: string }[];
}

/** The webhook and `meshctl inject` decide the same about each pod, and put the same proxy into it. */
export async function bothDoors(scenario: Scenario): Promise<void> {
  const pods = Object.entries(PODS).map(([name, { hostNetwork, ...metadata }]): KubeObject => {
    const containers = [{ name: "app", image: "docker.io/meshctl/samples:0.1.0" }];
    const spec = { ...(hostNetwork && { hostNetwork }), containers };
    return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: NAMESPACE, ...metadata }, spec };
  });
  const file = join(scenario.work, "pods.yaml");
  await writeFile(file, pods.map((pod) => `---\n${JSON.stringify(pod)}\n`).join(""));
  const { stdout } = await scenario.meshctl(["inject", "--use-cluster", "-f", file], { quiet: true });
  const made = parseAllDocuments(stdout).map((document) => document.toJS() as KubeObject);
  must(made.length === pods.length, `expected ${pods.length} pods, got ${made.length}`);
  let injected = 0;
  for (const [index, pod] of pods.entries()) {
    const byWebhook = proxiesOf((await scenario.cluster.create(pod, { dryRun: true })).spec as PodSpec);
    // the API server's defaults are part of neither decision
    const moved = {
      ...pod,
      ...made[index],
      metadata: { ...made[index]?.metadata, name: "made", namespace: ELSEWHERE },
    };
    const byCommand = proxiesOf((await scenario.cluster.create(moved, { dryRun: true })).spec as PodSpec);
    const [first, second] = [JSON.stringify(byWebhook), JSON.stringify(byCommand)];
    must(first === second, `${pod.metadata.name}: the webhook adds ${first}, the command ${second}`);
    if (byWebhook.length > 0) injected++;
  }
  must(injected === 3, `expected 3 of ${pods.length} pods injected, got ${injected}`);
}

/** What injection added, where it stands and all that it says; the API server's own token volume has a name of its own each time. */
function proxiesOf({ containers = [], initContainers = [] }: PodSpec): readonly unknown[] {
  const added = (place: string, from: readonly Container[]): readonly unknown[] =>
    from
      .filter(({ name }) => name !== "app")
      .map(({ volumeMounts = [], ...container }) => {
        const mounts = volumeMounts.filter(({ name }) => !name.startsWith("kube-api-access-"));
        return sorted({ place, volumeMounts: mounts, ...container });
      });
  return [...added("init", initContainers), ...added("app", containers)];
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}

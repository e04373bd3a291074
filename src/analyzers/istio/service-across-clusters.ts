import type { Service, ServicePortSpec } from "../../resources/core.ts";
import { serviceHost } from "../../model/host.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { nameOf } from "./shared-names.ts";

/**
 * A Service of one name is one service to the mesh, and proxies send to all its endpoints as their own cluster describes it.
 * Numbers that each cluster assigns by itself (nodePort, clusterIP) do not count, nor services that stay in their cluster
 * (`serviceSettings`). Told once, for the first cluster that has it.
 */
export const serviceAcrossClusters = defineAnalyzer({
  name: "service-across-clusters",
  summary: "Checks that a Service is the same in all clusters of the mesh.",
  reads: ["Service"],
  codes: ["IST0170"],
  analyze: (input) => {
    const own = input.world.list("Service");
    const here = input.clusters.findIndex(({ world }) => world === input.world);
    const earlier = input.clusters.slice(0, here);
    const later = input.clusters.slice(here + 1);
    for (const service of later.length > 0 ? own : []) {
      const { namespace = "", name } = service.metadata;
      const isLocal = isOfCluster(service) || input.model.isClusterLocal(hostOf(service, input.model.domain));
      if (isLocal || earlier.some(({ world }) => world.get("Service", namespace, name) !== undefined)) continue;
      compare(input, service, input.clusters[here]?.name ?? "");
    }
  },
});

type Input = AnalyzerInput<"Service", "IST0170">;

function compare({ clusters, report }: Input, service: Service, here: string): void {
  const { namespace = "", name } = service.metadata;
  const different = clusters.flatMap((cluster) => {
    const other = cluster.world.get("Service", namespace, name);
    const differences = other === undefined ? [] : differencesOf(service, other);
    return differences.length === 0 ? [] : [{ name: cluster.name, differences }];
  });
  if (different.length === 0) return;
  report(service, ["spec"], "IST0170", {
    service: name,
    namespace,
    clusters: [here, ...different.map((cluster) => cluster.name)].join(", "),
    differences: [...new Set(different.flatMap(({ differences }) => differences))].join("; "),
  });
}

function hostOf({ metadata }: Service, domain: string): string {
  return serviceHost(metadata.name, metadata.namespace ?? "", domain);
}

/** Services that every cluster has of its own. */
function isOfCluster(service: Service): boolean {
  return (service.metadata.namespace ?? "").startsWith("kube-") || nameOf(service) === "default/kubernetes";
}

function differencesOf({ spec: a = {} }: Service, { spec: b = {} }: Service): readonly string[] {
  const differences: string[] = [];
  if ((a.clusterIP === "None") !== (b.clusterIP === "None"))
    differences.push("headless in one, with an address in the other");
  if ((a.type ?? "ClusterIP") !== (b.type ?? "ClusterIP"))
    differences.push(`type ${a.type ?? "ClusterIP"} and ${b.type ?? "ClusterIP"}`);
  const [first, second] = [portsText(a.ports), portsText(b.ports)];
  if (first !== second) differences.push(`ports ${first} and ${second}`);
  return differences;
}

function portsText(ports: readonly ServicePortSpec[] = []): string {
  return ports
    .map(({ name = "", port, targetPort = port, protocol = "TCP", appProtocol = "" }) => {
      const application = appProtocol === "" ? "" : ` (${appProtocol})`;
      return `${name === "" ? "" : `${name} `}${port}/${protocol} to ${targetPort}${application}`;
    })
    .toSorted()
    .join(", ");
}

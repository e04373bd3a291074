import { finding } from "../diagnostics/codes.ts";
import type { Finding } from "../diagnostics/finding.ts";
import type { Service, ServicePortSpec } from "../resources/core.ts";
import { refOf } from "../resources/object.ts";
import type { World } from "../resources/world.ts";

/** A cluster of the mesh. */
export interface NamedWorld {
  /** As the mesh calls it. */
  readonly cluster: string;
  readonly world: Pick<World, "list">;
}

/**
 * What is wrong between clusters: a Service of one name is one service to the mesh, and proxies send to all its endpoints as
 * the nearest cluster describes it (IST0170). Numbers that each cluster assigns by itself (nodePort, clusterIP) do not count.
 * A finding is about the Service of the first cluster that has it.
 */
export function multiClusterFindings(clusters: readonly NamedWorld[]): readonly Finding[] {
  const services = new Map<string, { readonly cluster: string; readonly service: Service }[]>();
  for (const { cluster, world } of clusters)
    for (const service of world.list("Service")) {
      const key = `${service.metadata.namespace ?? ""}/${service.metadata.name}`;
      services.set(key, [...(services.get(key) ?? []), { cluster, service }]);
    }
  const findings: Finding[] = [];
  for (const same of services.values()) {
    const [first, ...others] = same;
    if (first === undefined || isOfCluster(first.service)) continue;
    const found = others.map((other) => ({ ...other, differences: differencesOf(first.service, other.service) }));
    const different = found.filter(({ differences }) => differences.length > 0);
    if (different.length === 0) continue;
    const { metadata } = first.service;
    const args = {
      service: metadata.name,
      namespace: metadata.namespace ?? "",
      clusters: [first, ...different].map(({ cluster }) => cluster).join(", "),
      differences: [...new Set(different.flatMap(({ differences }) => differences))].join("; "),
    };
    const place = { object: refOf(first.service), path: ["spec"] };
    findings.push({ ...finding("IST0170", place, args), cluster: first.cluster });
  }
  return findings;
}

/** Services that every cluster has of its own. */
function isOfCluster({ metadata: { namespace = "", name } }: Service): boolean {
  return namespace.startsWith("kube-") || (namespace === "default" && name === "kubernetes");
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
    .map(
      ({ name = "", port, targetPort = port, protocol = "TCP", appProtocol = "" }) =>
        `${name === "" ? "" : `${name} `}${port}/${protocol} to ${targetPort}${appProtocol === "" ? "" : ` (${appProtocol})`}`,
    )
    .toSorted()
    .join(", ");
}

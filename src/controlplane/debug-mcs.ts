import type { Members } from "../model/members.ts";
import { byText } from "../model/order.ts";
import type { ServiceImportSpec } from "../resources/core.ts";
import type { KubeObject } from "../resources/object.ts";
import type { World } from "../resources/world.ts";

/** A service that is shared between clusters, as `/debug/mcsz` shows it, by Istio's names (pilot/pkg/model/service.go). */
export interface SharedService {
  readonly Cluster: string;
  readonly Name: string;
  readonly Namespace: string;
  /** The cluster lets others see its endpoints. */
  readonly Exported: boolean;
  /** The cluster has a ServiceImport of it. */
  readonly Imported: boolean;
  /** The first address of that; empty: none. */
  readonly ClusterSetVIP: string;
}

/** ServiceExports and ServiceImports of all clusters, by cluster, namespace and name. */
export function sharedServices(members: Members): readonly SharedService[] {
  return members.all().flatMap(({ clusterId, world }) => {
    const imports = new Map(world.list("ServiceImport").map((one) => [keyOf(one), one]));
    const exports = new Set(world.list("ServiceExport").map(keyOf));
    return [...new Set([...imports.keys(), ...exports])]
      .toSorted(byText)
      .map((key) => sharedService(key, { clusterId, isExported: exports.has(key), imported: imports.get(key) }));
  });
}

type Import = ReturnType<World["list"]>[number];

function keyOf({ metadata }: Pick<KubeObject, "metadata">): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}

function sharedService(
  key: string,
  of: { readonly clusterId: string; readonly isExported: boolean; readonly imported: Import | undefined },
): SharedService {
  const [namespace = "", name = ""] = key.split("/");
  const { ips: [first = ""] = [] } = (of.imported?.spec ?? {}) as ServiceImportSpec;
  return {
    Cluster: of.clusterId,
    Name: name,
    Namespace: namespace,
    Exported: of.isExported,
    Imported: of.imported !== undefined,
    ClusterSetVIP: first,
  };
}

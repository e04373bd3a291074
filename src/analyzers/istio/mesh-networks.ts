import { nearest } from "../../base/nearest.ts";
import type { FieldPath } from "../../diagnostics/finding.ts";
import { REMOTE_SECRET_LABEL } from "../../model/members.ts";
import { MESH_CONFIG_MAP } from "../../model/mesh-config.ts";
import { parseYaml } from "../../resources/yaml-plain.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/** Endpoints of a cluster that nobody told the mesh about are on no network: they are called as if they were near. */
export const meshNetworks = defineAnalyzer({
  name: "mesh-networks",
  summary: "Checks that clusters which meshNetworks names are known to the mesh.",
  reads: ["ConfigMap", "Secret"],
  codes: ["IST0126"],
  analyze: (input) => {
    const object = input.world.get("ConfigMap", input.model.rootNamespace, MESH_CONFIG_MAP);
    const named = registriesOf(object?.data?.["meshNetworks"] ?? "");
    if (object === undefined || named.length === 0) return;
    const known = knownClusters(input);
    for (const { registry, network, path } of named) {
      if (known.has(registry)) continue;
      if (!input.knows("Secret", input.model.rootNamespace)) {
        input.unknown(`cluster ${registry}: no Secret of namespace ${input.model.rootNamespace} is in the files`);
        continue;
      }
      const close = nearest(registry, [...known]) ?? "";
      input.report(object, path, "IST0126", { registry, network, nearest: close });
    }
  },
});

type Input = AnalyzerInput<"ConfigMap" | "Secret", "IST0126">;

interface Named {
  readonly registry: string;
  readonly network: string;
  readonly path: FieldPath;
}

/** Clusters that networks take endpoints from. */
function registriesOf(text: string): readonly Named[] {
  const { networks = {} } = read(text);
  return Object.entries(networks).flatMap(([network, value]) =>
    (value?.endpoints ?? []).flatMap(({ fromRegistry }) =>
      typeof fromRegistry === "string" ? [{ registry: fromRegistry, network, path: ["data", "meshNetworks"] }] : [],
    ),
  );
}

interface Networks {
  readonly networks?: Readonly<
    Record<string, { readonly endpoints?: readonly { readonly fromRegistry?: unknown }[] } | null>
  >;
}

function read(text: string): Networks {
  try {
    const value: unknown = parseYaml(text);
    return typeof value === "object" && value !== null ? (value as Networks) : {};
  } catch {
    // validation says what is wrong with it
    return {};
  }
}

/** This cluster, registries that are no clusters, and those with a remote secret. */
function knownClusters({ world, model }: Input): ReadonlySet<string> {
  const remote = world
    .list("Secret", model.rootNamespace)
    .filter(({ metadata }) => metadata.labels?.[REMOTE_SECRET_LABEL] === "true")
    .flatMap(({ data, ...secret }) => [
      ...Object.keys(data ?? {}),
      ...Object.keys((secret["stringData"] as Readonly<Record<string, string>> | undefined) ?? {}),
    ]);
  return new Set(["Kubernetes", "External", "Mock", model.clusterId, ...remote]);
}

import { ids } from "../ids.ts";
import type { Pod } from "../shapes.ts";
import { defineController } from "./controller.ts";

/** Puts each new pod on the one node, unless its nodeSelector asks for another. */
export const schedulerController = defineController({
  name: "scheduler",
  summary: "Puts each new pod on the one node",
  watches: [{ id: ids.pods }, { id: ids.nodes, keys: () => [] }],
  async reconcile({ namespace, name }, { cache, client, cluster, events }) {
    const pod = cache.get<Pod>(ids.pods, namespace, name);
    if (pod?.spec === undefined || (pod.spec.nodeName ?? "") !== "" || pod.metadata.deletionTimestamp !== undefined) {
      return undefined;
    }
    const labels = cache.get(ids.nodes, undefined, cluster.nodeName)?.metadata.labels;
    if (labels === undefined) return { afterMs: 50 };
    const missing = Object.entries(pod.spec.nodeSelector ?? {}).filter(([key, value]) => labels[key] !== value);
    if (missing.length > 0) {
      const wanted = missing.map(([key, value]) => `${key}=${value}`).join(", ");
      events.warning(pod, "FailedScheduling", `0/1 nodes are available: the node has no label ${wanted}`);
      return undefined;
    }
    await client.mergePatch(ids.pods, namespace, name, { spec: { nodeName: cluster.nodeName } });
    events.normal(pod, "Scheduled", `Successfully assigned ${namespace ?? ""}/${name} to ${cluster.nodeName}`);
    return undefined;
  },
});

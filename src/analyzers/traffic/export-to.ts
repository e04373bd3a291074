import { nearest } from "../../base/nearest.ts";
import { defineAnalyzer } from "../analyzer.ts";

const KINDS = ["VirtualService", "DestinationRule", "ServiceEntry"] as const;
/** Entries with a meaning of their own. */
const SPECIAL: readonly string[] = ["*", ".", "~"];

/** An object that is exported to a namespace that is not there is seen by fewer than was meant, often by nobody. */
export const exportTo = defineAnalyzer({
  name: "export-to",
  summary: "Checks that namespaces that exportTo names exist.",
  reads: [...KINDS, "Namespace", "Pod", "Service", "ServiceAccount"],
  codes: ["MSH0124"],
  analyze: ({ world, model, complete, report, knows, unknown }) => {
    for (const kind of KINDS)
      for (const object of world.list(kind))
        for (const [index, namespace] of (object.spec?.exportTo ?? []).entries()) {
          if (SPECIAL.includes(namespace) || model.namespaces.exists(namespace)) continue;
          if (!knows("Namespace")) {
            unknown(`namespace ${namespace}: no Namespace is in the files`);
            continue;
          }
          const names = world.list("Namespace").map(({ metadata }) => metadata.name);
          const close = nearest(namespace, names);
          // files may hold a part of the namespaces: what is no slip of the pen may be among the others
          if (close === undefined && !complete) unknown(`namespace ${namespace}: it is not in the files`);
          else report(object, ["spec", "exportTo", index], "MSH0124", { namespace, nearest: close ?? "" });
        }
  },
});

import { defineAnalyzer } from "../analyzer.ts";
import { mistypedFilters } from "../filter-names.ts";

/** A patch that looks for a filter by a mistyped name is never applied, and nobody says so. */
export const envoyfilterFilterName = defineAnalyzer({
  name: "envoyfilter-filter-name",
  summary: "Finds mistyped names of filters that EnvoyFilters look for.",
  reads: ["EnvoyFilter"],
  codes: ["MSH0118"],
  analyze({ world, report }) {
    for (const object of world.list("EnvoyFilter")) {
      const patches: unknown = object.spec?.configPatches;
      for (const [index, patch] of (Array.isArray(patches) ? patches : []).entries())
        for (const { name, nearest, path } of mistypedFilters(patch))
          report(object, ["spec", "configPatches", index, ...path], "MSH0118", { filter: name, nearest });
    }
  },
});

import { effectAdvice, fieldsWithoutEffect, judgedKinds } from "../../model/effects.ts";
import { defineAnalyzer } from "../analyzer.ts";

/**
 * A field, or a whole kind, that Istio obeys and this mesh does not yet: taken and stored, so that configuration written for
 * Istio can be applied, but never without saying so. The webhook of the control plane warns with the same words.
 */
export const fieldWithoutEffect = defineAnalyzer({
  name: "field-without-effect",
  summary: "Names fields and kinds that are accepted but have no effect yet.",
  reads: judgedKinds,
  codes: ["IST0133"],
  analyze: ({ world, report }) => {
    for (const kind of judgedKinds)
      for (const object of world.list(kind))
        for (const path of fieldsWithoutEffect(object))
          report(object, path, "IST0133", { rule: "field-without-effect", ...effectAdvice([path]) });
  },
});

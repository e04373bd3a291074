import { defineAnalyzer } from "../analyzer.ts";

/** A grant for a namespace that is not there is for whoever creates it. */
export const gatewayApiGrant = defineAnalyzer({
  name: "gateway-api-grant",
  summary: "Checks that the namespaces that ReferenceGrants are for exist.",
  reads: ["Namespace", "Pod", "ReferenceGrant", "Service", "ServiceAccount"],
  codes: ["MSH0750"],
  analyze: ({ world, model, report, unknown, knows }) => {
    for (const grant of world.list("ReferenceGrant"))
      for (const [index, { namespace }] of (grant.spec?.from ?? []).entries()) {
        if (model.namespaces.exists(namespace)) continue;
        if (knows("Namespace")) report(grant, ["spec", "from", index, "namespace"], "MSH0750", { namespace });
        else
          unknown(
            `ReferenceGrant ${grant.metadata.namespace ?? ""}/${grant.metadata.name}: namespace ${namespace} is not in the files`,
          );
      }
  },
});

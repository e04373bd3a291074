import type { Container } from "../../resources/core.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { defineAnalyzer } from "../analyzer.ts";
import { listText, nameOf } from "./shared-names.ts";

/**
 * istiod fetches keys from where a RequestAuthentication says, with its own network position: who may write one can have it ask
 * inner addresses. Our control plane refuses those by itself; keys that stand in the object are not fetched.
 */
export const jwksFetch = defineAnalyzer({
  name: "jwks-fetch",
  summary: "Checks that a control plane that fetches keys of tokens is kept from inner addresses.",
  reads: ["RequestAuthentication", "Deployment"],
  codes: ["IST0175"],
  analyze: ({ world, report }) => {
    const fetched = world.list("RequestAuthentication").filter(isFetched).map(nameOf);
    for (const object of fetched.length > 0 ? world.list("Deployment") : []) {
      const containers = object.spec?.template?.spec?.containers ?? [];
      const index = containers.findIndex(({ name }) => name === "discovery");
      const container = containers[index];
      if (object.metadata.labels?.["app"] !== "istiod" || container === undefined || isGuarded(container)) continue;
      const path = ["spec", "template", "spec", "containers", index, "env"];
      report(object, path, "IST0175", { count: fetched.length, names: listText(fetched, ", ", 5) });
    }
  },
});

/** Keys come by the network: from jwksUri, or found through the issuer where neither that nor keys are given. */
function isFetched({ spec }: KindTypes["RequestAuthentication"]): boolean {
  return (spec?.jwtRules ?? []).some(({ jwks = "" }) => jwks === "");
}

function isGuarded({ env = [], image = "" }: Container): boolean {
  const isOurs = /(?:^|\/)meshd(?:[:@]|$)/.test(image);
  return (
    isOurs ||
    env.some(({ name, value, valueFrom }) => name === "BLOCKED_CIDRS_IN_JWKS_URIS" && Boolean(value ?? valueFrom))
  );
}

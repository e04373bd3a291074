import { isIP } from "node:net";
import { webhooksOf } from "../../model/injection-webhooks.ts";
import type { KubeObject } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/** How webhook configurations of the mesh are called: what comes after is the revision and the namespace. */
const OURS = /^(?:istio-sidecar-injector|istio-validator|istiod-default-validator)/;

/** The API server calls a control plane of another cluster by URL; one that it cannot call holds up every change. */
export const webhookAddress = defineAnalyzer({
  name: "webhook-address",
  summary: "Checks that webhooks of the mesh say where the API server finds the control plane.",
  reads: ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
  codes: ["IST0163", "IST0164"],
  analyze: (input) => {
    for (const kind of ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] as const)
      for (const object of input.world.list(kind)) if (OURS.test(object.metadata.name)) check(input, object);
  },
});

type Input = AnalyzerInput<"MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration", "IST0163" | "IST0164">;

function check({ report }: Input, object: KubeObject): void {
  for (const [index, { name: webhook = "", clientConfig = {} }] of webhooksOf(object).entries()) {
    const path = ["webhooks", index, "clientConfig"];
    const { url, service } = clientConfig;
    if (url === undefined) {
      if (service === undefined) report(object, path, "IST0163", { hostname: "", webhook, problem: "is blank" });
      continue;
    }
    const host = hostOf(url);
    if (host === undefined)
      report(object, [...path, "url"], "IST0163", {
        hostname: url,
        webhook,
        problem: "was provided in an invalid format",
      });
    else if (isIP(host) !== 0) report(object, [...path, "url"], "IST0164", { hostname: url, webhook });
  }
}

/** The host of an https URL, addresses without brackets; undefined for anything else. */
function hostOf(url: string): string | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== "https:" || parsed.hostname === "") return undefined;
  return parsed.hostname.replace(/^\[|\]$/g, "");
}

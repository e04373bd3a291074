import type { Pod } from "../../resources/core.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { refOf, refText } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { podOwner } from "../pod-owner.ts";

/** Tokens that others can read or make. */
export const practiceTokens = defineAnalyzer({
  name: "practice-tokens",
  summary: "Finds tokens that travel in plaintext, and keys that are fetched without TLS.",
  reads: ["Gateway", "PeerAuthentication", "Pod", "RequestAuthentication", "Namespace"],
  codes: ["MSH0186", "MSH0187"],
  profile: "security",
  analyze: (input) => {
    for (const authentication of input.world.list("RequestAuthentication")) {
      const rules = authentication.spec?.jwtRules ?? [];
      for (const [index, { issuer = "", jwks, jwksUri }] of rules.entries()) {
        const address = jwks === undefined ? (jwksUri ?? issuer) : "";
        const field = jwksUri === undefined ? "issuer" : "jwksUri";
        if (address.startsWith("http://"))
          input.report(authentication, ["spec", "jwtRules", index, field], "MSH0187", { issuer, address });
      }
      const where = rules.length === 0 ? undefined : openWay(input, authentication);
      if (where !== undefined) input.report(authentication, ["spec", "jwtRules"], "MSH0186", { where });
    }
  },
});

type Input = AnalyzerInput<
  "Gateway" | "PeerAuthentication" | "Pod" | "RequestAuthentication" | "Namespace",
  "MSH0186" | "MSH0187"
>;

/** A workload of the policy that takes requests in plaintext. */
function openWay(input: Input, authentication: KindTypes["RequestAuthentication"]): string | undefined {
  const { model } = input;
  for (const pod of model.workloads.ofPolicy(authentication)) {
    if (model.workloads.isGateway(pod)) {
      const open = plaintextGateway(input, pod);
      if (open !== undefined) return open;
      continue;
    }
    const { namespace = "", labels = {} } = pod.metadata;
    const { mode } = model.peerAuthentications.effective({ namespace, labels });
    if (model.workloads.proxy(pod) === "yes" && mode !== "STRICT")
      return `${podOwner(pod).title} takes plaintext (${mode})`;
  }
  return undefined;
}

function plaintextGateway({ model }: Input, pod: Pod): string | undefined {
  for (const gateway of model.gateways.selecting(pod.metadata.labels ?? {}))
    for (const { port, tls } of gateway.spec?.servers ?? [])
      if (tls === undefined && /^(?:HTTP|HTTP2|GRPC)$/i.test(port.protocol))
        return `${refText(refOf(gateway))} serves port ${port.number} in plaintext`;
  return undefined;
}

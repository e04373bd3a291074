/** Why a field has no effect here, and what to write instead. */
export interface EffectReason {
  /** Its place in a spec, without the numbers of lists. */
  readonly place: RegExp;
  /** Istio does nothing with it either. */
  readonly nobody: boolean;
  /** A sentence. */
  readonly hint: string;
}

const ISTIO_TOO = "Istio does nothing with it either";

/** The first whose place fits counts. */
const REASONS: readonly EffectReason[] = [
  of(/outlierDetection[.]consecutiveErrors$/, "Write consecutive5xxErrors or consecutiveGatewayErrors."),
  of(/fault[.]delay[.]exponentialDelay$/, "Write fixedDelay."),
  of(/fault[.]abort[.]http2Error$/, "Write httpStatus or grpcStatus."),
  of(/^tcp[.]match[.]sourceSubnet$/, "An AuthorizationPolicy can refuse callers by ipBlocks."),
  of(/^servers[.]port[.]targetPort$/, "A gateway listens on the targetPort of the Service in front of it."),
  of(/^servers[.]defaultEndpoint$/, "Write a VirtualService for the Gateway."),
  of(/(ingress|egress)[.]port[.]targetPort$/, "An ingress listener names where the application is by defaultEndpoint."),
  of(
    /tls[.]tlsCertificates[.]caCertificates$/,
    "Clients are verified by the one caCertificates beside tlsCertificates.",
  ),
  of(
    /onnectionPool[.]http[.]h2UpgradePolicy$/,
    "It is for a DestinationRule; the application is spoken to as useClientProtocol says.",
  ),
  of(/^template[.]address$/, "Each workload has an address of its own, which its agent says."),
  of(/^ingress[.]tls[.]httpsRedirect$/, "Redirects are for Gateways."),
  here(
    /^ingress[.]tls[.](credentialName|credentialNames|caCertCredentialName)$/,
    "Sidecars are given no Secrets for ports of their own: name files.",
  ),
  here(/^targetRefs?[.]kind$/, "Only a Gateway of gateway.networking.k8s.io can be meant: there are no waypoints."),
  here(/^configPatches[.]match[.]waypoint\b/, "There are no waypoints."),
  here(/^ingress[.]tls[.]mode$/, "A sidecar's own port takes SIMPLE or MUTUAL."),
  of(
    /^rules[.]sessionPersistence\b/,
    "The label istio.io/persistent-session of a Service binds sessions to endpoints.",
  ),
  of(/^useDefaultGateways$/, "Name the Gateways in parentRefs."),
  of(/^defaultScope$/, "Routes name the Gateway in parentRefs."),
  here(/^allowedListeners\b/, "Write all listeners into the Gateway."),
  here(/^tls[.]backend\b/, "Servers that want a certificate get it by a DestinationRule with mode MUTUAL."),
  here(
    /^addresses[.]type$/,
    "Name the Services of gateways that are there, with type Hostname; others get their addresses themselves.",
  ),
  of(/^options$/, "Nothing is known by that name."),
  of(/^configPatches[.]match[.]listener[.]portName$/, "Write portNumber, or the listener's name."),
];

function of(place: RegExp, hint: string): EffectReason {
  return { place, nobody: true, hint };
}

function here(place: RegExp, hint: string): EffectReason {
  return { place, nobody: false, hint };
}

/** Why a field at this path of a spec has no effect; undefined: it may have some day. */
export function effectReason([first, ...rest]: readonly (string | number)[]): EffectReason | undefined {
  if (first !== "spec") return undefined;
  const place = rest.filter((step) => typeof step === "string").join(".");
  return REASONS.find((reason) => reason.place.test(place));
}

/** What is said of fields that all have no effect for good reasons. */
export function settledAdvice(
  fields: string,
  reasons: readonly EffectReason[],
): { readonly problem: string; readonly hint: string } {
  const nobody = reasons.every((reason) => reason.nobody) ? ` (${ISTIO_TOO})` : "";
  return {
    problem: `accepted, has no effect: ${fields}${nobody}`,
    hint: [...new Set(reasons.map(({ hint }) => hint))].join(" "),
  };
}

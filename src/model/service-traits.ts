import type { Session } from "../ir/service.ts";
import type { Service } from "../resources/core.ts";
import type { KindTypes } from "../resources/kinds.ts";
import type { World } from "../resources/world.ts";

/** On a Service, a ServiceEntry or their Namespace: which endpoints come first. Istio's name. */
const DISTRIBUTION_ANNOTATION = "networking.istio.io/traffic-distribution";
/** On a Service: `cookie-name:/path`, or the name of a header. Istio's default names. */
const SESSION_COOKIE_LABEL = "istio.io/persistent-session";
const SESSION_HEADER_LABEL = "istio.io/persistent-session-header";

/** Endpoints near the caller come first: those of its zone, or of its node. */
export type Distribution = "zone" | "node";

/** Which endpoints a service prefers: its own field, then its annotation, then that of its Namespace; case does not count. */
export function distributionOf(world: World, object: Service | KindTypes["ServiceEntry"]): Distribution | undefined {
  const spec = (object.spec ?? {}) as NonNullable<Service["spec"]>;
  const { annotations, namespace = "" } = object.metadata;
  const noted =
    annotations?.[DISTRIBUTION_ANNOTATION] ??
    world.get("Namespace", "", namespace)?.metadata.annotations?.[DISTRIBUTION_ANNOTATION];
  return preferred(spec.trafficDistribution) ?? preferred(noted);
}

function preferred(text: string | undefined): Distribution | undefined {
  const lower = text?.toLowerCase();
  if (lower === "preferclose" || lower === "prefersamezone") return "zone";
  return lower === "prefersamenode" ? "node" : undefined;
}

/** By which cookie or header the sessions of a Service are known; nothing when it keeps none. */
export function sessionOf({ metadata }: Service): { readonly session?: Session } {
  const { [SESSION_COOKIE_LABEL]: cookie = "", [SESSION_HEADER_LABEL]: header = "" } = metadata.labels ?? {};
  if (cookie !== "") {
    const [name = "", ...path] = cookie.split(":");
    return { session: { kind: "cookie", name, path: path.length === 0 ? "/" : path.join(":") } };
  }
  return header === "" ? {} : { session: { kind: "header", name: header } };
}

import type { Ingress, IngressBackend, IngressPath } from "../resources/core.ts";
import type { ModelContext } from "./context.ts";
import { byAge, byText } from "./order.ts";
import { namedSelector, selects } from "./selectors.ts";

/** Questions about Kubernetes Ingresses, as far as this mesh serves them. */
export interface Ingresses {
  /** Those of our class, oldest first. */
  served(): readonly Ingress[];
  /** Labels of the gateway pods that serve them. */
  selector(): Readonly<Record<string, string>>;
  /** The Service in front of those pods: its addresses are where Ingresses are reached. Empty: none is named. */
  service(): string;
  /** Number of the port that a backend means; undefined: it names none, or no Service has it. */
  backendPort(namespace: string, backend: IngressBackend): number | undefined;
  /** Addresses and names that clients reach Ingresses at, sorted. */
  addresses(): readonly string[];
}

/** Name of the controller in an IngressClass. */
const CONTROLLER = "istio.io/ingress-controller";
/** The older way to name a class. */
const CLASS_ANNOTATION = "kubernetes.io/ingress.class";

/** Facts: Istio's mesh configuration, ingressControllerMode, ingressClass, ingressService, ingressSelector. */
export function createIngresses({ world, derivations, meshConfig, rootNamespace }: ModelContext): Ingresses {
  const said = (field: string, fallback: string): string => {
    const value = meshConfig().raw[field];
    return typeof value === "string" ? value : fallback;
  };
  const isOurs = ({ metadata, spec }: Ingress): boolean => {
    const mode = said("ingressControllerMode", "STRICT");
    const written = metadata.annotations?.[CLASS_ANNOTATION];
    if (written !== undefined) return mode !== "OFF" && written === said("ingressClass", "istio");
    const named = spec?.ingressClassName;
    const found = named === undefined ? undefined : world.get("IngressClass", "", named);
    if (found !== undefined) return found.spec?.controller === CONTROLLER;
    return mode === "DEFAULT";
  };
  const served = derivations.keyed("Ingresses", () => world.list("Ingress").filter(isOurs).toSorted(byAge));
  const service = (): string => said("ingressService", DEFAULT_SERVICE);
  const selector = (): Readonly<Record<string, string>> => {
    const own = said("ingressSelector", "");
    const named = service() === DEFAULT_SERVICE ? "" : service();
    return { istio: own || named || "ingressgateway" };
  };
  return {
    served,
    selector,
    service,
    backendPort(namespace, { service: target }) {
      const { number, name } = target?.port ?? {};
      if (number !== undefined && number > 0) return number;
      const ports = world.get("Service", namespace, target?.name ?? "")?.spec?.ports ?? [];
      return ports.find((port) => port.name === name)?.port;
    },
    addresses: derivations.keyed("Ingress addresses", (): readonly string[] => {
      const front = service();
      const found =
        front === ""
          ? world
              .list("Pod", rootNamespace)
              .filter(({ metadata }) => selects(namedSelector(selector()) ?? {}, metadata.labels ?? {}))
              .flatMap(({ spec, status }) =>
                status?.phase === "Running" ? nodeAddresses(world, spec?.nodeName ?? "") : [],
              )
          : serviceAddresses(world, rootNamespace, front);
      return [...new Set(found)].toSorted(byText);
    }),
  };
}

const DEFAULT_SERVICE = "istio-ingressgateway";

type World = ModelContext["world"];

function serviceAddresses(world: World, namespace: string, name: string): readonly string[] {
  const service = world.get("Service", namespace, name);
  if (service === undefined) return [];
  const { type, externalName, externalIPs = [] } = service.spec ?? {};
  if (type === "ExternalName") return externalName === undefined ? [] : [externalName];
  const balanced = service.status?.loadBalancer?.ingress ?? [];
  return [...balanced.map(({ ip = "", hostname = "" }) => ip || hostname), ...externalIPs].filter(Boolean);
}

function nodeAddresses(world: World, name: string): readonly string[] {
  const status = world.get("Node", "", name)?.status as
    | { readonly addresses?: readonly { readonly type: string; readonly address: string }[] }
    | undefined;
  return (status?.addresses ?? []).filter(({ type }) => type === "ExternalIP").map(({ address }) => address);
}

/** What a path of an Ingress takes; undefined: every request. Prefixes end at a path separator. */
export function ingressMatch({
  path = "",
  pathType,
}: IngressPath): { readonly exact: string } | { readonly prefix: string } | undefined {
  if (pathType === "Exact") return { exact: path };
  if (pathType === "Prefix") return path === "/" || path === "" ? undefined : { prefix: path };
  // Istio's reading where the type leaves it open
  if (["", "*", "/*", ".*"].includes(path)) return undefined;
  const prefix = /^(.*)(?:\.\*|\/\*)$/.exec(path)?.[1];
  return prefix === undefined ? { exact: path } : { prefix };
}

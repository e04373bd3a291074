import { compact } from "../../base/compact.ts";
import type { GatewayTls } from "../../ir/listener.ts";
import type { Provenance } from "../../ir/provenance.ts";
import { gatewayCertificateSecret, gatewayRootsSecret, secretObjects } from "../../ir/secret.ts";
import { GATEWAY_NAME_LABEL } from "../../model/gateway-api-deployments.ts";
import type { ApiGateway, Listener } from "../../model/gateway-api-types.ts";
import type { Gateway } from "../../model/gateways.ts";
import type { Model } from "../../model/model.ts";
import { isEntrance } from "../../model/network-gateways.ts";
import { byAge } from "../../model/order.ts";
import { namedSelector, selects } from "../../model/selectors.ts";
import { refOf } from "../../resources/object.ts";
import { listenerServes } from "./gateway-status.ts";

type Server = NonNullable<NonNullable<Gateway["spec"]>["servers"]>[number];

/** A listener of Gateway API as the server that it is, for a gateway pod. */
export interface ApiServer {
  /** Stands for the listener in names of route tables; no object has this name. */
  readonly gateway: Gateway;
  readonly server: Server;
  readonly api: ApiPlace;
  readonly provenance: Provenance;
}

/** Where a server comes from, and how its TLS ends; undefined: it does not. */
export interface ApiPlace {
  readonly listener: Listener;
  readonly tls: GatewayTls | undefined;
}

/** A gateway pod: where it runs, and its labels. */
interface GatewayPod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Who serves ingress; waypoints and gateways between networks are served otherwise. */
const CONTROLLERS: readonly string[] = ["istio.io/gateway-controller", "istio.io/unmanaged-gateway"];

/** Listeners that a gateway pod serves, of the older Gateway first; without those that cannot serve. */
export function apiServers(model: Model, pod: GatewayPod): readonly ApiServer[] {
  return gatewaysOf(model, pod).flatMap((gateway) =>
    model.gatewayApi.listeners
      .of(gateway.metadata.namespace ?? "", gateway.metadata.name)
      .flatMap((listener) => (listenerServes(listener) ? [serverOf(gateway, listener)] : [])),
  );
}

/**
 * Names of the secrets that listeners of a gateway pod ask for, as far as grants let them: also of listeners that do not serve,
 * since they may begin to when the secret comes.
 */
export function apiSecrets(model: Model, pod: GatewayPod): readonly string[] {
  return gatewaysOf(model, pod).flatMap((gateway) =>
    model.gatewayApi.listeners.of(gateway.metadata.namespace ?? "", gateway.metadata.name).flatMap((listener) => {
      if (listener.problems.some(({ code }) => code === "MSH0719")) return [];
      const { certificates = [], roots } = tlsOf(gateway, listener) ?? {};
      return roots === undefined ? certificates : [...certificates, roots];
    }),
  );
}

/** Secrets and ConfigMaps that listeners of all our Gateways name, as `namespace/name` or `ConfigMap/namespace/name`. */
export function apiSecretObjects(model: Model): readonly string[] {
  return model.world
    .list("KubernetesGateway")
    .filter((gateway) => isServed(model, gateway))
    .flatMap((gateway) =>
      model.gatewayApi.listeners.of(gateway.metadata.namespace ?? "", gateway.metadata.name).flatMap((listener) => {
        if (listener.problems.some(({ code }) => code === "MSH0719")) return [];
        const { certificates = [], roots } = tlsOf(gateway, listener) ?? {};
        return [...certificates, ...(roots === undefined ? [] : [roots])].flatMap(
          (name) => secretObjects(name).objects,
        );
      }),
    );
}

function gatewaysOf(model: Model, pod: GatewayPod): readonly ApiGateway[] {
  return model.world
    .list("KubernetesGateway")
    .filter((gateway) => isServed(model, gateway) && isPodOf(model, gateway, pod))
    .toSorted(byAge);
}

function isServed(model: Model, gateway: ApiGateway): boolean {
  const served = model.gatewayApi.classes.of(gateway);
  return served.known && CONTROLLERS.includes(served.controller);
}

/** A Gateway has pods of its own, or names the Services of gateways that are there already. */
function isPodOf(model: Model, gateway: ApiGateway, { namespace, labels }: GatewayPod): boolean {
  const own = gateway.metadata.namespace ?? "";
  const services = namedServices(gateway);
  if (services.length === 0) return namespace === own && labels[GATEWAY_NAME_LABEL] === gateway.metadata.name;
  return services.some((service) => {
    const selector = namedSelector(model.world.get("Service", service.namespace, service.name)?.spec?.selector);
    return service.namespace === namespace && selector !== undefined && selects(selector, labels);
  });
}

/** Services that a Gateway names as its addresses: those gateways serve it, and none is made for it. */
export function namedServices({
  spec,
  metadata,
}: ApiGateway): readonly { readonly namespace: string; readonly name: string }[] {
  return (spec?.addresses ?? []).flatMap(({ type = "IPAddress", value = "" }) => {
    if (type !== "Hostname") return [];
    const [name = "", namespace = metadata.namespace ?? "", kind = "svc"] = value.split(".");
    return kind === "svc" ? [{ namespace, name }] : [];
  });
}

function serverOf(gateway: ApiGateway, listener: Listener): ApiServer {
  const { namespace = "", name, creationTimestamp } = gateway.metadata;
  const tls = tlsOf(gateway, listener);
  const raw = gateway.spec?.listeners[listener.index];
  const passesMesh = raw !== undefined && listener.mode === "Passthrough" && isEntrance(gateway.metadata.labels, raw);
  const passed = passesMesh ? "AUTO_PASSTHROUGH" : "PASSTHROUGH";
  const server: Server = {
    name: listener.name,
    port: { number: listener.port, name: listener.name, protocol: listener.protocol },
    hosts: [listener.hostname],
    ...(listener.mode === undefined ? {} : { tls: { mode: tls?.mode ?? passed } }),
  };
  const stand: Gateway = {
    apiVersion: "networking.istio.io/v1",
    kind: "Gateway",
    metadata: compact({
      namespace,
      name: `${name}-istio-autogenerated-k8s-gateway-${listener.name}`,
      creationTimestamp,
    }),
    spec: { servers: [server] },
  };
  const provenance = { from: refOf(gateway), path: ["spec", "listeners", listener.index], lost: [] };
  return { gateway: stand, server, api: { listener, tls }, provenance };
}

/** Options with which Istio takes the certificate of the mesh itself. */
const TERMINATE_MODE = "gateway.istio.io/tls-terminate-mode";

function tlsOf(gateway: ApiGateway, { mode, certificates, index, ...listener }: Listener): GatewayTls | undefined {
  if (mode !== "Terminate") return undefined;
  const option = gateway.spec?.listeners[index]?.tls?.options?.[TERMINATE_MODE];
  if (option === "ISTIO_MUTUAL") return { mode: "ISTIO_MUTUAL" };
  const [authority] = authoritiesOf(gateway, listener);
  const insecure = authority?.insecure === true;
  return compact({
    mode: authority === undefined ? ("SIMPLE" as const) : insecure ? ("OPTIONAL_MUTUAL" as const) : ("MUTUAL" as const),
    certificates: certificates.map(gatewayCertificateSecret),
    roots: authority === undefined ? undefined : gatewayRootsSecret(authority),
    acceptUntrusted: insecure ? (true as const) : undefined,
  });
}

interface Authority {
  readonly kind: "ConfigMap" | "Secret";
  readonly namespace: string;
  readonly name: string;
  /** Clients may come with any certificate, or none. */
  readonly insecure: boolean;
}

/** What client certificates are verified by: of the port, else of the whole Gateway. */
function authoritiesOf(
  { spec, metadata }: ApiGateway,
  { port, protocol }: Pick<Listener, "port" | "protocol">,
): readonly Authority[] {
  const frontend = spec?.tls?.frontend;
  if (frontend === undefined || protocol !== "HTTPS") return [];
  const config = (frontend.perPort ?? []).find((each) => each.port === port)?.tls ?? frontend.default;
  const insecure = config.validation?.mode === "AllowInsecureFallback";
  return (config.validation?.caCertificateRefs ?? []).map(({ kind, name, namespace = metadata.namespace ?? "" }) => ({
    kind: kind === "Secret" ? "Secret" : "ConfigMap",
    namespace,
    name,
    insecure,
  }));
}

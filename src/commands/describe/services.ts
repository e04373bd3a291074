import type { Provenance } from "../../ir/provenance.ts";
import type { MeshService } from "../../ir/service.ts";
import { hostMatches, resolveHost } from "../../model/host.ts";
import type { Model } from "../../model/model.ts";
import { selects } from "../../model/selectors.ts";
import { refOf, refText } from "../../resources/object.ts";

type Labels = Readonly<Record<string, string>>;

/** A subset of a DestinationRule, and whether the pod that is described is in it (absent: no pod is). */
export interface SubsetView {
  readonly name: string;
  readonly labels: Labels;
  readonly has?: boolean;
}

/** A rule of a VirtualService that sends to the service. */
export interface RouteView {
  /** Name of the rule, or its place in the list from 0. */
  readonly rule: string;
  readonly subset: string;
  readonly weight: number;
  /** Whether the pod that is described is among its endpoints; absent: no pod is. */
  readonly reaches?: boolean;
}

/** What the mesh makes of a service. */
export interface ServiceView {
  readonly service: string;
  readonly host: string;
  readonly ports: readonly { readonly number: number; readonly name: string; readonly protocol: string }[];
  readonly destinationRule?: {
    readonly object: string;
    readonly subsets: readonly SubsetView[];
    /** Settings of the traffic policy that it has. */
    readonly settings: readonly string[];
    readonly notFollowed: readonly string[];
  };
  readonly virtualService?: {
    readonly object: string;
    readonly routes: readonly RouteView[];
    readonly notFollowed: readonly string[];
  };
  /** Where it is reached from outside. */
  readonly gateways: readonly { readonly gateway: string; readonly host: string; readonly virtualService: string }[];
}

/** Views of a service as its own namespace has it; `pod`: labels of the pod that is described. */
export function describeService(model: Model, service: MeshService, pod?: Labels): ServiceView {
  const { hostname, namespace, ports } = service;
  const subsets = subsetsOf(model, service, pod);
  return {
    service: refText(service.from),
    host: hostname,
    ports: ports.map(({ number, name, protocol }) => ({ number, name, protocol })),
    ...(subsets === undefined ? {} : { destinationRule: subsets }),
    ...virtualServiceOf(model, service, { namespace, pod, subsets: subsets?.subsets ?? [] }),
    gateways: gatewaysOf(model, service),
  };
}

function subsetsOf(
  model: Model,
  { hostname, namespace }: MeshService,
  pod: Labels | undefined,
): ServiceView["destinationRule"] {
  const rule = model.destinationRules.effective({ namespace, labels: {} }, hostname, namespace);
  if (rule === undefined) return undefined;
  return {
    object: refText(rule.provenance.from),
    subsets: rule.subsets.map(({ subset: { name, labels = {} } }) => ({
      name,
      labels,
      ...(pod === undefined ? {} : { has: selects(labels, pod) }),
    })),
    settings: Object.keys(rule.trafficPolicy ?? {}).toSorted(),
    notFollowed: lostOf(rule.provenance),
  };
}

interface RouteScope {
  readonly namespace: string;
  readonly pod: Labels | undefined;
  readonly subsets: readonly SubsetView[];
}

function virtualServiceOf(
  model: Model,
  { hostname }: MeshService,
  { namespace, pod, subsets }: RouteScope,
): Pick<ServiceView, "virtualService"> {
  const bound = model.virtualServices.forHost(namespace, hostname);
  if (bound === undefined) return {};
  const of = refOf(bound.object);
  const routes = (bound.object.spec?.http ?? []).flatMap(({ name, route = [] }, index) =>
    route
      .filter(({ destination }) => resolveHost(destination?.host ?? "", of.namespace, model.domain) === hostname)
      .map(({ destination, weight }) => {
        const subset = destination?.subset ?? "";
        const reaches = subset === "" || subsets.find((each) => each.name === subset)?.has === true;
        return {
          rule: name ?? String(index),
          subset,
          weight: weight ?? (route.length === 1 ? 100 : 0),
          ...(pod === undefined ? {} : { reaches }),
        };
      }),
  );
  return { virtualService: { object: refText(of), routes, notFollowed: lostOf(bound.provenance) } };
}

/** Gateways whose VirtualServices send to the service. */
function gatewaysOf({ world, domain }: Model, { hostname }: MeshService): ServiceView["gateways"] {
  return world.list("VirtualService").flatMap((object) => {
    const { namespace } = refOf(object);
    const { gateways = [], hosts = [], http = [], tcp = [], tls = [] } = object.spec ?? {};
    const routes = [...http, ...tcp, ...tls].flatMap(({ route = [] }) => route);
    const sends = routes.some(
      ({ destination }) => resolveHost(destination?.host ?? "", namespace, domain) === hostname,
    );
    if (!sends) return [];
    return gateways
      .filter((name) => name !== "mesh")
      .flatMap((gateway) =>
        hosts.map((host) => ({
          gateway: gatewayName(gateway, namespace),
          host,
          virtualService: refText(refOf(object)),
        })),
      );
  });
}

function gatewayName(text: string, namespace: string): string {
  return text.includes("/") ? text : `${namespace}/${text}`;
}

function lostOf({ lost }: Provenance): readonly string[] {
  return lost.map(({ from, reason }) => `${refText(from)}: ${reason}`);
}

/** Services that stand for a host or a name: `reviews`, `reviews.shop`, a full host, or a host of a ServiceEntry. */
export function servicesNamed(model: Model, text: string, namespace: string): readonly MeshService[] {
  const [name = "", ofNamespace] = text.split(".");
  return model.services
    .all()
    .filter(
      (service) =>
        service.hostname === text ||
        (service.name === name && service.namespace === (ofNamespace ?? namespace)) ||
        (service.hostname.startsWith("*") && hostMatches(text, service.hostname)),
    );
}

import { nearest } from "../base/nearest.ts";
import type { FieldPath } from "../diagnostics/finding.ts";
import type { ModelContext } from "./context.ts";
import type { GatewayClasses } from "./gateway-api-classes.ts";
import type { ApiListeners } from "./gateway-api-listeners.ts";
import {
  type ApiRoute,
  type Attachment,
  GATEWAY_GROUP,
  type Listener,
  type ParentOutcome,
  type Problem,
  type RouteParent,
} from "./gateway-api-types.ts";
import { narrowerHost } from "./host.ts";

/** Who serves routes whose parent is a Service: every sidecar of the mesh. */
const MESH_CONTROLLER = "istio.io/gateway-controller";

/** What comes of each parentRef of a route, in their order. */
export function createAttachment(
  { world }: ModelContext,
  classes: GatewayClasses,
  listeners: ApiListeners,
): (route: ApiRoute) => readonly ParentOutcome[] {
  const atGateway = (route: ApiRoute, parent: RouteParent): ParentOutcome => {
    const { namespace, name } = parent;
    const gateway = world.get("KubernetesGateway", namespace, name);
    if (gateway === undefined) {
      const others = world.list("KubernetesGateway", namespace).map(({ metadata }) => metadata.name);
      return missing(parent, "Gateway", { kind: "KubernetesGateway", nearest: nearest(name, others) });
    }
    const served = classes.of(gateway);
    if (!served.known || !served.ours) return { parent, controller: undefined, attachments: [], problem: undefined };
    return {
      parent,
      controller: served.controller,
      ...attach(route, parent, { all: listeners.of(namespace, name), admits: listeners.admits }),
    };
  };
  const inMesh = (parent: RouteParent, kind: "Service" | "ServiceEntry"): ParentOutcome => {
    const { namespace, name } = parent;
    if (world.get(kind, namespace, name) !== undefined)
      return { parent, controller: MESH_CONTROLLER, attachments: [], problem: undefined };
    const others = world.list(kind, namespace).map(({ metadata }) => metadata.name);
    return missing(parent, kind, { kind, nearest: nearest(name, others) });
  };
  return (route) =>
    route.parents.map((parent): ParentOutcome => {
      switch (`${parent.group}/${parent.kind}`) {
        case `${GATEWAY_GROUP}/Gateway`:
          return atGateway(route, parent);
        case "/Service":
          return inMesh(parent, "Service");
        case "networking.istio.io/ServiceEntry":
          return inMesh(parent, "ServiceEntry");
        default:
          return { parent, controller: undefined, attachments: [], problem: undefined };
      }
    });
}

function pathOf({ index }: RouteParent, ...field: readonly string[]): FieldPath {
  return ["spec", "parentRefs", index, ...field];
}

function missing(
  parent: RouteParent,
  kind: string,
  found: { readonly kind: "KubernetesGateway" | "Service" | "ServiceEntry"; readonly nearest: string | undefined },
): ParentOutcome {
  const { namespace, name } = parent;
  const args = { kind, parent: `${namespace}/${name}`, nearest: found.nearest ?? "" };
  const problem: Problem = {
    code: "MSH0720",
    path: pathOf(parent, "name"),
    args,
    needs: { kind: found.kind, namespace },
  };
  // of a Gateway that is not there nobody knows whose it is
  return { parent, controller: kind === "Gateway" ? undefined : MESH_CONTROLLER, attachments: [], problem };
}

interface Choice {
  readonly all: readonly Listener[];
  readonly admits: ApiListeners["admits"];
}

/** The listeners that take a route; without any, the reason that is nearest to being right. */
function attach(
  route: ApiRoute,
  parent: RouteParent,
  { all, admits }: Choice,
): Pick<ParentOutcome, "attachments" | "problem"> {
  const words = `Gateway ${parent.namespace}/${parent.name}`;
  const meant = all.filter(({ name, port }) => (parent.sectionName ?? name) === name && (parent.port ?? port) === port);
  if (meant.length === 0) return { attachments: [], problem: notThere(parent, words, all) };
  const fitting = meant.filter(({ kinds }) => kinds.includes(route.kind));
  if (fitting.length === 0) {
    const why = `${meant.map(({ name }) => `listener ${name}`).join(" and ")} takes no ${route.kind}`;
    return { attachments: [], problem: { code: "MSH0722", path: pathOf(parent), args: { parent: words, why } } };
  }
  const asked = fitting.map((listener) => ({ listener, admitted: admits(listener, route.ref.namespace) }));
  const open = asked.filter(({ admitted }) => admitted === true).map(({ listener }) => listener);
  if (open.length === 0)
    return {
      attachments: [],
      problem: refused(route, parent, { words, isSure: asked.every(({ admitted }) => admitted === false) }),
    };
  const attachments = open.flatMap((listener) => attachmentAt(route, listener, pathOf(parent)));
  if (attachments.length > 0) return { attachments, problem: undefined };
  const args = {
    parent: words,
    hostnames: route.hostnames.join(", "),
    served: [...new Set(open.map(({ hostname }) => hostname))].join(", "),
  };
  return { attachments: [], problem: { code: "MSH0723", path: ["spec", "hostnames"], args } };
}

function notThere(parent: RouteParent, words: string, all: readonly Listener[]): Problem {
  const { sectionName, port } = parent;
  const isSection = sectionName !== undefined && !all.some(({ name }) => name === sectionName);
  const wanted = isSection
    ? `listener ${sectionName}`
    : sectionName === undefined
      ? `listener with port ${port}`
      : `listener ${sectionName} with port ${port}`;
  const has = all.map(({ name, port: number }) => `${name} (${number})`).join(", ");
  const path = pathOf(parent, isSection ? "sectionName" : "port");
  return { code: "MSH0721", path, args: { parent: words, wanted, has: has === "" ? "none" : has } };
}

function refused(
  route: ApiRoute,
  parent: RouteParent,
  { words, isSure }: { readonly words: string; readonly isSure: boolean },
): Problem {
  const { namespace } = route.ref;
  const why = `its listeners take no routes of namespace ${namespace}`;
  const problem: Problem = { code: "MSH0722", path: pathOf(parent), args: { parent: words, why } };
  return isSure ? problem : { ...problem, needs: { kind: "Namespace", namespace } };
}

function attachmentAt(route: ApiRoute, listener: Listener, path: FieldPath): readonly Attachment[] {
  const wanted = route.hostnames.length === 0 ? ["*"] : route.hostnames;
  const hostnames = wanted.flatMap((host) => narrowerHost(host, listener.hostname) ?? []);
  if (hostnames.length === 0) return [];
  const { gateway, name, port, protocol } = listener;
  return [{ gateway, listener: name, port, protocol, hostnames, path }];
}

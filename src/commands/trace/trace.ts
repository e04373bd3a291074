import { compact } from "../../base/compact.ts";
import type { Proxy } from "../../ir/proxy.ts";
import { walkRoutes } from "../../simulate/outcome.ts";
import type { SimulatedRequest } from "../../simulate/request.ts";
import type { ChosenRoute } from "../../simulate/route.ts";
import type { Entered } from "../../simulate/walk.ts";
import type { OfflineMesh } from "../offline/mesh.ts";
import { authorize, forwardedBy, remoteIn, tokenBehind } from "./authorization.ts";
import { dialled, enterClient, OUTSIDE, requestOf } from "./dial.ts";
import { routeNotes, routeText } from "./route-notes.ts";
import { branchesOf, entrySteps } from "./server.ts";
import {
  type Asked,
  answeredWith,
  type Branch,
  type Ending,
  failed,
  isBytes,
  nameOf,
  noted,
  notHttp,
  type Step,
  sourced,
  type Trace,
  type Walk,
} from "./types.ts";
import { viewOf } from "./view.ts";

/**
 * Walks one request through what the mesh would run. Pure; what Envoy leaves to chance are branches with shares. `views`: who walks
 * many requests through one mesh may keep what its proxies hold.
 */
export function trace(
  { mesh, positionOf, clusterId, others }: OfflineMesh,
  from: Proxy,
  asked: Asked,
  views = viewOf,
): Trace {
  const view = views(mesh, from);
  const walk: Walk = {
    mesh,
    positionOf,
    views,
    view,
    asked,
    meant: dialled(mesh.model, from, asked.url),
    token: asked.token,
    ...compact({ clusterId, others }),
  };
  const entered = enterClient(walk);
  const steps = entrySteps(entered, walk, view);
  const { branches = [], ends } = onward(walk, entered, steps);
  const found = { from: nameOf(from), method: asked.method, url: String(asked.url), steps, branches, ends };
  return clusterId === undefined ? found : inCluster(found, clusterId);
}

/** Every step says where it is taken; those of other clusters do already. */
function inCluster(found: Trace, cluster: string): Trace {
  const placed = (steps: readonly Step[]): readonly Step[] => steps.map((step) => ({ cluster, ...step }));
  const branches = found.branches.map((branch) => ({ ...branch, steps: placed(branch.steps) }));
  return { ...found, steps: placed(found.steps), branches };
}

type Manager = Extract<Entered["leads"], { kind: "http" }>["manager"];

interface Onward {
  readonly ends: Ending;
  readonly branches?: readonly Branch[];
}

/** From the client's filter chain on; decisions of its route table are added to `steps`. */
function onward(walk: Walk, entered: Entered, steps: Step[]): Onward {
  const { listener, leads } = entered;
  if (listener === undefined) return { ends: failed("nobody listens there: the connection is refused", "listener") };
  switch (leads.kind) {
    case "nothing":
      return { ends: failed("no filter chain takes the connection: it is closed", "chain") };
    case "tcp":
      return admitted(walk, { entered, request: undefined }, steps, (next) =>
        sentTo(leads.clusters.flatMap((share) => branchesOf(next, share, undefined))),
      );
    case "http":
      if (isBytes(walk.asked)) return { ends: notHttp(nameOf(walk.view.proxy)) };
      return admitted(walk, { entered, request: requestOf(walk.asked) }, steps, (next, request) =>
        routed(next, { manager: leads.manager, request: request ?? requestOf(walk.asked) }, steps),
      );
  }
}

/** Through the filters of a gateway that may refuse the call; a sidecar refuses nothing that leaves its pod. */
function admitted(
  walk: Walk,
  { entered, request }: { readonly entered: Entered; readonly request: SimulatedRequest | undefined },
  steps: Step[],
  next: (walk: Walk, request: SimulatedRequest | undefined) => Onward,
): Onward {
  const { view, meant, token } = walk;
  const gateway = view.proxy.type === "router";
  const source = gateway ? OUTSIDE : (view.proxy.addresses[0] ?? "");
  const { leads } = entered;
  const remote = leads.kind === "http" && request ? remoteIn(leads.manager, source, request.headers) : source;
  const call = { peer: undefined, source, remote, destination: meant, serverName: undefined, request };
  const said = authorize(walk, view, { entered, call: token === undefined ? call : { ...call, token } });
  steps.push(...said.steps);
  if (said.refused !== undefined) return { ends: said.refused };
  const behind = said.call.request && gateway ? forwardedBy(source, said.call.request) : said.call.request;
  return next({ ...walk, token: tokenBehind(entered, token, request) }, behind);
}

function routed(
  walk: Walk,
  { manager, request }: { readonly manager: Manager; readonly request: SimulatedRequest },
  steps: Step[],
): Onward {
  const { route_config: inline, rds } = manager;
  const table = inline ?? walk.view.routes(rds?.route_config_name ?? "");
  if (table === undefined) return { ends: failed("the route table is not there: 404 (NR)", "route") };
  const { chosen, outcome } = walkRoutes(table, request);
  steps.push(...routeSteps(walk, table.name ?? "", chosen));
  switch (outcome.kind) {
    case "none":
      return { ends: failed(`no route takes the request: ${outcome.status} (NR)`, "route") };
    case "redirect":
      return { ends: { kind: "answered", text: `redirected with ${outcome.status} to ${outcome.location}` } };
    case "direct":
      return { ends: answeredWith(outcome.status, outcome.body) };
    case "forward":
      return sentTo(outcome.targets.flatMap((target) => branchesOf(walk, target, target.request)));
  }
}

function sentTo(branches: readonly Branch[]): Onward {
  return { branches, ends: combined(branches) };
}

function routeSteps({ view, positionOf }: Walk, table: string, chosen: ChosenRoute): readonly Step[] {
  const proxy = nameOf(view.proxy);
  const { host, domain, route } = chosen;
  const of = `of route table ${table}`;
  const first: Step = {
    step: "virtual host",
    proxy,
    chosen: host?.name ?? "",
    note: domain === undefined ? of : `by domain ${domain} ${of}`,
    rejected: chosen.hostsRejected,
  };
  if (host === undefined) return [first];
  const second: Step = {
    step: "route",
    proxy,
    chosen: route === undefined ? "" : (route.name ?? routeText(route)),
    ...noted(route === undefined ? undefined : routeNotes(route)),
    ...sourced(route, positionOf),
    rejected: chosen.routesRejected,
  };
  return [first, second];
}

/** All branches that carry requests must end well. */
function combined(branches: readonly Branch[]): Ending {
  const bad = branches.find(({ ends, share }) => ends.kind === "failed" && share > 0);
  const [first] = branches;
  if (bad !== undefined && branches.length > 1)
    return failed(`${percent(bad.share)} of requests: ${bad.ends.text}`, bad.ends.missing);
  if (bad !== undefined || first === undefined) return bad?.ends ?? failed("no destination: 500");
  return branches.length === 1
    ? first.ends
    : { kind: first.ends.kind, text: branches.map(({ share, ends }) => `${percent(share)} ${ends.text}`).join("; ") };
}

/** `90 %` */
export function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}

import { EnvironmentError } from "../../base/errors.ts";
import type { Proxy } from "../../ir/proxy.ts";
import type { Model } from "../../model/model.ts";
import type { Cluster } from "../../resources/cluster.ts";
import { meshClusters } from "../clusters.ts";
import { isAgreed } from "../confirm.ts";
import { switchOption, textOption } from "../input.ts";
import type { CommandInput, Io } from "../io.ts";
import type { OfflineMesh } from "../offline/mesh.ts";
import { proxiesOf } from "../offline/proxies.ts";
import { adminPort } from "../proxy-config/source.ts";
import { NO_WORDS } from "../why/control-plane.ts";
import { createGatherer, type Gatherer, type Sources } from "../why/gather.ts";
import { readerFor } from "../why/lines.ts";
import { foresee, type PlacedProxy } from "../why/walked.ts";
import { type LoggedProxy, sendLive } from "./live.ts";
import type { Asked, Trace } from "./types.ts";

/** What is walked. */
export interface LiveWalk {
  readonly mesh: OfflineMesh;
  readonly client: Proxy;
  readonly asked: Asked;
}

/** What the proxies really run, walked, and the request sent: also over the borders of the clusters that the flags name. */
export async function walkLive(input: CommandInput, io: Io, { mesh, client, asked }: LiveWalk): Promise<Trace> {
  const [{ cluster }, ...abroad] = await meshClusters(input, io);
  if (cluster.podHttp !== undefined && textOption(input, "requestId") === undefined)
    throw new EnvironmentError("no-way-in", "no request can be sent into a bug report", {
      hint: "Leave out --live: the walk goes through what the report holds.",
    });
  const clusters = new Map(abroad.map((other) => [other.name, other.cluster]));
  const here: Place = { offline: mesh, cluster, sources: sourcesOf(input, io, mesh, cluster) };
  const places = new Map<string, Place>();
  for (const there of mesh.others ?? []) {
    const other = clusters.get(there.clusterId ?? "");
    if (other !== undefined)
      places.set(there.clusterId ?? "", {
        offline: there,
        cluster: other,
        sources: sourcesOf(input, io, there, other),
      });
  }
  const gatherers = new Map([...places].map(([name, { sources }]) => [name, createGatherer(sources)]));
  const asks = (there: OfflineMesh): Gatherer | undefined => gatherers.get(there.clusterId ?? "");
  const found = await foresee(here.sources, createGatherer(here.sources), { from: client, asked, abroad: asks });
  const logged = ({ proxy, clusterId }: PlacedProxy): LoggedProxy => {
    const place = clusterId === undefined ? here : places.get(clusterId);
    const { cluster: of, sources } = place ?? here;
    return { proxy, cluster: of, read: sources.read, ...(clusterId === undefined ? {} : { of: clusterId }) };
  };
  const [from = { proxy: client }, ...others] = found.proxies;
  const deps = {
    model: mesh.mesh.model,
    requestId: textOption(input, "requestId"),
    signal: io.signal,
    tell: (text: string) => io.err(text),
    agreed: () => isAgreedTo(input, io, from.proxy),
  };
  const mayServe = others.flatMap((other) => {
    const place = places.get(other.clusterId ?? "");
    if (place === undefined || other.proxy.type !== "sidecar") return [other];
    return peersOf(place.offline.mesh.model, other.proxy).map((proxy) => ({ ...other, proxy }));
  });
  const sent = { from: logged(from), others: mayServe.map(logged) };
  return { ...found.trace, live: await sendLive(deps, sent, asked, found.trace) };
}

/** A cluster of the walk. */
interface Place {
  readonly offline: OfflineMesh;
  readonly cluster: Cluster;
  readonly sources: Sources & { readonly cluster: Cluster };
}

/** Sidecars behind the Services that this one is behind, itself among them: a gateway before them chooses any. */
function peersOf(model: Model, { addresses }: Proxy): readonly Proxy[] {
  const { services, endpoints } = model;
  const behind = services
    .all()
    .map((service) =>
      service.ports.flatMap(({ number }) => endpoints.of(service, number).map(({ address }) => address)),
    )
    .filter((all) => addresses.some((address) => all.includes(address)));
  const all = new Set([...addresses, ...behind.flat()]);
  return proxiesOf(model).filter(({ type, addresses: own }) => type === "sidecar" && own.some((one) => all.has(one)));
}

function sourcesOf(input: CommandInput, io: Io, offline: OfflineMesh, cluster: Cluster): Place["sources"] {
  const read = readerFor(offline.mesh.model);
  return { offline, cluster, adminPort: adminPort(input), words: NO_WORDS, read, probes: false, now: io.now() };
}

function isAgreedTo(input: CommandInput, io: Io, { name, namespace }: Proxy): Promise<boolean> {
  const what = `puts a container with the proxy's image into pod ${namespace}/${name}, to send from there as its application would`;
  return isAgreed(io, {
    byFlag: switchOption(input, "skipConfirmation"),
    doing: `trace-route --live ${what}`,
    question: `This ${what}. It stays in the pod's spec as long as the pod lives. Proceed?`,
  });
}

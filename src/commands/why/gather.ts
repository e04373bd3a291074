import { analyzers } from "../../analyzers/index.ts";
import { runAnalyzers } from "../../analyzers/run.ts";
import { messageOf } from "../../diagnostics/codes.ts";
import type { Proxy } from "../../ir/proxy.ts";
import type { Model } from "../../model/model.ts";
import type { Pod } from "../../resources/core.ts";
import { podProxy } from "../../model/pod-proxy.ts";
import type { Cluster } from "../../resources/cluster.ts";
import { refText } from "../../resources/object.ts";
import type { AccessLogReader } from "../../base/access-log-line.ts";
import type { ClusterFacts, Facts, ProxyFacts, ServerFacts, Speech, Symptom } from "../../why/types.ts";
import { placeOf } from "../../why/words.ts";
import type { OfflineMesh } from "../offline/mesh.ts";
import { bindOf, nodeOf } from "../trace/dump-view.ts";
import { viewOf } from "../trace/view.ts";
import type { ControlPlaneWords } from "./control-plane.ts";
import { proxyLines, symptomIn } from "./lines.ts";
import { verdictsOf } from "./permissions.ts";
import { type Answers, askProxy, proxyFacts } from "./proxy-facts.ts";
import { speechOf } from "./speech.ts";
import { wayOf } from "./way.ts";

/** What facts are gathered from. */
export interface Sources {
  readonly offline: OfflineMesh;
  /** undefined: files alone. */
  readonly cluster: Cluster | undefined;
  readonly adminPort: number;
  readonly words: ControlPlaneWords;
  readonly read: AccessLogReader;
  /** Whether applications may be asked what they speak. */
  readonly probes: boolean;
  readonly now: Date;
}

/** A proxy that was asked, with the addresses that it really binds. */
export interface AskedProxy {
  readonly proxy: Proxy;
  readonly facts: ProxyFacts;
}

/** Gathers facts; each proxy is asked once. */
export interface Gatherer {
  readonly ask: (proxy: Proxy) => Promise<AskedProxy>;
  readonly gather: (symptom: Symptom, at: AskedProxy) => Promise<Facts>;
}

export function createGatherer(sources: Sources): Gatherer {
  const { offline, cluster, adminPort, words } = sources;
  const asked = new Map<string, Promise<AskedProxy>>();
  const lines = new Map<string, Promise<readonly string[]>>();
  const ask = (proxy: Proxy): Promise<AskedProxy> => {
    const key = `${proxy.name}.${proxy.namespace}`;
    const known = asked.get(key) ?? askOne(proxy);
    asked.set(key, known);
    return known;
  };
  const askOne = async (proxy: Proxy): Promise<AskedProxy> => {
    const target = { namespace: proxy.namespace, pod: proxy.name, port: adminPort };
    const answers: Answers = cluster === undefined ? {} : await askProxy(cluster, target);
    const bind = answers.dump === undefined ? undefined : bindOf(nodeOf(answers.dump));
    const real: Proxy = bind === undefined ? proxy : { ...proxy, interception: "NONE", bind };
    const refused = words.refused.get(`${proxy.name}.${proxy.namespace}`) ?? [];
    return { proxy: real, facts: proxyFacts(real, answers, { generated: () => viewOf(offline.mesh, real), refused }) };
  };
  const linesOf = (proxy: Proxy): Promise<readonly string[]> => {
    const key = `${proxy.name}.${proxy.namespace}`;
    const known = lines.get(key) ?? (cluster === undefined ? Promise.resolve([]) : proxyLines(cluster, proxy));
    lines.set(key, known);
    return known;
  };
  const findings = createFindings(offline, cluster !== undefined, sources.now);
  const gather = async (symptom: Symptom, at: AskedProxy, depth = 0): Promise<Facts> => {
    const way = wayOf(symptom, at.facts);
    const clusterFacts = clusterOf(symptom, at.facts, offline);
    const server = await serverOf(sources, { symptom, at, cluster: clusterFacts }, ask);
    const facts: Facts = {
      symptom,
      proxy: at.facts,
      model: offline.mesh.model,
      positionOf: offline.positionOf,
      way,
      cluster: clusterFacts,
      server: server?.facts,
      policies: verdictsOf(offline, symptom, at.proxy),
      behind: undefined,
      changes: words.changes,
      findings,
      now: sources.now,
    };
    if (server?.asked === undefined || depth > 2) return facts;
    const next = await sameRequest(sources, symptom, await linesOf(server.asked.proxy));
    return next === undefined ? facts : { ...facts, behind: await gather(next, server.asked, depth + 1) };
  };
  return { ask, gather: (symptom, at) => gather(symptom, at) };
}

/** What analysis says of objects by `Kind namespace/name`; it runs once, when it is first asked. */
function createFindings({ mesh: { model } }: OfflineMesh, complete: boolean, now: Date): Facts["findings"] {
  let known: ReadonlyMap<string, readonly string[]> | undefined;
  const read = (): ReadonlyMap<string, readonly string[]> => {
    const { rootNamespace, domain } = model;
    const { findings } = runAnalyzers(analyzers, model.world, { complete, rootNamespace, domain, now });
    const messages = new Map<string, readonly string[]>();
    for (const found of findings) {
      if (found.object === undefined) continue;
      const key = refText(found.object);
      messages.set(key, [...(messages.get(key) ?? []), `${found.code}: ${messageOf(found)}`]);
    }
    return messages;
  };
  return (object) => {
    known ??= read();
    return known.get(object) ?? [];
  };
}

/** The line of the server's proxy about the same request, the last one: earlier ones are attempts before it. */
async function sameRequest(
  { read }: Sources,
  { requestId }: Symptom,
  lines: readonly string[],
): Promise<Symptom | undefined> {
  if (requestId === undefined) return undefined;
  const found = lines.filter((line) => line.includes(requestId)).flatMap((line) => symptomIn(line, read) ?? []);
  return found.filter(({ upstreamCluster = "" }) => !upstreamCluster.startsWith("outbound|")).at(-1);
}

/** `outbound|80|v1|reviews.shop.svc.cluster.local` in its parts. */
export function clusterOf(symptom: Symptom, { config }: ProxyFacts, { mesh }: OfflineMesh): ClusterFacts | undefined {
  const { upstreamCluster: name } = symptom;
  if (name === undefined) return undefined;
  const [direction = "", port = "", subset = "", host = ""] = name.split("|");
  const known = direction === "outbound" || direction === "inbound" ? direction : "other";
  return {
    name,
    direction: known,
    port: Number(port) || 0,
    subset,
    host,
    service: known === "outbound" ? mesh.model.services.all().find(({ hostname }) => hostname === host) : undefined,
    message: config.cluster(name),
  };
}

interface Ended {
  readonly facts: ServerFacts;
  /** The server's proxy, of another pod. */
  readonly asked: AskedProxy | undefined;
}

/** Flags and words after which it matters what the application speaks. */
const BROKEN = /refused|protocol_error|codec|termination|WRONG_VERSION/i;

interface Meant {
  readonly symptom: Symptom;
  readonly at: AskedProxy;
  readonly cluster: ClusterFacts | undefined;
}

async function serverOf(sources: Sources, meant: Meant, ask: Gatherer["ask"]): Promise<Ended | undefined> {
  const place = placeOf(meant.symptom.upstreamHost);
  if (place === undefined) return undefined;
  const { model } = sources.offline.mesh;
  const isInbound = meant.cluster?.direction === "inbound";
  const pod = isInbound ? podNamed(model, meant.at.proxy) : podNamed(model, model.pods.byIp(place.address));
  const hasProxy = !isInbound && pod !== undefined && model.workloads.proxy(pod) === "yes";
  if (hasProxy) {
    const asked = await ask(podProxy(pod, model));
    return { facts: { ...place, pod, proxy: asked.facts, speaks: undefined }, asked };
  }
  const port = isInbound ? (meant.cluster?.port ?? place.port) : place.port;
  const speaks = pod === undefined ? undefined : await asked(sources, meant.symptom, { pod, port });
  return { facts: { ...place, pod, proxy: undefined, speaks }, asked: undefined };
}

function podNamed(
  model: Model,
  ref: { readonly namespace: string; readonly name: string } | undefined,
): Pod | undefined {
  return ref === undefined ? undefined : model.world.get("Pod", ref.namespace, ref.name);
}

/** What the application speaks, where that may be the matter. */
async function asked(
  { cluster, probes }: Sources,
  { details = "", transportFailure = "", flags }: Symptom,
  { pod, port }: { readonly pod: Pod; readonly port: number },
): Promise<Speech | undefined> {
  const broken = BROKEN.test(`${details} ${transportFailure}`) || flags.some((flag) => BROKEN_FLAGS.has(flag));
  if (!probes || !broken || cluster === undefined) return undefined;
  return speechOf(cluster, { namespace: pod.metadata.namespace ?? "", pod: pod.metadata.name, port });
}

const BROKEN_FLAGS: ReadonlySet<string> = new Set(["UC", "UR", "UPE"]);

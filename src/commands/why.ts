import { UsageError } from "../base/errors.ts";
import { podProxy } from "../model/pod-proxy.ts";
import type { Proxy } from "../ir/proxy.ts";
import type { Model } from "../model/model.ts";
import { explain } from "../why/explain.ts";
import type { Symptom } from "../why/types.ts";
import { placeOf } from "../why/words.ts";
import { globalOptions, listOption, switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { readMesh } from "./offline/mesh.ts";
import { proxyNamed } from "./offline/proxies.ts";
import { print } from "./print.ts";
import { adminPort } from "./proxy-config/source.ts";
import { readRequest } from "./trace-route.ts";
import { askControlPlane, NO_WORDS } from "./why/control-plane.ts";
import { type AskedProxy, createGatherer, type Gatherer, type Sources } from "./why/gather.ts";
import { isFailure, newestOfEach, proxyLines, readerFor, symptomIn } from "./why/lines.ts";
import { type Explained, whyData, whyText } from "./why/text.ts";
import { foresee } from "./why/walked.ts";

export interface WhyResult extends CommandResult {
  readonly explained: readonly Explained[];
}

/** Failures of one pod that are explained at a time. */
const MOST = 5;

/**
 * `meshctl why LINE|POD|URL`: the cause of a failure that an access log tells of, of a pod's latest failures, or of a request that
 * would fail. Exit code 0 when each has a cause, 1 when one has none or nothing failed.
 */
export async function run(input: CommandInput, io: Io): Promise<WhyResult> {
  const sources = await sourcesOf(input, io);
  const gatherer = createGatherer(sources);
  const [given] = input.args;
  const seen = await failures(given, { input, io, sources, gatherer });
  const explained: Explained[] = [];
  for (const { symptom, at } of seen) {
    const causes = explain(await gatherer.gather(symptom, at));
    explained.push({ proxy: at.facts.name, symptom, causes });
  }
  if (explained.length === 0) io.err("Nothing failed, as far as is written down.\n");
  print(input, io, { data: whyData(explained), text: whyText(explained) });
  const found = explained.length > 0 && explained.every(({ causes }) => causes.length > 0);
  return { exitCode: found ? 0 : 1, explained };
}

async function sourcesOf(input: CommandInput, io: Io): Promise<Sources> {
  const offline = await readMesh(input, io);
  const isLive = listOption(input, "filename").length === 0 || switchOption(input, "useCluster");
  const cluster = isLive ? await io.cluster() : undefined;
  const { istioNamespace } = globalOptions(input);
  return {
    offline,
    cluster,
    adminPort: adminPort(input),
    words: cluster === undefined ? NO_WORDS : await askControlPlane(cluster, istioNamespace),
    read: readerFor(offline.mesh.model),
    probes: textOption(input, "probe") !== "false",
    now: io.now(),
  };
}

interface Asking {
  readonly input: CommandInput;
  readonly io: Io;
  readonly sources: Sources;
  readonly gatherer: Gatherer;
}

interface Seen {
  readonly symptom: Symptom;
  readonly at: AskedProxy;
}

/** What is to be explained, by the form of the argument. */
async function failures(given: string | undefined, asking: Asking): Promise<readonly Seen[]> {
  const { io, sources, input } = asking;
  if (given !== undefined && /^[a-z]+:\/\//i.test(given)) return foreseen(given, asking);
  const isPod = given !== undefined && given !== "-" && !/\s/.test(given.trim()) && !given.startsWith("{");
  if (isPod) return ofPod(given, asking);
  const text = given === undefined || given === "-" ? await io.readStdin() : given;
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const symptoms = lines.flatMap((line) => symptomIn(line, sources.read) ?? []);
  if (symptoms.length === 0)
    throw new UsageError(
      `expected a line of an access log, a pod or a URL, got "${text.slice(0, 80).trim()}"`,
      "Lines are read in the format of the mesh configuration, and in Istio's and Envoy's own.",
    );
  const seen: Seen[] = [];
  for (const symptom of newestOfEach(symptoms, lines.length))
    seen.push({ symptom, at: await asking.gatherer.ask(writerOf(sources.offline.mesh.model, symptom, input)) });
  return seen;
}

/** Whose log a line is of: --pod says it, else the addresses in it. */
function writerOf(model: Model, symptom: Symptom, input: CommandInput): Proxy {
  const named = textOption(input, "pod");
  if (named !== undefined) return proxyNamed(model, named, globalOptions(input).namespace);
  const isInbound = symptom.upstreamCluster?.startsWith("inbound") === true;
  const order = isInbound
    ? [symptom.localAddress, symptom.upstreamHost]
    : [symptom.upstreamLocalAddress, symptom.remoteAddress, symptom.localAddress];
  for (const text of order) {
    const ref = model.pods.byIp(placeOf(text)?.address ?? "");
    const pod = ref === undefined ? undefined : model.world.get("Pod", ref.namespace, ref.name);
    if (pod !== undefined && model.workloads.proxy(pod) !== "no") return podProxy(pod, model);
  }
  throw new UsageError(
    "no address in the line is that of a pod with a proxy",
    "Name the pod that wrote it with --pod.",
  );
}

async function foreseen(url: string, { input, io, sources, gatherer }: Asking): Promise<readonly Seen[]> {
  const from = textOption(input, "from");
  if (from === undefined) throw new UsageError("expected --from with a URL", "Name the pod that asks.");
  const proxy = proxyNamed(sources.offline.mesh.model, from, globalOptions(input).namespace);
  const asked = readRequest({ ...input, args: [url] }, io.now());
  const walked = await foresee(sources, gatherer, { from: proxy, asked });
  return walked.foreseen === undefined ? [] : [walked.foreseen];
}

/** The latest failures of a pod: its log, and counters of what leaves no line. */
async function ofPod(text: string, { input, sources, gatherer }: Asking): Promise<readonly Seen[]> {
  const { namespace } = globalOptions(input);
  const flag = textOption(input, "flag");
  const at = await gatherer.ask(proxyNamed(sources.offline.mesh.model, text, namespace));
  const lines = sources.cluster === undefined ? [] : await proxyLines(sources.cluster, at.proxy);
  const logged = lines
    .flatMap((line) => symptomIn(line, sources.read) ?? [])
    .filter((symptom) => isFailure(symptom) && (flag === undefined || symptom.flags.includes(flag.toUpperCase())));
  const counted = flag === undefined || flag.toUpperCase() === "NR" ? unlogged(at) : [];
  return [...newestOfEach(logged, MOST), ...counted].map((symptom) => ({ symptom, at }));
}

/** Connections that no filter chain took: they are counted by listener, and no line is written. */
function unlogged({ facts }: AskedProxy): readonly Symptom[] {
  return facts.counters(/^listener\..*\.no_filter_chain_match$/).flatMap((name): Symptom[] => {
    const listener = /^listener\.(.*)_(\d+)\.no_filter_chain_match$/.exec(name);
    const count = facts.count(new RegExp(`^${name.replaceAll(".", "\\.")}$`));
    if (listener === null || count === 0) return [];
    const [, address = "", port = ""] = listener;
    const text = `${count} connections to ${address}:${port} that no filter chain took`;
    return [
      {
        from: "counter",
        text,
        flags: ["NR"],
        details: "filter_chain_not_found",
        localAddress: `${address}:${port}`,
        others: {},
      },
    ];
  });
}

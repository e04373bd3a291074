import { delay } from "../base/delay.ts";
import { ClusterError, UsageError } from "../base/errors.ts";
import { NOT_IN_BUNDLE } from "../base/redacted.ts";
import { table } from "../report/table.ts";
import type { Cluster, TargetRef } from "../resources/cluster.ts";
import { askEach } from "./control-plane.ts";
import { lookUp } from "./explain-lookup.ts";
import { durationOption, globalOptions, switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { print } from "./print.ts";
import { list, text } from "./proxy-config/view.ts";
import { briefWords } from "./proxy-status/fleet-text.ts";
import { readStates } from "./proxy-status/states.ts";

/** One proxy that does not run what the object makes for it, and why. */
export interface ProxyBehind {
  /** `name.namespace`; of a whole control plane pod its name. */
  readonly proxy: string;
  readonly istiod: string;
  /** Why: what is not confirmed, or refused with Envoy's words. */
  readonly reason: string;
}

/** How far an object has got: what `-o json` prints. */
export interface WaitOutcome {
  readonly resource: string;
  /** Absent: it was waited until the object is gone. */
  readonly generation?: number;
  readonly live: number;
  readonly proxies: number;
  /** The first of those that are behind. */
  readonly behind: readonly ProxyBehind[];
}

interface WaitOptions {
  readonly ref: TargetRef;
  /** `VirtualService shop/reviews` */
  readonly name: string;
  /** Undefined: until it is gone. */
  readonly generation: number | undefined;
  readonly threshold: number;
  readonly istioNamespace: string;
  readonly revision?: string;
}

const POLL_MS = 150;

/**
 * `meshctl wait TYPE NAME`: until every proxy runs what a generation of an object makes for it. What a proxy runs is what its Envoy
 * confirmed, resource by resource; the control plane compares that with what it makes of the World that holds the generation.
 */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const cluster = await io.cluster();
  const timeoutMs = durationOption(input, "timeout", "30s");
  const options = await readOptions(input, cluster);
  const isVerbose = switchOption(input, "verbose");
  const end = AbortSignal.any([io.signal, AbortSignal.timeout(timeoutMs)]);
  let said = "";
  for (;;) {
    const { outcome, isHeld } = await distribution(cluster, options, io);
    const isDone = isHeld && outcome.live >= outcome.proxies * options.threshold;
    const words = `${progress(outcome)}\n`;
    if (isVerbose && words !== said) io.err(words);
    said = words;
    if (isDone || end.aborted) {
      if (io.signal.aborted) throw new ClusterError("interrupted", "interrupted");
      print(input, io, { data: outcome, text: isDone ? words : `${words}${behindTable(outcome)}` });
      if (!isDone) io.err(`Not within ${timeoutMs / 1000} s.\n`);
      return { exitCode: isDone ? 0 : 1 };
    }
    await delay(POLL_MS, end);
  }
}

async function readOptions(input: CommandInput, cluster: Cluster): Promise<WaitOptions> {
  const { ref, name } = targetOf(input);
  const threshold = Number(textOption(input, "threshold") ?? "1");
  if (!(threshold > 0 && threshold <= 1))
    throw new UsageError(`--threshold: expected a share above 0 and up to 1, got "${textOption(input, "threshold")}"`);
  const revision = textOption(input, "revision");
  const common = { ref, name, threshold, istioNamespace: globalOptions(input).istioNamespace };
  const rest = revision === undefined ? common : { ...common, revision };
  if (textOption(input, "for") === "delete") return { ...rest, generation: undefined };
  const given = textOption(input, "generation");
  if (given !== undefined) {
    if (!/^[1-9]\d*$/.test(given))
      throw new UsageError(`--generation: expected a whole number above 0, got "${given}"`);
    return { ...rest, generation: Number(given) };
  }
  const object = await cluster.get(ref);
  if (object === undefined)
    throw new ClusterError("not-found", `there is no ${name}`, { hint: "--for=delete waits until one is gone" });
  const { generation } = object.metadata;
  if (generation === undefined)
    throw new UsageError(`${name} has no generation`, "Objects of the mesh and of Gateway API have one.");
  return { ...rest, generation };
}

/** `virtualservice reviews.shop`, `vs/reviews`, with -n where the name has no namespace. */
function targetOf(input: CommandInput): { readonly ref: TargetRef; readonly name: string } {
  const words = input.args.flatMap((word) => word.split("/"));
  const [type = "", object = "", more] = words;
  if (object === "" || more !== undefined)
    throw new UsageError("expected a kind and a name", "As in: meshctl wait virtualservice reviews.shop");
  const { kind, apiVersion, namespaced } = kindOfWord(type);
  // names may have dots, namespaces have none
  const dot = object.lastIndexOf(".");
  const [name, namespace] =
    !namespaced || dot < 0
      ? [object, globalOptions(input).namespace ?? "default"]
      : [object.slice(0, dot), object.slice(dot + 1)];
  return {
    ref: { apiVersion, kind, name, ...(namespaced ? { namespace } : {}) },
    name: namespaced ? `${kind} ${namespace}/${name}` : `${kind} ${name}`,
  };
}

interface Progress {
  readonly outcome: WaitOutcome;
  /** Every pod of the control plane answers, and holds the object as it is waited for. */
  readonly isHeld: boolean;
}

function kindOfWord(word: string): {
  readonly kind: string;
  readonly apiVersion: string;
  readonly namespaced: boolean;
} {
  const { kind, group = "", versions = [], namespaced = true, name } = lookUp(word).entry;
  const [version] = versions;
  if (kind === undefined || version === undefined) throw new UsageError(`${name} is no kind of the API server`);
  return { kind, apiVersion: `${group}/${version}`, namespaced };
}

/** What all pods of the control plane say, and proxies that none of them serves. */
async function distribution(cluster: Cluster, options: WaitOptions, io: Pick<Io, "err">): Promise<Progress> {
  const { ref, istioNamespace, revision, name: resource, generation } = options;
  const { apiVersion, kind, namespace = "", name } = ref;
  const path = `/debug/config_distribution?${new URLSearchParams({ apiVersion, kind, namespace, name }).toString()}`;
  const which = { istioNamespace, ...(revision === undefined ? {} : { revision }) };
  // one that does not answer may serve proxies that are behind: it is asked again
  const failures: string[] = [];
  const { answers } = await askEach(cluster, { ...which, path }, { err: (words) => void failures.push(words) }).catch(
    (error: unknown) => {
      // a record will never say more
      if (!(error instanceof ClusterError) || error.code === NOT_IN_BUNDLE) throw error;
      failures.push(error.message);
      return { answers: [] };
    },
  );
  const pods = answers.map(({ istiod, answer }) => ofPod(options, istiod, answer));
  const isHeld = failures.length === 0 && pods.every((pod) => pod.isHeld);
  const connected = pods.reduce((sum, { proxies }) => sum + proxies, 0);
  const count = pods.reduce((sum, pod) => sum + pod.count, 0);
  // asked last: only who is about to say "live" must know of proxies that nobody serves
  const isNear = isHeld && connected - count >= connected * options.threshold;
  const absent = isNear ? await absentProxies(cluster, which, io) : [];
  const silent = failures.map((words) => ({ proxy: "-", istiod: "-", reason: words.trim() }));
  const outcome = {
    resource,
    ...(generation === undefined ? {} : { generation }),
    live: connected - count,
    proxies: connected + absent.length,
    behind: [...silent, ...pods.flatMap((pod) => pod.behind), ...absent],
  };
  return { outcome, isHeld };
}

interface PodProgress {
  readonly isHeld: boolean;
  readonly proxies: number;
  /** Proxies that are behind. */
  readonly count: number;
  readonly behind: readonly ProxyBehind[];
}

function ofPod({ generation: wanted, name }: WaitOptions, istiod: string, answer: unknown): PodProgress {
  const proxies = Number(text(answer, "proxies"));
  const seen = Number(text(answer, "generation") || "0");
  const isPresent = text(answer, "present") === "true";
  const isHeld = wanted === undefined ? !isPresent : isPresent && seen >= wanted;
  if (!isHeld) {
    const has = isPresent ? `has generation ${seen}` : "does not have it: it is of another revision, or not there yet";
    const reason = wanted === undefined ? `still has ${name}` : has;
    return { isHeld, proxies, count: proxies, behind: [{ proxy: "all", istiod, reason }] };
  }
  const behind = list(answer, "reasons").map((entry) => ({
    proxy: text(entry, "proxy"),
    istiod,
    reason: reasonText(entry),
  }));
  return { isHeld, proxies, count: Number(text(answer, "behind")), behind };
}

function reasonText(entry: unknown): string {
  const [type, resource, error] = ["type", "resource", "error"].map((key) => text(entry, key)) as [
    string,
    string,
    string,
  ];
  if (type === "") return "has no configuration yet";
  const what = `${type} ${resource}`;
  return error === "" ? `has not confirmed ${what}` : `refused ${what}: ${briefWords(error)}`;
}

async function absentProxies(
  cluster: Cluster,
  which: { readonly istioNamespace: string; readonly revision?: string },
  io: Pick<Io, "err">,
): Promise<readonly ProxyBehind[]> {
  const states = await readStates(cluster, { ...which, wait: true }, io);
  return states
    .filter(({ status }) => status === "NOT CONNECTED")
    .map(({ name, namespace }) => ({
      proxy: `${name}.${namespace}`,
      istiod: "-",
      reason: "is connected to no control plane",
    }));
}

function progress({ resource, generation, live, proxies }: WaitOutcome): string {
  const what =
    generation === undefined ? `${resource} is gone from` : `${resource} generation ${generation} is live in`;
  return `${what} ${live} of ${proxies} proxies`;
}

function behindTable({ behind }: WaitOutcome): string {
  if (behind.length === 0) return "";
  return table(
    ["PROXY", "ISTIOD", "REASON"],
    behind.map(({ proxy, istiod, reason }) => [proxy, istiod, reason]),
  );
}

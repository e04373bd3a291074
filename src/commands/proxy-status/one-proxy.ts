import { setTimeout as delay } from "node:timers/promises";
import { ClusterError, UsageError } from "../../base/errors.ts";
import type { Cluster } from "../../resources/cluster.ts";
import type { CommandInput, Io } from "../io.ts";
import { MONITORING_PORT } from "../control-plane.ts";
import { findPod, getJson } from "../pod-http.ts";
import { chainIn } from "../proxy-config/secret.ts";
import { adminPort, dumpSource, podSource, type ProxySource } from "../proxy-config/source.ts";
import { ENDPOINTS_DUMP, list, sections, text } from "../proxy-config/view.ts";
import { compareDumps, type TypeDiff } from "./diff.ts";
import { type ProxyState, readStates, type StatesQuestion } from "./states.ts";

/** One proxy compared with what the control plane would send it now. */
export interface Comparison {
  readonly state: ProxyState;
  /** Absent when the proxy is connected to no control plane: nobody would send it anything. */
  readonly types?: readonly TypeDiff[];
  /** ISO time when the certificate that Envoy holds ends. */
  readonly certificateExpires?: string;
  /** ISO time when Envoy last took a table of routes. */
  readonly routesLoadedAt?: string;
}

/** Tries before a difference is one: what changes meanwhile is on its way to the proxy. */
const TRIES = 4;
const PAUSE_MS = 150;

/** The proxy that a command line means, by its argument or by the dump of `--file`, compared. Throws ClusterError, UsageError. */
export async function compareNamed(
  input: CommandInput,
  question: StatesQuestion & { readonly file?: string },
  io: Io,
): Promise<Comparison> {
  const [named, ...more] = input.args;
  if (more.length > 0) throw new UsageError(`expected one pod, got ${input.args.length}`);
  const cluster = await io.cluster();
  const dump = question.file === undefined ? undefined : await dumpSource(question.file, io);
  const name = named ?? (dump === undefined ? "" : await nameIn(dump));
  const { namespace = "default", file: _, ...everywhere } = question;
  const states = await readStates(cluster, everywhere, io);
  const state = await find(cluster, states, { name, namespace });
  const source = dump ?? (await podSource(`${state.name}.${state.namespace}`, input, io));
  const again = async (): Promise<ProxyState> => {
    const now = await readStates(cluster, { ...everywhere, namespace: state.namespace }, io);
    return now.find((each) => each.name === state.name) ?? state;
  };
  const isLive = dump === undefined && cluster.podHttp === undefined;
  const { istioNamespace } = question;
  return compareTwice({ cluster, source, istioNamespace, isLive, signal: io.signal }, state, again);
}

interface Sides {
  readonly cluster: Cluster;
  readonly source: ProxySource;
  readonly istioNamespace: string;
  /** Both sides go on changing. */
  readonly isLive: boolean;
  readonly signal: AbortSignal;
}

async function compareTwice(sides: Sides, first: ProxyState, again: () => Promise<ProxyState>): Promise<Comparison> {
  let found = await compareOnce(sides, first);
  for (let turn = 1; turn < TRIES && sides.isLive && isMoving(found); turn += 1) {
    await delay(PAUSE_MS, undefined, { signal: sides.signal });
    found = await compareOnce(sides, await again());
  }
  return found;
}

/** A difference that may be gone in a moment: one that was refused stays. */
function isMoving({ state, types }: Comparison): boolean {
  return state.status !== "NACK" && types?.some(({ matches }) => !matches) === true;
}

/** What the control plane that a proxy is connected to would send it, against what its Envoy, or a dump of it, has. Throws ClusterError. */
async function compareOnce({ cluster, source, istioNamespace }: Sides, state: ProxyState): Promise<Comparison> {
  const envoy = await source.get(ENDPOINTS_DUMP);
  const facts = factsOf(envoy);
  if (state.status === "NOT CONNECTED") return { state, ...facts };
  const target = { namespace: istioNamespace, pod: state.istiod, port: MONITORING_PORT };
  const path = intentionPath(state);
  return { state, ...facts, types: compareDumps(await getJson(cluster, target, path), envoy) };
}

/** Path of the control plane's answer to what a proxy is to run. */
export function intentionPath({ name, namespace }: Pick<ProxyState, "name" | "namespace">): string {
  return `/debug/config_dump?proxyID=${name}.${namespace}`;
}

/** Compares a proxy of the fleet, whose Envoy is asked. Throws ClusterError. */
export async function compareState(
  cluster: Cluster,
  state: ProxyState,
  input: CommandInput,
  istioNamespace: string,
): Promise<Comparison> {
  const target = { namespace: state.namespace, pod: state.name, port: adminPort(input) };
  const source = { name: state.name, get: (path: string) => getJson(cluster, target, path) };
  return compareOnce({ cluster, source, istioNamespace, isLive: false, signal: new AbortController().signal }, state);
}

/** By its full name, of one that is no pod too; else as every command finds pods. */
async function find(
  cluster: Cluster,
  states: readonly ProxyState[],
  wanted: { readonly name: string; readonly namespace: string },
): Promise<ProxyState> {
  const byName = (name: string): ProxyState | undefined =>
    states.find((each) => `${each.name}.${each.namespace}` === name);
  const known = byName(wanted.name) ?? byName(`${wanted.name}.${wanted.namespace}`);
  if (known !== undefined) return known;
  const { pod, namespace } = await findPod(cluster, wanted.name, wanted.namespace);
  const state = byName(`${pod}.${namespace}`);
  if (state !== undefined) return state;
  throw new ClusterError("no-proxy", `pod ${namespace}/${pod} has no proxy`, {
    hint: "meshctl inject explain tells why; a pod that is not running has none yet",
  });
}

/** Which proxy a dump is of: its node says so. */
async function nameIn(dump: ProxySource): Promise<string> {
  const [bootstrap] = sections(await dump.get("/config_dump"), "BootstrapConfigDump");
  const name = text(bootstrap, "bootstrap", "node", "id").split("~")[2];
  if (name !== undefined && name !== "") return name;
  throw new UsageError(`${dump.name} does not say which proxy it is of`, "Name the pod too.");
}

function factsOf(dump: unknown): Pick<Comparison, "certificateExpires" | "routesLoadedAt"> {
  const [leaf] = chainIn(dump, "default");
  const loaded = sections(dump, "RoutesConfigDump")
    .flatMap((section) => list(section, "dynamic_route_configs").map((entry) => text(entry, "last_updated")))
    .sort()
    .at(-1);
  return {
    ...(leaf === undefined ? {} : { certificateExpires: new Date(leaf.validTo).toISOString() }),
    ...(loaded === undefined || loaded === "" ? {} : { routesLoadedAt: loaded }),
  };
}

import { type AccessLogReader, accessLogReader } from "../base/access-log-line.ts";
import { delay } from "../base/delay.ts";
import { durationMs } from "../base/duration.ts";
import { ClusterError, errorText, UsageError } from "../base/errors.ts";
import type { Cluster, LogTarget } from "../resources/cluster.ts";
import { coloursOf } from "./checks/text.ts";
import { globalOptions, switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { type LogEntry, type LoggedBy, entryOf } from "./logs/entry.ts";
import { type EntryTest, entryTest } from "./logs/filter.ts";
import { formatsOf } from "./logs/formats.ts";
import { podNames, type PodNames } from "./logs/pod-names.ts";
import { entryText } from "./logs/text.ts";
import { findPods, getJson } from "./pod-http.ts";
import { listeners } from "./proxy-config/listeners.ts";
import { adminPort } from "./proxy-config/source.ts";

const CONTAINER = "istio-proxy";
/** How often a follower looks for new pods of the workload. */
const LOOK_MS = 3_000;

/** What is read of each proxy. */
interface Wanted {
  readonly follow: boolean;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
  readonly test: EntryTest;
}

/** What is known while lines are read. */
interface Reading {
  readonly cluster: Cluster;
  readonly wanted: Wanted;
  readonly adminPort: number;
  names: PodNames;
  /** Lines of access logs, wanted or not. */
  seen: number;
}

/** `meshctl logs WORKLOAD`: the access logs of its proxies, as data. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const wanted = wantedOf(input);
  const cluster = await io.cluster();
  const [name = ""] = input.args;
  const namespace = globalOptions(input).namespace ?? "default";
  const find = (): Promise<readonly LoggedBy[]> => proxiesOf(cluster, name, namespace);
  const pods = await find();
  const reading = { cluster, wanted, adminPort: adminPort(input), names: await podNames(cluster), seen: 0 };
  const isJson = textOption(input, "output") === "json";
  const colours = coloursOf(io);
  const say = (entry: LogEntry): void => {
    const withPod = pods.length > 1 || wanted.follow;
    io.out(isJson ? `${JSON.stringify(entry)}\n` : entryText(entry, withPod, colours));
  };
  if (wanted.follow) await followAll(reading, { find, say }, io);
  else await readAll(reading, { pods, say }, io);
  return { exitCode: 0 };
}

function wantedOf(input: CommandInput): Wanted {
  const since = textOption(input, "since");
  const sinceMs = since === undefined ? undefined : durationMs(since);
  if (since !== undefined && (sinceMs === undefined || sinceMs <= 0))
    throw new UsageError(`--since: expected a duration such as 90s or 5m, got "${since}"`);
  const tail = textOption(input, "tail");
  if (tail !== undefined && !/^\d+$/.test(tail))
    throw new UsageError(`--tail: expected a number of lines, got "${tail}"`);
  return {
    follow: switchOption(input, "follow"),
    test: entryTest(input),
    ...(tail !== undefined && { tailLines: Number(tail) }),
    ...(sinceMs !== undefined && { sinceSeconds: Math.ceil(sinceMs / 1000) }),
  };
}

/** The pods that a name means: a pod, or a workload, whose kind need not be said. */
async function proxiesOf(cluster: Cluster, name: string, namespace: string): Promise<readonly LoggedBy[]> {
  const kinds = name.includes("/") ? [""] : ["", "deploy/", "sts/", "ds/"];
  let missing: unknown;
  for (const kind of kinds) {
    try {
      const found = await findPods(cluster, `${kind}${name}`, namespace);
      return found.pods.map((pod) => ({ namespace: found.namespace, pod }));
    } catch (error) {
      if (!(error instanceof ClusterError) || error.code !== "not-found") throw error;
      missing ??= error;
    }
  }
  throw missing;
}

/** How the proxy writes, as it says itself; a proxy that cannot be asked (or one in a bundle without its answer) writes by default. */
async function readerOf({ cluster, adminPort: port }: Reading, by: LoggedBy): Promise<AccessLogReader> {
  const dump = await getJson(cluster, { ...by, port }, listeners.path).catch(() => undefined);
  return accessLogReader(formatsOf(dump));
}

function targetOf(by: LoggedBy, { tailLines, sinceSeconds }: Wanted): LogTarget {
  return {
    ...by,
    container: CONTAINER,
    ...(tailLines !== undefined && { tailLines }),
    ...(sinceSeconds !== undefined && { sinceSeconds }),
  };
}

async function readAll(
  reading: Reading,
  { pods, say }: { readonly pods: readonly LoggedBy[]; readonly say: (entry: LogEntry) => void },
  io: Io,
): Promise<void> {
  const texts = await Promise.all(
    pods.map(async (by) => {
      const [read, text] = await Promise.all([
        readerOf(reading, by),
        reading.cluster.logs(targetOf(by, reading.wanted)),
      ]);
      return { by, read, lines: newest(text.split("\n"), reading.wanted.tailLines) };
    }),
  );
  const entries = texts.flatMap(({ by, read, lines }) =>
    lines.flatMap((line) => entriesOf(reading, { by, read }, line)),
  );
  // an API server leaves older lines out itself; what a bundle has is of when it was made
  const from = await begin(reading);
  const shown = entries.filter(({ startTime }) => from === undefined || startTime === undefined || startTime >= from);
  for (const entry of shown.toSorted(byTime)) say(entry);
  if (shown.length > 0) return;
  io.err(
    reading.seen > 0
      ? `None of ${reading.seen} lines is as asked for.\n`
      : "No line of an access log yet. It is asked for by accessLogFile of the mesh configuration, or by a provider that a Telemetry names.\n",
  );
}

async function begin({ cluster, wanted }: Reading): Promise<string | undefined> {
  if (cluster.followLogs !== undefined || wanted.sinceSeconds === undefined) return undefined;
  const made = await cluster.serverTime?.();
  return made === undefined ? undefined : new Date(made.getTime() - wanted.sinceSeconds * 1000).toISOString();
}

function newest(lines: readonly string[], count: number | undefined): readonly string[] {
  const whole = lines.filter((line) => line !== "");
  return count === undefined ? whole : whole.slice(Math.max(0, whole.length - count));
}

function byTime(a: LogEntry, b: LogEntry): number {
  return (a.startTime ?? "") < (b.startTime ?? "") ? -1 : (a.startTime ?? "") > (b.startTime ?? "") ? 1 : 0;
}

function entriesOf(
  reading: Reading,
  { by, read }: { readonly by: LoggedBy; readonly read: AccessLogReader },
  line: string,
): readonly LogEntry[] {
  const record = read(line);
  if (record === undefined) return [];
  reading.seen += 1;
  const entry = entryOf(by, record, reading.names);
  return reading.wanted.test(entry) ? [entry] : [];
}

/** Follows each pod, and those that come later, until the signal; ends by itself when no pod is left. */
async function followAll(
  reading: Reading,
  { find, say }: { readonly find: () => Promise<readonly LoggedBy[]>; readonly say: (entry: LogEntry) => void },
  io: Io,
): Promise<void> {
  const { cluster } = reading;
  if (cluster.followLogs === undefined)
    throw new UsageError("nothing more is written in a bundle", "Leave out --follow.");
  const followed = new Map<string, Promise<void>>();
  for (;;) {
    const pods = await find().catch((error: unknown) => {
      if (followed.size === 0) throw error;
      return [];
    });
    for (const by of pods.filter(({ pod }) => !followed.has(pod))) {
      const done = followOne(reading, { by, say }, io).catch((error: unknown) => {
        if (!io.signal.aborted) io.err(`${by.pod}.${by.namespace}: ${errorText(error)}\n`);
      });
      followed.set(by.pod, done);
    }
    const all = Promise.all(followed.values()).then(() => "over" as const);
    const over = await Promise.race([all, delay(LOOK_MS, io.signal)]);
    if (io.signal.aborted || (over === "over" && pods.length === 0)) break;
    if (over === "over") await delay(LOOK_MS, io.signal);
    reading.names = await podNames(cluster);
  }
  await Promise.all(followed.values());
}

async function followOne(
  reading: Reading,
  { by, say }: { readonly by: LoggedBy; readonly say: (entry: LogEntry) => void },
  io: Io,
): Promise<void> {
  const read = await readerOf(reading, by);
  let rest = "";
  for await (const chunk of reading.cluster.followLogs?.(targetOf(by, reading.wanted), io.signal) ?? []) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) for (const entry of entriesOf(reading, { by, read }, line)) say(entry);
  }
}

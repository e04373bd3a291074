import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { load, podOf } from "../../../scripts/scenario/ask.ts";
import { must, type Outcome, type Scenario } from "../../../scripts/scenario/context.ts";
import { SHOP } from "../../../scripts/scenario/steps/shop.ts";
import { meshctlHere } from "../here.ts";
import type { Live } from "../../../src/commands/trace/types.ts";
import { bugReportOf } from "../local/bundle-step.ts";
import { waitFor } from "../wait.ts";
import { type Answer, type Question, QUESTIONS } from "./questions.ts";

/** Questions that are asked at a time. */
const PARALLEL = 4;

/** Every read-only command of a living mesh, of its bug report, with its control plane over xDS, and of a dump of a proxy. */
export async function everyReader(scenario: Scenario): Promise<void> {
  const pod = `${(await podOf(scenario, SHOP, "web")).metadata.name}.${SHOP}`;
  await load(scenario, { namespace: SHOP, app: "client" }, { url: "http://web/", requests: 20 });
  await sentFromInside(scenario);
  await settled(scenario, pod);
  const dump = join(scenario.work, "readers-dump.json");
  await writeFile(dump, (await scenario.meshctl(["pc", "all", pod, "-o", "json"], { quiet: true })).stdout);
  const bundle = await bugReportOf(scenario);
  await using xds = await forwarded(scenario);
  const gateway = `${(await podOf(scenario, "istio-system", "istio-ingressgateway")).metadata.name}.istio-system`;
  const asking: Asking = { scenario, pod, dump, gateway, bundle, xds: xds.address };
  const left = [...QUESTIONS];
  const problems: string[] = [];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift())
      problems.push(...(await compared(asking, next)));
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  must(problems.length === 0, `readers differ:\n${problems.join("\n")}`);
}

/**
 * A request and a connection that the client's pod makes as its application would, each beside its walk: they go the way that is
 * foretold, and proxies on both sides tell of them.
 */
async function sentFromInside(scenario: Scenario): Promise<void> {
  const client = await podOf(scenario, SHOP, "client");
  for (const url of ["http://catalog:8000/", "tcp://ledger:9000"]) {
    const line = ["trace-route", "--live", "-y", "--from", `${client.metadata.name}.${SHOP}`, url, "-o", "json"];
    const { stdout } = await scenario.meshctl(line, { quiet: true });
    const { live } = JSON.parse(stdout) as { readonly live: Live };
    must(live.agrees && live.error === undefined, `${url} was not sent as foretold: ${JSON.stringify(live)}`);
    const servers = live.lines.map(({ proxy }) => proxy.replace(/-.*/, ""));
    must(servers.length === 2 && servers[0] === "client", `no two proxies tell of ${url}: ${JSON.stringify(live)}`);
  }
  const pod = await podOf(scenario, SHOP, "client");
  const { ephemeralContainers: put = [] } = (pod.spec ?? {}) as {
    readonly ephemeralContainers?: readonly { readonly name: string }[];
  };
  must(put.length === 1, `one container serves both, not ${JSON.stringify(put)}`);
}

/** What moves by itself has come to rest: routes of listeners that drain, and latencies that Envoy has not summed up yet. */
async function settled(scenario: Scenario, pod: string): Promise<void> {
  const said = async (...words: readonly string[]): Promise<string> =>
    (await scenario.meshctl([...words], { quiet: true })).stdout;
  // Envoy does not tell a gauge that was never anything
  // a change of chains alone drains these and not their listener
  const drains = /^listener_manager\.total_(?:listeners|filter_chains)_draining +[1-9]/m;
  await waitFor(async () => !drains.test(await said("envoy-stats", pod)), {
    what: `the listeners of before to be gone from ${pod}`,
    timeoutMs: 90_000,
  });
  const latencies = async (): Promise<boolean> => {
    const rows = (await said("edges", "-n", SHOP)).split("\n").filter((row) => / http .*%/.test(row));
    return rows.length > 0 && rows.every((row) => /\d(?:µs|ms|s) *$/.test(row));
  };
  await waitFor(latencies, { what: "the latency of every call", timeoutMs: 30_000 });
}

interface Asking {
  readonly scenario: Scenario;
  readonly pod: string;
  readonly dump: string;
  readonly gateway: string;
  readonly bundle: string;
  /** `host:port` */
  readonly xds: string;
}

/** What is wrong with the readers' answers to a question. */
async function compared(asking: Asking, question: Question): Promise<readonly string[]> {
  const { line, bundle, xds = bundle === "refused" ? "same" : bundle, dump, quiet = false, finds = false } = question;
  const live = await ask(asking, line);
  if (live.code > (finds ? 1 : 0)) return [`${line}: the mesh ends with ${live.code}: ${live.stdout}${live.stderr}`];
  if (live.stdout.length < 10 && !quiet) return [`${line}: the mesh says nothing: ${live.stderr}`];
  const readers: readonly (readonly [string, Answer, string])[] = [
    ["--bundle", bundle, `${line} --bundle ${asking.bundle}`],
    ["--xds-address", xds, `${line} --xds-address ${asking.xds}`],
    ...(dump === undefined ? [] : [["a dump", dump.answer, dump.line] as const]),
  ];
  const problems = await Promise.all(
    readers.map(async ([name, answer, words]) => {
      const problem = difference(answer, live, await ask(asking, words));
      return problem === undefined ? [] : [`${line}, ${name}: ${problem}`];
    }),
  );
  return problems.flat();
}

/** Runs a line in this process: it is asked some two hundred times. */
async function ask({ scenario, pod, dump, gateway }: Asking, line: string): Promise<Outcome> {
  const words = line
    .split(" ")
    .map((word) => word.replace("{pod}", pod).replace("{dump}", dump).replace("{gateway}", gateway));
  return meshctlHere(scenario.kubeconfig, words);
}

function difference(answer: Answer, live: Outcome, other: Outcome): string | undefined {
  const said = `exit code ${other.code}\n${other.stdout}${other.stderr}`;
  if (answer === "refused") {
    // the error, and what to do about it
    const isClear = other.code === 2 && other.stdout === "" && /Error: .+\n.+\n$/.test(other.stderr);
    return isClear ? undefined : `expected to be refused with a reason, got ${said}`;
  }
  if (other.code !== live.code) return `expected exit code ${live.code}, got ${said}`;
  return EQUAL[answer](live.stdout, other.stdout) ? undefined : `the mesh said\n${live.stdout}\nit says\n${said}`;
}

const EQUAL: Readonly<Record<Exclude<Answer, "refused">, (one: string, other: string) => boolean>> = {
  same,
  words: (one, other) => worded(one) === worded(other),
  title: (one, other) => worded(one.split("\n")[0] ?? "") === worded(other.split("\n")[0] ?? ""),
};

/** Envoy tells members of a map, and resources, in another order each time, and some of them twice. */
function same(one: string, other: string): boolean {
  if (one === other || !/^[[{]/.test(one)) return one === other;
  const [first, second] = [one, other].map((text) => inOrder(JSON.parse(text)));
  return isDeepStrictEqual(first, second);
}

function inOrder(value: unknown): unknown {
  return Array.isArray(value) ? [...new Set(value.map((each) => stable(each)))].sort() : stable(value);
}

function stable(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

/** A text without what moves on: numbers, ages, and how wide they make a table; lines in order, each once. */
function worded(text: string): string {
  const lines = text
    .replaceAll(/[0-9a-f]{16,}/g, "#")
    .replaceAll(/(?:\d+(?:\.\d+)?(?:µs|ms|[smhd]))+\b/g, "#")
    .replaceAll(/-?\d+(?:[.:]\d+)*%?/g, "#")
    .replaceAll(/#(?:[ ]?#)+/g, "#")
    .split("\n")
    .map((line) => line.replaceAll(/[ ─-]+/g, " ").trim());
  return [...new Set(lines)].sort().join("\n");
}

/** The port where proxies reach the control plane, at a port of this machine. */
async function forwarded(scenario: Scenario): Promise<{ readonly address: string } & AsyncDisposable> {
  const namespace = "istio-system";
  const pod = (await podOf(scenario, namespace, "istiod")).metadata.name;
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    scenario.cluster.portForward({ namespace, pod, port: 15012 }).then(
      (stream) => {
        stream.on("error", () => socket.destroy());
        socket.on("close", () => stream.destroy());
        socket.pipe(stream).pipe(socket);
      },
      () => socket.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  };
}

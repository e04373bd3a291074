// What metrics cost: processor time per request of a client's and a server's real Envoy and the latency through both, without metrics, with
// all of them, and lean (samples/telemetry/lean-metrics.yaml), in turn; then a scrape of 400 label sets through the agent's merge.
// ROUNDS=n, SECONDS=n for each turn.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { Agent, type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { createCounts } from "../src/agent/counts.ts";
import { explicitPort } from "../src/base/explicit-port.ts";
import type { AgentConfig } from "../src/agent/config.ts";
import { mergedMetrics } from "../src/agent/scrape.ts";
import type { KubeObject } from "../src/resources/object.ts";
import { parseYaml } from "../src/resources/yaml-plain.ts";
import { samples } from "../test/support/envoy/prometheus.ts";
import { type Lab, startLab } from "../test/support/traffic/lab.ts";
import type { MeshProxy } from "../test/support/traffic/proxy.ts";
import { waitFor } from "../test/support/wait.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 5);
const SECONDS = Number(process.env["SECONDS"] ?? 4);
const CONNECTIONS = 16;
const SEQUENTIAL = 1500;
const LABEL_SETS = 400;
const SCRAPES = 5;
const MS_PER_TICK = 10;
/** A header whose values make label sets. */
const SET_HEADER = "x-set";
const SET_LABEL = "of_set";

type Mode = "none" | "full" | "lean";
const MODES: readonly Mode[] = ["none", "full", "lean"];

interface Turn {
  readonly client: number;
  readonly server: number;
  readonly p50: number;
  readonly p99: number;
  readonly rate: number;
}

const lean = parseYaml(
  readFileSync(join(import.meta.dirname, "../samples/telemetry/lean-metrics.yaml"), "utf8"),
) as KubeObject<{ readonly metrics: readonly { readonly overrides: readonly unknown[] }[] }>;

const turns = new Map<Mode, Turn[]>(MODES.map((mode) => [mode, []]));
await inLab(async (lab) => {
  for (let round = 0; round < ROUNDS; round += 1)
    for (const mode of MODES) {
      await become(lab, mode, []);
      turns.get(mode)?.push(await measure(lab));
    }
});
console.table(MODES.map((mode) => row(mode, turns.get(mode) ?? [])));
// each in proxies of its own: label sets stay for minutes
const scrapes: Record<string, unknown>[] = [];
for (const mode of ["full", "lean"] as const)
  await inLab(async (lab) => void scrapes.push(await measureScrape(lab, mode)));
console.table(scrapes);

async function inLab(work: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = await startLab([
    {
      name: "bench",
      namespace: "bench",
      requests: [],
      objects: [
        {
          apiVersion: "v1",
          kind: "Service",
          metadata: { name: "echo" },
          spec: { ports: [{ name: "http", port: 80, targetPort: 8080 }] },
        } as unknown as KubeObject,
      ],
    },
  ]);
  try {
    await work(lab);
  } finally {
    await lab.stop();
  }
}

function row(mode: Mode, turns: readonly Turn[]): Record<string, unknown> {
  const median = (pick: (turn: Turn) => number): number =>
    turns.map(pick).toSorted((a, b) => a - b)[Math.floor(turns.length / 2)] ?? Number.NaN;
  return {
    metrics: mode,
    "client's proxy, µs of CPU a request": median(({ client }) => client).toFixed(1),
    "server's proxy": median(({ server }) => server).toFixed(1),
    "p50 ms": median(({ p50 }) => p50).toFixed(2),
    "p99 ms": median(({ p99 }) => p99).toFixed(2),
    "requests a second": Math.round(median(({ rate }) => rate)),
  };
}

function metricsOf(mode: Mode): readonly unknown[] {
  if (mode === "lean") return lean.spec?.metrics[0]?.overrides ?? [];
  return mode === "none" ? [{ match: { metric: "ALL_METRICS" }, disabled: true }] : [];
}

/** Both proxies have the mode's loggers. `more`: overrides beside the mode's. */
async function become(of: Lab, mode: Mode, more: readonly unknown[]): Promise<void> {
  const { plane, proxies } = of;
  const overrides = [...metricsOf(mode), ...more];
  plane.state.world.apply([
    {
      type: "set",
      object: {
        apiVersion: "telemetry.istio.io/v1",
        kind: "Telemetry",
        metadata: { name: "bench", namespace: "istio-system" },
        spec: { metrics: [{ providers: [{ name: "prometheus" }], overrides }] },
      } as KubeObject,
    },
  ]);
  const isSo = async (proxy: MeshProxy): Promise<boolean> => {
    const dump = JSON.parse(await proxy.admin("/config_dump?resource=dynamic_listeners")) as {
      readonly configs: readonly { readonly active_state?: unknown; readonly warming_state?: unknown }[];
    };
    const text = JSON.stringify(dump.configs.map((listener) => listener.active_state));
    const has = (word: string): boolean => text.includes(`"${word}"`);
    if (dump.configs.some((listener) => listener.warming_state !== undefined)) return false;
    if (has(SET_LABEL) !== more.length > 0) return false;
    return mode === "none"
      ? !has("istio_requests_total")
      : has("istio_requests_total") && has("source_app") === (mode === "full");
  };
  for (const proxy of [proxies.client, proxies.v1])
    await waitFor(() => isSo(proxy), { what: `metrics: ${mode}`, timeoutMs: 20_000 });
  const agent = new Agent({ keepAlive: false });
  const isAnswered = (): Promise<boolean> =>
    get(of, agent, {}).then(
      () => true,
      () => false,
    );
  await waitFor(isAnswered, { what: "an answer", timeoutMs: 20_000 });
}

async function measure(of: Lab): Promise<Turn> {
  const pids = [pidOf("client"), pidOf("v1")] as const;
  await load(of, 500);
  const before = pids.map(cpuMs);
  const began = performance.now();
  const sent = await load(of, SECONDS * 1000);
  const spent = performance.now() - began;
  const [client = 0, server = 0] = pids.map((pid, index) => ((cpuMs(pid) - (before[index] ?? 0)) * 1000) / sent);
  const times: number[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let index = 0; index < SEQUENTIAL; index += 1) {
    const start = performance.now();
    await get(of, agent, {});
    times.push(performance.now() - start);
  }
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { client, server, p50: at(0.5), p99: at(0.99), rate: (sent / spent) * 1000 };
}

/** Requests for so long over connections that stay; how many. */
async function load(of: Lab, ms: number): Promise<number> {
  const until = performance.now() + ms;
  let sent = 0;
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (performance.now() < until) {
        await get(of, agent, {});
        sent += 1;
      }
    }),
  );
  agent.destroy();
  return sent;
}

function get(of: Lab, agent: Agent, headers: Readonly<Record<string, string>>): Promise<void> {
  const host = of.address("bench", "echo");
  return new Promise((resolve, reject) => {
    const onAnswer = (answer: IncomingMessage): void => {
      answer.resume();
      answer.on("end", () => {
        if (answer.statusCode === 200) resolve();
        else reject(new Error(`status ${answer.statusCode}`));
      });
    };
    request({ host, port: explicitPort(80), agent, path: "/", headers: { host: "echo.bench", ...headers } }, onAnswer)
      .on("error", reject)
      .end();
  });
}

/** Scrapes of the client's proxy with so many label sets of each metric, as the agent answers them. */
async function measureScrape(of: Lab, mode: Mode): Promise<Record<string, unknown>> {
  const value = `request.headers["${SET_HEADER}"]`;
  await become(of, mode, [
    { match: { metric: "ALL_METRICS", mode: "CLIENT" }, tagOverrides: { [SET_LABEL]: { value } } },
  ]);
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  for (let set = 0; set < LABEL_SETS; set += 1) await get(of, agent, { [SET_HEADER]: `${mode}-${set}` });
  agent.destroy();
  // histograms are shown after a flush
  await waitFor(
    async () => {
      const found = await samples(of.proxies.client, "istio_request_duration_milliseconds_count");
      return found.filter(({ labels }) => labels[SET_LABEL]?.startsWith(`${mode}-`)).length === LABEL_SETS;
    },
    { what: `${LABEL_SETS} label sets`, timeoutMs: 20_000 },
  );
  const pid = pidOf("client");
  const relay = await startRelay(join(readlinkSync(`/proc/${pid}/cwd`), "admin"));
  const config = {
    addresses: { admin: "127.0.0.1" },
    ports: { admin: relay.port },
    appAddress: "127.0.0.1",
    scrape: undefined,
  } as unknown as AgentConfig;
  const counts = createCounts();
  const metrics = { counts, text: () => "", scrapeFailed: (part: string) => relay.fail(part) };
  const seen: { readonly ms: number; readonly bytes: number; readonly envoy: number; readonly merge: number }[] = [];
  for (let turn = 0; turn < SCRAPES; turn += 1) {
    const [envoy, own, began] = [cpuMs(pid), process.cpuUsage(), performance.now()];
    let bytes = 0;
    const { body } = await mergedMetrics(config, metrics);
    for await (const chunk of body) bytes += Buffer.byteLength(chunk);
    const { user, system } = process.cpuUsage(own);
    seen.push({
      ms: performance.now() - began,
      bytes,
      envoy: cpuMs(pid) - envoy,
      merge: (user + system) / 1000,
    });
  }
  relay.close();
  const median = (key: keyof (typeof seen)[number]): number =>
    seen.map((one) => one[key]).toSorted((a, b) => a - b)[Math.floor(SCRAPES / 2)] ?? Number.NaN;
  return {
    metrics: mode,
    "label sets": LABEL_SETS,
    MB: (median("bytes") / 1e6).toFixed(1),
    "ms until the end": Math.round(median("ms")),
    "proxy, ms of CPU": median("envoy"),
    "agent's merge, ms of CPU": Math.round(median("merge")),
  };
}

/** A port that leads to a unix socket, in a process of its own. */
async function startRelay(socket: string): Promise<{ readonly port: number; close(): void; fail(part: string): void }> {
  const text = `const n=require("net");const s=n.createServer(c=>{const u=n.connect(${JSON.stringify(socket)});c.pipe(u).pipe(c);u.on("error",()=>c.destroy());c.on("error",()=>u.destroy())});s.listen(0,"127.0.0.1",()=>console.log(s.address().port))`;
  const child = spawn(process.execPath, ["-e", text], { stdio: ["ignore", "pipe", "inherit"] });
  const port = await new Promise<number>((resolve) =>
    child.stdout.once("data", (chunk: Buffer) => resolve(Number(String(chunk)))),
  );
  return {
    port,
    close: () => void child.kill(),
    fail(part) {
      throw new Error(`the scrape of ${part} failed`);
    },
  };
}

/** Of the test mesh's Envoys, which stand in folders with their names. */
function pidOf(name: string): number {
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      const isOurs = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) === process.pid;
      if (isOurs && words.some((word) => word.includes(`/traffic-${name}-`))) return Number(pid);
    } catch {
      // it has ended
    }
  }
  throw new Error(`no proxy ${name}`);
}

/** Milliseconds of processor time of a process, to a hundredth of a second. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

// What the tap filter, which stands first in every HTTP chain, costs a request that nobody taps: processor time of a real Envoy per
// request with and without it, in turn, the order changing each round. The chain is the filter and the router, which answers itself:
// nothing else hides the difference. ROUNDS=n, REQUESTS=n for each turn.
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tap } from "../src/xds/filters/tap.ts";
import type { ChainContext } from "../src/xds/types.ts";
import { testEnvoy } from "../test/support/envoy/binary.ts";
import { freePorts } from "../test/support/envoy/free-ports.ts";
import { runEnvoy } from "../test/support/envoy/run-envoy.ts";
import { waitFor } from "../test/support/wait.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 15);
const REQUESTS = Number(process.env["REQUESTS"] ?? 60_000);
const CONNECTIONS = 20;

const TYPE = "type.googleapis.com/envoy.extensions.filters";
const router = { name: "router", typed_config: { "@type": `${TYPE}.http.router.v3.Router` } };
const REQUEST = Buffer.from(
  "GET /a/path HTTP/1.1\r\nhost: echo.bench.svc.cluster.local\r\nuser-agent: bench\r\nx-request-id: 7c1d\r\naccept: */*\r\n\r\n",
);

function listener(port: number, filters: readonly unknown[]): unknown {
  const route = { match: { prefix: "/" }, direct_response: { status: 200 } };
  const manager = {
    "@type": `${TYPE}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: `at_${port}`,
    http_filters: [...filters, router],
    route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes: [route] }] },
  };
  return {
    name: `at_${port}`,
    address: { socket_address: { address: "127.0.0.1", port_value: port } },
    filter_chains: [{ filters: [{ name: "http", typed_config: manager }] }],
  };
}

/** Nanoseconds of processor time of all threads. */
function spent(pid: string): number {
  return readdirSync(`/proc/${pid}/task`).reduce(
    (sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]),
    0,
  );
}

/** So many requests over one connection, one after the other. */
function send(port: number, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let answered = 0;
    let rest = "";
    socket.setNoDelay(true);
    socket.on("error", reject);
    socket.on("connect", () => socket.write(REQUEST));
    socket.on("data", (chunk: Buffer) => {
      const text = rest + chunk.toString("latin1");
      const answers = text.split("\r\n\r\n");
      rest = answers.pop() ?? "";
      if (answers.some((answer) => !answer.startsWith("HTTP/1.1 200"))) reject(new Error(answers[0]));
      answered += answers.length;
      if (answered < count) return void socket.write(REQUEST);
      socket.destroy();
      resolve();
    });
  });
}

const folder = mkdtempSync(join(tmpdir(), "meshctl-tap-"));
const ports = await freePorts(2);
const [without = 0, withTap = 0] = ports;
const envoy = await runEnvoy(
  await testEnvoy(),
  { static_resources: { listeners: [listener(without, []), listener(withTap, [tap.filter({} as ChainContext)])] } },
  { folder },
);
try {
  await waitFor(async () => (await envoy.admin("/ready")).startsWith("LIVE"), { what: "Envoy" });
  const pid = readdirSync("/proc").find((one) => /^\d+$/.test(one) && placeOf(one) === folder) ?? "";
  const turn = async (port: number): Promise<number> => {
    const before = spent(pid);
    await Promise.all(Array.from({ length: CONNECTIONS }, () => send(port, REQUESTS / CONNECTIONS)));
    return (spent(pid) - before) / 1000 / REQUESTS;
  };
  for (const port of ports) await turn(port);
  const pairs: { readonly plain: number; readonly tapped: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const first = await turn(round % 2 === 0 ? without : withTap);
    const second = await turn(round % 2 === 0 ? withTap : without);
    pairs.push(round % 2 === 0 ? { plain: first, tapped: second } : { plain: second, tapped: first });
  }
  const differences = pairs.map(({ plain, tapped }) => tapped - plain).toSorted((a, b) => a - b);
  console.table([
    {
      "µs of CPU a request without": median(pairs.map(({ plain }) => plain)).toFixed(2),
      "with the tap": median(pairs.map(({ tapped }) => tapped)).toFixed(2),
      "difference of pairs, median": median(differences).toFixed(2),
      "a quarter below": (differences[Math.floor(ROUNDS / 4)] ?? Number.NaN).toFixed(2),
      "a quarter above": (differences[Math.floor((3 * ROUNDS) / 4)] ?? Number.NaN).toFixed(2),
    },
  ]);
} finally {
  await envoy.stop();
  rmSync(folder, { recursive: true });
}

function placeOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

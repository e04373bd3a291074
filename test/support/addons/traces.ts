import { getAt, load } from "../../../scripts/scenario/ask.ts";
import { must, type Scenario } from "../../../scripts/scenario/context.ts";
import { applyText } from "../../../scripts/scenario/kubectl.ts";
import { ingress } from "../../../scripts/scenario/steps/traffic.ts";
import type { Trace } from "../../../src/commands/spans/spans.ts";
import { meshctlHere } from "../here.ts";
import { waitFor } from "../wait.ts";

/** Where the sample shop runs, who calls in it, and by which name its gateway tells spans. */
export const SHOP = "shop";
export const CLIENT = "client.shop";
export const GATEWAY = "istio-ingressgateway.istio-system";

/** Calls of one request of the client's to web, and of one from outside: who called whom. */
export const HOPS = ["client.shop > web.shop", "web.shop > catalog.shop", "web.shop > cart.shop"];
export const FROM_OUTSIDE = [`${GATEWAY} > web.shop`, ...HOPS.slice(1)];

/** Calls in a trace: a server's span below a client's, `who > whom`. */
export function callsOf({ spans }: Trace): readonly string[] {
  const byId = new Map(spans.map((span) => [`${span.kind} ${span.id}`, span]));
  return spans.flatMap((span) => {
    if (span.kind !== "server" || span.parent === undefined) return [];
    const caller = byId.get(`client ${span.parent}`);
    return caller === undefined ? [] : [`${caller.service} > ${span.service}`];
  });
}

/** Requests in the sample shop, and what `meshctl trace` tells of them. */
export interface Traced {
  /** Names the providers of traces and logs for the whole mesh, and waits until proxies have them. */
  telling(tracing: string, logging: readonly string[]): Promise<void>;
  inside(requests: number): Promise<void>;
  /** Requests from outside, each with its headers. */
  outside(requests: readonly Readonly<Record<string, string>>[]): Promise<void>;
  /** The command's answer as data. */
  meshctl(...args: readonly string[]): Promise<unknown>;
  /** Waits until all of some requests in a row are told whole. */
  settled(who: typeof CLIENT | typeof GATEWAY): Promise<void>;
  /** Waits until nothing that a change has replaced lives on, in any proxy of the shop: it tells as before the change. */
  drained(): Promise<void>;
  /** As many traces as requests were sent since then, each with every hop and no span beside; else it throws. */
  everyHop(from: number, who: typeof CLIENT | typeof GATEWAY, requests: number): Promise<readonly Trace[]>;
}

const AT_ONCE = 12;

/** Envoy does not tell a gauge that was never anything. */
const DRAINS = /^listener_manager\.total_(?:listeners|filter_chains)_draining +[1-9]/m;

export function tracedShop(scenario: Scenario): Traced {
  // every trace of a test is asked for many times
  const meshctl = async (...args: readonly string[]): Promise<unknown> =>
    JSON.parse((await meshctlHere(scenario.kubeconfig, [...args, "-o", "json"])).stdout);
  const tracesSince = async (from: number, who: string): Promise<readonly Trace[]> => {
    const list = (await meshctl("trace", "--from", who, "--limit", "500")) as {
      readonly traces: readonly { readonly traceId: string; readonly start: string }[];
    };
    const newer = list.traces.filter(({ start }) => Date.parse(start) >= from);
    return Promise.all(newer.map(async ({ traceId }) => (await meshctl("trace", traceId)) as Trace));
  };
  const areWhole = (traces: readonly Trace[], count: number): boolean =>
    traces.length >= count && traces.every((trace) => callsOf(trace).length === HOPS.length);
  const inside = async (requests: number): Promise<void> =>
    void (await load(scenario, { namespace: SHOP, app: "client" }, { url: "http://web/", requests, concurrency: 4 }));
  const outside = async (requests: readonly Readonly<Record<string, string>>[]): Promise<void> => {
    const { host, port } = await ingress(scenario);
    for (const headers of requests) {
      const { status } = await getAt(host, port, "/", { host: "shop.example.com", ...headers });
      must(status === 200, `the gateway answered ${status}`);
    }
  };
  return {
    meshctl,
    inside,
    outside,
    async telling(tracing, logging) {
      await applyText(
        scenario,
        "istio-system",
        "telemetry.yaml",
        `apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: mesh-default }
spec:
  tracing: [{ providers: [{ name: ${tracing} }], randomSamplingPercentage: 100 }]
  accessLogging: [{ providers: ${JSON.stringify(logging.map((name) => ({ name })))} }]
`,
      );
      await scenario.meshctl(["wait", "telemetry", "mesh-default.istio-system"]);
    },
    // A request on a connection that was there before a change of Telemetry goes by the listener as it was, and is told as before.
    async settled(who) {
      await waitFor(
        async () => {
          const from = Date.now();
          await (who === CLIENT ? inside(AT_ONCE) : outside(Array.from({ length: AT_ONCE }, () => ({}))));
          const isTold = async (): Promise<boolean> => areWhole(await tracesSince(from, who), AT_ONCE);
          return waitFor(isTold, { what: "the spans of requests", timeoutMs: 15_000 }).catch(() => undefined);
        },
        { what: `spans of every hop of ${who}`, timeoutMs: 120_000 },
      );
    },
    async drained() {
      const pods = await scenario.cluster.list({ apiVersion: "v1", kind: "Pod" }, { namespace: SHOP });
      const isDraining = async (pod: string): Promise<boolean> => {
        const { stdout } = await meshctlHere(scenario.kubeconfig, ["envoy-stats", `${pod}.${SHOP}`]);
        return !/^listener_manager\./m.test(stdout) || DRAINS.test(stdout);
      };
      for (const { metadata } of pods)
        await waitFor(async () => !(await isDraining(metadata.name)), {
          what: `what was replaced to be gone from ${metadata.name}`,
          timeoutMs: 90_000,
        });
    },
    async everyHop(from, who, requests) {
      const traces = await waitFor(
        async () => {
          const found = await tracesSince(from, who);
          return areWhole(found, requests) ? found : undefined;
        },
        { what: `${requests} whole traces of ${who}`, timeoutMs: 60_000 },
      );
      const hops = [...(who === CLIENT ? HOPS : FROM_OUTSIDE)].toSorted().join(", ");
      must(traces.length === requests, `${traces.length} traces of ${requests} requests`);
      for (const trace of traces) {
        const calls = callsOf(trace).toSorted().join(", ");
        must(calls === hops, `the calls ${calls} instead of ${hops}`);
        must(!trace.spans.some(({ orphan }) => orphan), `a span without parent in ${trace.traceId}`);
      }
      return traces;
    },
  };
}

/** Lines of access logs that the addon's collector told on its own output so far, as proxies write them. */
export async function collectedLogs({ cluster }: Scenario): Promise<readonly string[]> {
  const [pod] = await cluster.list(
    { apiVersion: "v1", kind: "Pod" },
    { namespace: "observability", labelSelector: "app=opentelemetry-collector" },
  );
  const text = await cluster.logs({ namespace: "observability", pod: pod?.metadata.name ?? "" });
  return text.split("\n").filter((line) => /^\[\d{4}-\d\d-\d\dT/.test(line));
}

/** A count once it stands still: what was collected in bulk has come. */
export async function quiet(count: () => Promise<number>): Promise<number> {
  let last = -1;
  let since = 0;
  const { now } = await waitFor(
    async () => {
      const seen = await count();
      if (seen !== last) since = Date.now();
      last = seen;
      return Date.now() - since > 3_000 ? { now: seen } : undefined;
    },
    { what: "a count to stand still", timeoutMs: 30_000 },
  );
  return now;
}

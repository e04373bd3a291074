import { expect, test } from "vitest";
import { run } from "../../src/commands/trace.ts";
import { traceOf, leads, type Span } from "../../src/commands/spans/spans.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";
import { type GivenSpan, jaegerTraces, SHOP_TRACE } from "../support/jaeger-answers.ts";
import { answering } from "../support/pod-answers.ts";

const JAEGER = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "jaeger-1", namespace: "tracing", labels: { app: "jaeger" } },
  status: { phase: "Running" },
};
const NOW = Date.UTC(2026, 10, 21, 21);
const searched = (service: string, more = ""): string =>
  `/api/traces?service=${service}&start=${(NOW - 3_600_000) * 1000}&end=${NOW * 1000}&limit=500${more}`;

async function traced(
  args: readonly string[],
  options: Readonly<Record<string, string | boolean>>,
  answers: Readonly<Record<string, unknown>>,
) {
  await using jaeger = await answering(answers);
  const cluster = fakeCluster({ objects: [JAEGER], portForward: jaeger.connect });
  const io = fakeIo({ cluster, now: () => new Date(NOW) });
  const { exitCode } = await run({ args, options: { output: "table", ...options } }, io);
  return { exitCode, out: io.stdout(), err: io.stderr() };
}

test("one trace as a waterfall: the tree of calls, when each was, what flags mean", async () => {
  const { out } = await traced(["ABC1"], {}, { "/api/traces/abc1": jaegerTraces({ abc1: SHOP_TRACE }) });
  expect(out).toBe(
    [
      "Trace abc1: 5 spans of 3 services, 40.0 ms, 2026-11-21T20:00:00.000Z",
      "SERVICE             KIND    OPERATION                              STATUS        AT     TOOK",
      "client.shop         client  web.shop.svc.cluster.local:8000/*      503          0.0  40.0 ms  ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇",
      "└ web.shop          server  web.shop.svc.cluster.local:8000/*      503          2.0  36.0 ms   ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇",
      "  ├ web.shop        client  catalog.shop.svc.cluster.local:8000/*  200         10.0   8.0 ms       ▇▇▇▇",
      "  │ └ catalog.shop  server  catalog.shop.svc.cluster.local:8000/*  200         12.0   4.0 ms        ▇▇",
      "  └ web.shop        client  cart.shop.svc.cluster.local:8000/*     503 URX,UF  20.0  16.0 ms            ▇▇▇▇▇▇▇▇",
      "URX: no attempt was left: retries, or connection attempts",
      "UF: no connection to the upstream",
      "",
    ]
      .join("\n")
      .replace("503 URX,UF", "503 URX UF"),
  );
});

test("traces between two workloads, newest first; only those in which the first leads to the second", async () => {
  const other: readonly GivenSpan[] = SHOP_TRACE.filter(({ id }) => id !== "d" && id !== "c");
  const answers = { [searched("client.shop")]: jaegerTraces({ abc1: SHOP_TRACE, abc2: other, abc3: SHOP_TRACE }) };
  const ask = { from: "client", to: "deploy/catalog.shop", namespace: "shop" };
  const listed = await traced([], ask, answers);
  expect(listed.out.split("\n").map((line) => line.split(" ")[0])).toEqual(["TRACE", "abc3", "abc1", ""]);
  expect((await traced([], { ...ask, last: true }, answers)).out).toContain("Trace abc3: 5 spans");
  const data = JSON.parse((await traced([], { ...ask, output: "json", limit: "1" }, answers)).out) as unknown;
  expect(data).toMatchObject({ traces: [{ traceId: "abc3", durationMs: 40, spans: 5, errors: 2 }] });
  const none = await traced([], { from: "client.shop", to: "ledger.shop" }, answers);
  expect([none.exitCode, none.out]).toEqual([1, ""]);
});

test("a trace by the id of its request, which access logs have", async () => {
  const ended = `&start=0&end=${NOW * 1000}&limit=1&tags=%7B%22guid%3Ax-request-id%22%3A%229f0e-1%22%7D`;
  const answers = {
    "/api/services": { data: ["cart.shop", "web.shop"] },
    [`/api/traces?service=cart.shop${ended}`]: { data: [] },
    [`/api/traces?service=web.shop${ended}`]: jaegerTraces({ abc1: SHOP_TRACE }),
  };
  expect((await traced(["9f0e-1"], {}, answers)).out).toContain("Trace abc1:");
});

test("what cannot be: no id and no workloads, both, an unknown trace, no collector", async () => {
  await expect(traced([], {}, {})).rejects.toThrow("expected a trace's id");
  await expect(traced(["a"], { from: "b" }, {})).rejects.toThrow("expected a trace's id");
  await expect(traced(["abc9"], {}, {})).rejects.toThrow("there is no trace abc9");
  await expect(traced(["abc9"], { address: "jaeger:16686" }, {})).rejects.toThrow("expected http://HOST:PORT");
  const io = fakeIo({ cluster: fakeCluster() });
  await expect(run({ args: ["abc9"], options: {} }, io)).rejects.toThrow("no running pod has the labels app=jaeger");
});

test("spans without their parent stand at the top and are named; spans in a circle end", () => {
  const span = (id: string, parent: string): Span => ({
    id,
    parent,
    service: id,
    kind: "other",
    operation: "",
    startMs: 0,
    durationMs: 1,
    flags: [],
    error: false,
  });
  const trace = traceOf("t", [span("a", "gone"), span("b", "c"), span("c", "b")]);
  expect(trace?.spans.map(({ id, depth, orphan }) => [id, depth, orphan])).toEqual([
    ["a", 0, true],
    ["b", 0, false],
    ["c", 1, false],
  ]);
  expect(traceOf("t", [])).toBeUndefined();
  if (trace === undefined) throw new Error("no trace");
  expect([
    leads(trace, "b", "c"),
    leads(trace, "c", "b"),
    leads(trace, "a", undefined),
    leads(trace, undefined, "x"),
  ]).toEqual([true, false, true, false]);
});

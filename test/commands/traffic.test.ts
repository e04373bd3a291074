import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { run as edges } from "../../src/commands/edges.ts";
import { run as graph } from "../../src/commands/graph.ts";
import { run as metrics } from "../../src/commands/metrics.ts";
import { run as stat } from "../../src/commands/stat.ts";
import { run as tap } from "../../src/commands/tap.ts";
import { run as top } from "../../src/commands/top.ts";
import { flowsOf, flowsSince, mergeFlows } from "../../src/commands/traffic/flows.ts";
import { type Bucket, percentile, subtractBuckets } from "../../src/commands/traffic/percentile.ts";
import { parseSamples } from "../../src/commands/traffic/samples.ts";
import { jsonPieces, tappedRequest, tapQuestion } from "../../src/commands/traffic/tap-request.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";
import { answering } from "../support/pod-answers.ts";
import { counters, policyCounters, QUESTION, routeCounters } from "../support/traffic-counters.ts";

const pod = (name: string): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "shop", annotations: { "sidecar.istio.io/status": "{}" } },
  status: { phase: "Running", podIP: "10.0.0.1" },
});

test("Prometheus text: labels with commas, quotes and braces, exponents, and lines that are no samples", () => {
  const text = '# TYPE a counter\na{x="1,2",y="say \\"hi\\" {}\\n\\\\"} 1.5e3\nb 2\nbroken{ 3\n';
  expect(parseSamples(text)).toEqual([
    { name: "a", labels: { x: "1,2", y: 'say "hi" {}\n\\' }, value: 1500 },
    { name: "b", labels: {}, value: 2 },
  ]);
});

test("a percentile lies evenly within its bucket, at the last bound beyond it, and nowhere without counts", () => {
  const of = (...pairs: readonly (readonly [number, number])[]): Bucket[] =>
    pairs.map(([le, count]) => ({ le, count }));
  const buckets = of([10, 50], [100, 90], [Number.POSITIVE_INFINITY, 100]);
  expect(percentile(buckets, 0.25)).toBe(5);
  expect(percentile(buckets, 0.5)).toBe(10);
  expect(percentile(buckets, 0.7)).toBe(55);
  expect(percentile(buckets, 0.99)).toBe(100);
  expect(percentile(of([10, 0]), 0.5)).toBeUndefined();
  expect(percentile([], 0.5)).toBeUndefined();
  expect(subtractBuckets(buckets, of([10, 40], [100, 70], [Number.POSITIVE_INFINITY, 80]))).toEqual(
    of([10, 10], [100, 20], [Number.POSITIVE_INFINITY, 20]),
  );
  // the proxy began anew
  expect(subtractBuckets(of([10, 1]), of([10, 5]))).toEqual(of([10, 1]));
});

test("of both ends the client's numbers count, which have what never arrived, and the server's word on how it was secured", () => {
  const source = flowsOf(
    parseSamples(counters({ reporter: "source", security: "unknown", codes: { 200: 90, 503: 10 } })),
  );
  const server = flowsOf(parseSamples(counters({ reporter: "destination", codes: { 200: 90 } })));
  const [flow, ...more] = mergeFlows([...server, ...source]);
  expect(more).toEqual([]);
  expect(flow).toMatchObject({ requests: 100, failures: 10, security: "mutual_tls", reporter: "source" });
  expect(mergeFlows(server)[0]).toMatchObject({ requests: 90, failures: 0, reporter: "destination" });
  const plain = flowsOf(parseSamples(counters({ reporter: "destination", security: "none", codes: { 200: 1 } })));
  expect(mergeFlows([...server, ...plain])[0]).toMatchObject({ requests: 91, security: "none" });
});

test("a status of gRPC that is the server's fault is a failure, one that is the caller's is none", () => {
  const flows = (status: string) =>
    flowsOf(parseSamples(counters({ reporter: "destination", codes: { 200: 5 }, grpc: status })));
  expect(flows("0")[0]).toMatchObject({ requests: 5, failures: 0, codes: { 200: 5 } });
  expect(flows("14")[0]).toMatchObject({ failures: 5, codes: { "grpc 14": 5 } });
  expect(flows("5")[0]).toMatchObject({ failures: 0, codes: { "grpc 5": 5 } });
});

test("what was counted since: the difference, or all of a proxy that began anew", () => {
  const at = (count: number) => flowsOf(parseSamples(counters({ reporter: "source", codes: { 200: count, 500: 2 } })));
  expect(flowsSince(at(30), at(10))[0]).toMatchObject({ requests: 20, failures: 0, codes: { 200: 20 } });
  expect(flowsSince(at(3), at(10))[0]).toMatchObject({ requests: 5, failures: 2 });
  expect(flowsSince(at(3), [])[0]).toMatchObject({ requests: 5 });
});

const TEXT = `${counters({ reporter: "destination", codes: { 200: 98, 503: 2 } })}${counters({ reporter: "source", from: "web-v1", to: "cart-v1", service: "cart", security: "unknown", codes: { 200: 50 } })}`;

async function shown(
  run: typeof edges,
  args: readonly string[],
  options: Record<string, string> = {},
): Promise<string> {
  await using answers = await answering({ [QUESTION]: TEXT, ...routeCounters, ...policyCounters });
  const io = fakeIo({ cluster: fakeCluster({ objects: [pod("web-v1-1")], portForward: answers.connect }) });
  await run({ args, options: { window: "0", ...options } }, io);
  return io.stdout() || io.stderr();
}

test("edges: who called whom, by which identities, of a namespace or of one workload", async () => {
  const both = await shown(edges, []);
  expect(
    both,
  ).toBe(`FROM             TO             SERVICE     PROTOCOL   SECURED   CLIENT        SERVER      SUCCESS   REQUESTS   RPS   P50   P95    P99
client-v1.shop   web-v1.shop    web.shop    http       mTLS      shop/client   shop/web    98.00%    100        -     5ms   50ms   90ms
web-v1.shop      cart-v1.shop   cart.shop   http       -         shop/web      shop/cart   100.00%   50         -     5ms   50ms   90ms
`);
  expect((await shown(edges, ["cart-v1.shop"])).split("\n")).toHaveLength(3);
  expect(await shown(edges, [], { namespace: "other" })).toBe("No proxy has counted anything.\n");
  await expect(shown(edges, ["svc/web"])).rejects.toThrow('"svc/web" names no workload');
});

test("stat: by workload, pod, service and namespace, with --from and --to", async () => {
  const names = async (what: string, options: Record<string, string> = {}): Promise<readonly string[]> =>
    (await shown(stat, [what], options))
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.split(/ {2,}/).slice(0, 4).join(" "));
  expect(await names("deploy")).toEqual(["web-v1 shop inbound 98.00%"]);
  expect(await names("pod")).toEqual(["web-v1-1 shop inbound 98.00%"]);
  expect(await names("svc")).toEqual(["cart shop inbound 100.00%", "web shop inbound 98.00%"]);
  expect(await names("svc/cart.shop")).toEqual(["cart shop inbound 100.00%"]);
  expect(await names("ns")).toEqual(["shop - inbound 98.00%"]);
  expect(await names("deploy", { to: "cart-v1.shop" })).toEqual(["web-v1 shop outbound 100.00%"]);
  expect(await names("deploy", { from: "nobody.shop" })).toEqual([]);
  await expect(shown(stat, ["planet"])).rejects.toThrow('"planet" is nothing that is counted by');
});

test("stat of routes and policies, by counters that have names alone", async () => {
  expect(await shown(stat, ["route"])).toBe(
    `NAME   HOST                            SUCCESS   REQUESTS   RPS   P50   P95    P99    RETRIES   TIMEOUTS
main   web.shop.svc.cluster.local:80   90.00%    10         -     5ms   50ms   90ms   3         1
`,
  );
  expect(await shown(stat, ["policy"])).toBe(
    `NAME   NAMESPACE   RULE   ALLOWED   DENIED   TRIED
no     shop        1      0         4        0
ok     shop        0      7         0        2
`,
  );
  expect(await shown(stat, ["policy/ok.other"])).toBe("No rule of a policy has decided anything.\n");
});

test("metrics of a gateway are those of what it sends on; of another client nothing is served", async () => {
  await using answers = await answering({
    [QUESTION]: counters({ reporter: "source", from: "front-v1", codes: { 200: 90, 503: 10 } }),
  });
  const told = async (containers: readonly { readonly name: string }[]): Promise<string> => {
    const front = { ...pod("front-v1-1"), spec: { containers } };
    const io = fakeIo({ cluster: fakeCluster({ objects: [front], portForward: answers.connect }) });
    await metrics({ args: ["front-v1.shop"], options: { duration: "0s" } }, io);
    return io.stdout().split("\n")[1] ?? "";
  };
  expect(await told([{ name: "istio-proxy" }])).toMatch(/^front-v1\.shop +- +- +5ms +45ms +90ms$/);
  expect(await told([{ name: "app" }, { name: "istio-proxy" }])).toMatch(/^front-v1\.shop +- +- +- +- +-$/);
});

test("a narrow terminal gets the columns that matter, a pipe all of them", async () => {
  await using answers = await answering({ [QUESTION]: TEXT });
  const cluster = fakeCluster({ objects: [pod("web-v1-1")], portForward: answers.connect });
  const head = async (more: object): Promise<string> => {
    const io = fakeIo({ cluster, ...more });
    await edges({ args: [], options: {} }, io);
    return (io.stdout().split("\n")[0] ?? "").replaceAll(/ +/g, " ");
  };
  const all = "FROM TO SERVICE PROTOCOL SECURED CLIENT SERVER SUCCESS REQUESTS RPS P50 P95 P99";
  expect(await head({ columns: 40 })).toBe(all);
  expect(await head({ columns: 200, isTTY: true })).toBe(all);
  expect(await head({ columns: 80, isTTY: true })).toBe("FROM TO SECURED SUCCESS REQUESTS P99");
});

test("top: a table or a line of JSON per interval, drawn anew on a terminal alone", async () => {
  await using answers = await answering({ [QUESTION]: TEXT });
  const cluster = fakeCluster({ objects: [pod("web-v1-1")], portForward: answers.connect });
  const options = { count: "2", interval: "100ms" };
  const json = fakeIo({ cluster });
  await top({ args: [], options: { ...options, output: "json" } }, json);
  const lines = json
    .stdout()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { edges: unknown[]; seconds: number });
  expect(lines).toHaveLength(2);
  // nothing went on between two askings
  expect(lines.every(({ edges: seen, seconds }) => seen.length === 0 && seconds > 0.05)).toBe(true);
  const piped = fakeIo({ cluster });
  await top({ args: [], options }, piped);
  expect(piped.stdout()).not.toContain("\x1b");
  expect(piped.stdout().match(/^FROM/gm)).toHaveLength(2);
  const terminal = fakeIo({ cluster, isTTY: true, columns: 20 });
  await top({ args: [], options }, terminal);
  expect(terminal.stdout().split("\x1b[H\x1b[J")).toHaveLength(3);
  await expect(top({ args: [], options: { interval: "1ms" } }, piped)).rejects.toThrow("100ms or more");
  await expect(top({ args: [], options: { count: "x" } }, piped)).rejects.toThrow("--count: expected a number");
});

test("graph: boxes by namespace in Mermaid and Graphviz, with what failed", async () => {
  expect(await shown(graph, [])).toBe(`flowchart LR
  subgraph shop
    n0["cart-v1"]
    n1["client-v1"]
    n2["web-v1"]
  end
  n1 -->|"web.shop 100 requests 2.0% failed"| n2
  n2 -->|"cart.shop 50 requests"| n0
`);
  expect(await shown(graph, [], { output: "dot" })).toBe(`digraph mesh {
  rankdir=LR;
  node [shape=box];
  subgraph "cluster_shop" {
    label="shop";
    "shop/cart-v1" [label="cart-v1"];
    "shop/client-v1" [label="client-v1"];
    "shop/web-v1" [label="web-v1"];
  }
  "shop/client-v1" -> "shop/web-v1" [label="web.shop 100 requests 2.0% failed"];
  "shop/web-v1" -> "shop/cart-v1" [label="cart.shop 50 requests"];
}
`);
});

const MESH = `apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ name: http, port: 80 }] }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: web, namespace: shop }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { serviceAccountName: web, containers: [{ name: app, image: x }] }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: friend, namespace: shop }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: friend, namespace: shop }
spec:
  selector: { matchLabels: { app: friend } }
  template:
    metadata: { labels: { app: friend } }
    spec: { serviceAccountName: friend, containers: [{ name: app, image: x }] }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: stranger, namespace: shop }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: stranger, namespace: shop }
spec:
  selector: { matchLabels: { app: stranger } }
  template:
    metadata: { labels: { app: stranger } }
    spec: { serviceAccountName: stranger, containers: [{ name: app, image: x }] }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: friends, namespace: shop }
spec:
  selector: { matchLabels: { app: web } }
  rules: [{ from: [{ source: { serviceAccounts: [friend] } }] }]
`;

test("graph --static: who may call whom by visibility and policies", async () => {
  const edgesOf = async (text: string): Promise<readonly string[]> => {
    const io = fakeIo({ stdin: text });
    await graph({ args: [], options: { static: true, filename: ["-"], output: "json" } }, io);
    const { source, edges: all } = JSON.parse(io.stdout()) as {
      source: string;
      edges: { from: string; to: string; limited?: boolean }[];
    };
    expect(source).toBe("configured");
    return all.map(({ from, to, limited }) => `${from} > ${to}${limited === true ? " in part" : ""}`);
  };
  expect(await edgesOf(MESH)).toEqual(["shop/friend > shop/web"]);
  const read = MESH.replace(
    "rules: [{ from",
    'rules: [{ to: [{ operation: { methods: ["GET"], paths: ["/open"] } }] }, { from',
  );
  expect(await edgesOf(read)).toEqual(["shop/friend > shop/web", "shop/stranger > shop/web in part"]);
});

const header = (key: string, value: string): object => ({ key, value, raw_value: "" });
const address = (ip: string, port: number): object => ({ socket_address: { address: ip, port_value: port } });
const TRACE = {
  http_buffered_trace: {
    request: {
      headers: [
        header(":method", "GET"),
        header(":path", "/a"),
        header(":authority", "web.shop"),
        header("authorization", "Bearer very-secret"),
        header(
          "x-forwarded-client-cert",
          'By=spiffe://d/ns/a/sa/b;URI=spiffe://d/ns/a/sa/other,By=x;Subject="CN=a";URI=spiffe://d/ns/shop/sa/client',
        ),
      ],
      headers_received_time: "2026-11-21T20:24:11.329359Z",
    },
    response: {
      headers: [header(":status", "200"), header("grpc-status", "14")],
      headers_received_time: "2026-11-21T20:24:11.332026Z",
    },
    downstream_connection: { local_address: address("10.0.0.1", 8080), remote_address: address("10.0.0.2", 40_000) },
  },
};

test("a tapped request: whose it is, how long it took, and no header that gives access", () => {
  const target = { pod: "web-1", namespace: "shop", address: "10.0.0.1" };
  const one = tappedRequest(TRACE, target, true);
  expect(one).toMatchObject({
    direction: "inbound",
    method: "GET",
    authority: "web.shop",
    path: "/a",
    status: 200,
    grpcStatus: 14,
    durationMs: 2.667,
    client: "spiffe://d/ns/shop/sa/client",
    source: "10.0.0.2:40000",
  });
  expect(JSON.stringify(one)).not.toContain("very-secret");
  expect(tappedRequest(TRACE, target, false).requestHeaders).toBeUndefined();
  expect(tappedRequest(TRACE, { ...target, address: "10.0.0.2" }, false).direction).toBe("outbound");
});

test("what a tap asks of Envoy, and its stream read in any pieces", () => {
  const matches = (wish: Parameters<typeof tapQuestion>[0]): unknown =>
    (tapQuestion(wish) as { tap_config: { match_config: unknown } }).tap_config.match_config;
  expect(matches({})).toEqual({ any_match: true });
  const method = { http_request_headers_match: { headers: [{ name: ":method", string_match: { exact: "POST" } }] } };
  expect(matches({ method: "post" })).toEqual(method);
  const status = {
    http_response_headers_match: {
      headers: [{ name: ":status", string_match: { safe_regex: { regex: "5[0-9][0-9]" } } }],
    },
  };
  expect(matches({ method: "post", status: "5xx" })).toEqual({ and_match: { rules: [method, status] } });
  const text = ['{\n "a": "}\\n{"\n}\n', '{\n "b": {\n  "c": 1\n }\n}\n'].join("");
  for (const size of [1, 3, 7, text.length]) {
    const pieces = jsonPieces();
    const seen: unknown[] = [];
    for (let at = 0; at < text.length; at += size) seen.push(...pieces(text.slice(at, at + size)));
    expect(seen, `pieces of ${size}`).toEqual([{ a: "}\n{" }, { b: { c: 1 } }]);
  }
});

test("tap: columns or JSON until the count, and in words when the proxy refuses", async () => {
  const body = `${JSON.stringify(TRACE, undefined, 1)}\n`;
  const answer = (status: string, text: string) => (): Duplex => {
    const stream: Duplex = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, done) => {
        stream.push(`HTTP/1.1 ${status}\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
        done();
      },
    });
    return stream;
  };
  const run = async (options: Record<string, string>, portForward: () => Duplex, more = {}): Promise<string> => {
    const io = fakeIo({ cluster: fakeCluster({ objects: [pod("web-1")], portForward }), ...more });
    await tap({ args: ["web-1.shop"], options: { count: "1", ...options } }, io);
    return io.stdout();
  };
  const table = await run({}, answer("200 OK", body));
  expect(table).toBe(`TIME           POD     DIRECTION   STATUS   DURATION     METHOD    FROM                   URL
20:24:11.329   web-1   inbound     200/14   2.7ms        GET       shop/client            web.shop/a
`);
  expect(
    await run({}, answer("200 OK", body), { isTTY: true, columns: 88 }),
  ).toBe(`TIME           DIRECTION   STATUS   DURATION     METHOD    FROM                   URL
20:24:11.329   inbound     200/14   2.7ms        GET       shop/client            web.s…
`);
  expect(JSON.parse(await run({ output: "json" }, answer("200 OK", body)))).toMatchObject({ path: "/a" });
  await expect(run({}, answer("400 Bad Request", "Unknown config id"))).rejects.toThrow(
    "answered 400: Unknown config id",
  );
  await expect(run({ status: "9xx" }, answer("200 OK", ""))).rejects.toThrow("--status: expected a status");
});

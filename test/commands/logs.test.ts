import { expect, test } from "vitest";
import { defaultAccessLogText } from "../../src/base/access-log-format.ts";
import { formatsOf } from "../../src/commands/logs/formats.ts";
import { entryOf } from "../../src/commands/logs/entry.ts";
import { run } from "../../src/commands/logs.ts";
import type { LogTarget } from "../../src/resources/cluster.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";
import { answering } from "../support/pod-answers.ts";

function pod(name: string, podIP: string): KubeObject {
  const labels = { app: name.split("-")[0] ?? "", "pod-template-hash": "h" };
  const ownerReferences = [
    { apiVersion: "apps/v1", kind: "ReplicaSet", name: `${labels.app}-h`, uid: "u", controller: true },
  ];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "shop", labels, ownerReferences },
    status: { phase: "Running", podIP },
  };
}

const WEB: KubeObject = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "shop" },
  spec: { selector: { matchLabels: { app: "web" } } },
};
const OBJECTS = [
  WEB,
  pod("web-1", "10.0.0.1"),
  pod("web-2", "10.0.0.2"),
  pod("cart-1", "10.0.0.3"),
  pod("client-1", "10.0.0.9"),
];

const FAILED =
  '[2026-11-21T06:59:30.100Z] "GET /cart?x=1 HTTP/1.1" 503 UF,URX upstream_reset_before_response_started{remote_connection_failure} - ' +
  '"delayed_connect_error:_111" 0 91 12 - "-" "node" "9f0e-1" "cart:8000" "10.0.0.3:8000" ' +
  "outbound|8000||cart.shop.svc.cluster.local - 10.96.0.3:8000 10.0.0.1:4100 - to-cart\n";
const CAME =
  '[2026-11-21T06:59:30.000Z] "GET / HTTP/1.1" 200 - via_upstream - "-" 0 5 20 19 "-" "node" "9f0e-1" "web" "10.0.0.1:8080" ' +
  "inbound|8080|| 127.0.0.6:1 10.0.0.1:8080 10.0.0.9:5000 outbound_.80_._.web.shop.svc.cluster.local default\n";
const TCP =
  '[2026-11-21T06:50:00.000Z] "- - -" 0 - - - "-" 5 32 13 - "-" "-" "-" "-" "10.0.0.7:9000" ' +
  "outbound|9000||ledger.shop.svc.cluster.local 10.0.0.1:44 127.0.0.1:9000 127.0.0.1:47 - -\n";
const OWN = "2026-11-21T06:00:00Z\tinfo\tready\n";

const LOGS: Readonly<Record<string, readonly string[]>> = {
  "web-1": [OWN, TCP, FAILED.slice(0, 40), FAILED.slice(40)],
  "web-2": [CAME],
};

async function logged(
  name: string,
  options: Readonly<Record<string, string | boolean | readonly string[]>> = {},
  { asked, signal }: { asked?: LogTarget[]; signal?: AbortSignal } = {},
) {
  await using admin = await answering({ "/config_dump": { configs: [] } });
  const logs = (target: LogTarget): readonly string[] => {
    asked?.push(target);
    return LOGS[target.pod] ?? [];
  };
  const cluster = fakeCluster({ objects: OBJECTS, portForward: admin.connect, logs });
  const io = fakeIo({ cluster, ...(signal !== undefined && { signal }) });
  await run({ args: [name], options: { namespace: "shop", output: "text", ...options } }, io);
  return { out: io.stdout(), err: io.stderr() };
}

test("every pod of a workload, by time: who was at the other side, what came of it and why", async () => {
  const { out } = await logged("web");
  expect(out).toBe(
    [
      "06:50:00.000Z web-1 to ledger.shop.svc.cluster.local:9000 TCP 5 bytes in, 32 out 13 ms",
      "06:59:30.000Z web-2 from client.shop GET / 200 20 ms",
      "06:59:30.100Z web-1 to cart.shop.svc.cluster.local:8000 at cart-1.shop GET /cart?x=1 503 UF URX 12 ms " +
        "(no connection to the upstream, no attempt was left: retries, or connection attempts; " +
        "upstream_reset_before_response_started{remote_connection_failure}; delayed_connect_error:_111)",
      "",
    ].join("\n"),
  );
});

test.each([
  [{ status: ["5xx"] }, ["/cart?x=1"]],
  [{ status: [">=200"] }, ["/", "/cart?x=1"]],
  [{ status: ["200-299", "404"] }, ["/"]],
  [{ status: ["<100"] }, [undefined]],
  [{ flag: ["uf"] }, ["/cart?x=1"]],
  [{ flag: ["any"] }, ["/cart?x=1"]],
  [{ route: ["to-*"] }, ["/cart?x=1"]],
  [{ path: ["/cart"] }, ["/cart?x=1"]],
  [{ path: ["/c*"] }, ["/cart?x=1"]],
  [{ peer: ["client.shop"] }, ["/"]],
  [{ peer: ["client"] }, ["/"]],
  [{ peer: ["10.0.0.9"] }, ["/"]],
  [{ peer: ["cart.shop.svc.cluster.local"] }, ["/cart?x=1"]],
  [{ peer: ["cart-1", "ledger.shop"] }, [undefined, "/cart?x=1"]],
  [{ direction: "inbound" }, ["/"]],
])("filter %j leaves the paths %j", async (options, paths) => {
  const { out } = await logged("deploy/web", { ...options, output: "json" });
  const lines = out.split("\n").slice(0, -1);
  expect(lines.map((line) => (JSON.parse(line) as { path?: string }).path)).toEqual(paths);
});

test.each([
  [{ status: ["6xx"] }, "--status: expected"],
  [{ flag: ["XX"] }, 'Envoy has no response flag "XX"'],
  [{ since: "soon" }, "--since: expected"],
  [{ tail: "-1" }, "--tail: expected"],
])("%j is refused", async (options, words) => {
  await expect(logged("web", options)).rejects.toThrow(words);
});

test("a client that a gateway names has no port, and what no chain takes came in", () => {
  const of = (record: object) =>
    entryOf({ namespace: "shop", pod: "web-1" }, { flags: [], others: {}, ...record }, { at: () => undefined });
  expect(of({ upstreamCluster: "inbound|80||", remoteAddress: "203.0.113.7:0" }).peer).toBe("203.0.113.7");
  expect(of({ upstreamCluster: "inbound|80||", remoteAddress: "10.0.0.9:8080" }).peer).toBe("10.0.0.9:8080");
  const refused = of({ details: "filter_chain_not_found", remoteAddress: "10.0.0.9:5000", flags: ["NR"] });
  expect(refused).toMatchObject({
    direction: "inbound",
    peer: "10.0.0.9:5000",
    flagTexts: [expect.stringMatching(/route/)],
  });
});

test("what the API server is asked for, and what is said when nothing is there", async () => {
  const asked: LogTarget[] = [];
  await logged("web-1", { since: "90s", tail: "50" }, { asked });
  expect(asked).toEqual([
    { namespace: "shop", pod: "web-1", container: "istio-proxy", tailLines: 50, sinceSeconds: 90 },
  ]);
  expect((await logged("web-1", { status: ["404"] })).err).toBe("None of 2 lines is as asked for.\n");
  expect((await logged("cart-1")).err).toContain("No line of an access log yet.");
  await expect(logged("nobody")).rejects.toThrow("there is no pod shop/nobody");
});

test("followed lines come as they are written, whole, until Ctrl-C", async () => {
  const stop = new AbortController();
  setImmediate(() => stop.abort());
  const { out } = await logged("web", { follow: true, output: "json" }, { signal: stop.signal });
  const pods = out
    .split("\n")
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { pod: string }).pod);
  expect(pods.toSorted()).toEqual(["web-1", "web-1", "web-2"]);
});

test("a proxy's own configuration tells its formats; defaults come after", () => {
  const listener = {
    name: "virtualOutbound",
    filter_chains: [
      {
        filters: [
          {
            typed_config: {
              "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
              access_log: [
                logger("stream.v3.StdoutAccessLog", { json_format: { code: "%RESPONSE_CODE%" } }),
                logger("stream.v3.StdoutAccessLog", { text_format_source: { inline_string: "%PROTOCOL% x\n" } }),
                logger("file.v3.FileAccessLog", { json_format: { other: "%DURATION%" } }, "/var/log/a"),
                logger("file.v3.FileAccessLog", { json_format: { code: "%RESPONSE_CODE%" } }, "/dev/stdout"),
              ],
            },
          },
        ],
      },
    ],
  };
  const type = "type.googleapis.com/envoy.admin.v3.ListenersConfigDump";
  const dump = { configs: [{ "@type": type, static_listeners: [{ listener }] }] };
  const formats = formatsOf(dump);
  expect(formats.slice(0, 2)).toEqual([{ json: { code: "%RESPONSE_CODE%" } }, { text: "%PROTOCOL% x" }]);
  expect(formats).toContainEqual({ text: defaultAccessLogText() });
  expect(JSON.stringify(formats)).not.toContain("other");
});

function logger(type: string, log_format: unknown, path?: string): unknown {
  return { typed_config: { "@type": `type.googleapis.com/envoy.extensions.access_loggers.${type}`, log_format, path } };
}

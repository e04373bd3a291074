import fc from "fast-check";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { defaultAccessLogJson, defaultAccessLogText, formatPieces } from "../../src/base/access-log-format.ts";
import { accessLogDirection, accessLogReader, DEFAULT_ACCESS_LOG_FORMATS } from "../../src/base/access-log-line.ts";
import { RESPONSE_FLAGS, responseFlagText } from "../../src/base/response-flags.ts";

const read = accessLogReader(DEFAULT_ACCESS_LOG_FORMATS);

const OUTBOUND =
  '[2026-11-21T20:00:00.123Z] "GET /cart?x=1 HTTP/1.1" 503 UF,URX upstream_reset_before_response_started{connection_failure} - ' +
  '"delayed_connect_error:_Connection_refused" 0 91 12 - "10.0.0.9" "curl/8.1 (x86; \\"odd\\")" "9f0e-1" "cart.shop:8080" ' +
  '"10.0.0.7:8080" outbound|8080|v1|cart.shop.svc.cluster.local - 10.2.0.4:8080 10.0.0.3:41000 - cart-route';

test("a line of the default text has every field", () => {
  expect(read(OUTBOUND)).toEqual({
    startTime: "2026-11-21T20:00:00.123Z",
    method: "GET",
    path: "/cart?x=1",
    protocol: "HTTP/1.1",
    status: 503,
    flags: ["UF", "URX"],
    details: "upstream_reset_before_response_started{connection_failure}",
    transportFailure: "delayed_connect_error:_Connection_refused",
    bytesReceived: 0,
    bytesSent: 91,
    duration: 12,
    forwardedFor: "10.0.0.9",
    userAgent: 'curl/8.1 (x86; \\"odd\\")',
    requestId: "9f0e-1",
    authority: "cart.shop:8080",
    upstreamHost: "10.0.0.7:8080",
    upstreamCluster: "outbound|8080|v1|cart.shop.svc.cluster.local",
    localAddress: "10.2.0.4:8080",
    remoteAddress: "10.0.0.3:41000",
    routeName: "cart-route",
    others: {},
  });
});

test("a connection's line and an object of the default JSON format are read alike", () => {
  const tcp =
    '[2026-11-21T20:00:00.123Z] "- - -" 0 UH - - "-" 5 0 3 - "-" "-" "-" "-" "-" outbound|5432||db.shop.svc.cluster.local - 10.2.0.5:5432 10.0.0.3:41002 db -';
  const fields = Object.fromEntries(Object.keys(defaultAccessLogJson()).map((key) => [key, null]));
  const json = JSON.stringify({
    ...fields,
    start_time: "2026-11-21T20:00:00.123Z",
    response_code: 0,
    response_flags: "UH",
    bytes_received: 5,
    bytes_sent: 0,
    duration: 3,
    upstream_cluster: "outbound|5432||db.shop.svc.cluster.local",
    downstream_local_address: "10.2.0.5:5432",
    downstream_remote_address: "10.0.0.3:41002",
    requested_server_name: "db",
  });
  expect(read(tcp)).toMatchObject({ status: 0, flags: ["UH"], bytesReceived: 5, serverName: "db" });
  expect(read(json)).toEqual(read(tcp));
});

test("formats of a mesh: operators with lengths and arguments, literals, nested objects", () => {
  const custom = accessLogReader([
    { text: "%START_TIME(%Y/%m/%d)% 100%% %REQ(X-TENANT?X-ORG):8% <%RESPONSE_FLAGS%> %DURATION%ms\n" },
    { json: { log: { code: "%RESPONSE_CODE%", what: "%REQ(:METHOD)% %REQ(:PATH)%" }, mesh: "blue", list: ["x"] } },
  ]);
  expect(custom("2026/11/21 100% acme corp <DC> 7ms")).toEqual({
    startTime: "2026/11/21",
    flags: ["DC"],
    duration: 7,
    others: { "REQ(X-TENANT?X-ORG)": "acme corp" },
  });
  expect(custom('{"log":{"code":200,"what":"GET /a"},"mesh":"blue","list":["x"]}')).toEqual({
    status: 200,
    method: "GET",
    path: "/a",
    flags: [],
    others: { mesh: "blue", "list.0": "x" },
  });
});

test.each([
  "2026-11-21T20:00:00Z\tinfo\tagent started",
  '{"level":"info","time":"2026-11-21T20:00:00Z","msg":"ready"}',
  "{",
  "",
])("%j is no line of an access log", (line) => {
  expect(read(line)).toBeUndefined();
});

test("what callers write into their headers shifts no other field", () => {
  // what a header can hold: anything but line ends; also what looks like the rest of a line
  const header = fc.oneof(
    fc.string({ minLength: 1, maxLength: 12 }).filter((text) => /^[\x20-\x7e]+$/.test(text)),
    fc.constantFrom('" "', 'a" "b', '" "-" "-', "HTTP/1.1"),
  );
  const token = fc.stringMatching(/^[a-z0-9./_|:]{1,12}$/);
  fc.assert(
    fc.property(
      fc.record({
        "REQ(USER-AGENT)": header,
        "REQ(X-ENVOY-ORIGINAL-PATH?:PATH)": token.map((text) => `/${text}`),
        UPSTREAM_HOST: token,
        UPSTREAM_CLUSTER_RAW: token,
        RESPONSE_FLAGS: fc.constantFrom("-", "UF", "UF,URX"),
        DURATION: fc.nat().map(String),
        ROUTE_NAME: token,
      }),
      (given) => {
        const values = given as Readonly<Record<string, string>>;
        const line = formatPieces(defaultAccessLogText())
          .map((piece) => {
            if (typeof piece === "string") return piece;
            return (
              values[piece.argument === undefined ? piece.name : `${piece.name}(${piece.argument})`] ??
              (piece.name === "PROTOCOL" ? "HTTP/2" : piece.name === "REQ" ? "x" : "-")
            );
          })
          .join("");
        expect(read(line)).toMatchObject({
          path: given["REQ(X-ENVOY-ORIGINAL-PATH?:PATH)"],
          upstreamHost: given.UPSTREAM_HOST,
          upstreamCluster: given.UPSTREAM_CLUSTER_RAW,
          duration: Number(given.DURATION),
          routeName: given.ROUTE_NAME,
        });
      },
    ),
  );
});

test("a long line that fits nowhere is refused fast", () => {
  const begin = process.cpuUsage().user;
  expect(read(`[x] "GET /${'" "'.repeat(20_000)}`)).toBeUndefined();
  expect(process.cpuUsage().user - begin).toBeLessThan(2_000_000);
});

test.each([
  ["inbound|8080||", "inbound"],
  ["InboundPassthroughCluster", "inbound"],
  ["outbound|80||a.b", "outbound"],
  ["outbound_.80_._.a.b", "outbound"],
  ["BlackHoleCluster", "outbound"],
  [undefined, undefined],
])("a request to %s went %s", (upstreamCluster, direction) => {
  expect(accessLogDirection({ flags: [], others: {}, ...(upstreamCluster !== undefined && { upstreamCluster }) })).toBe(
    direction,
  );
});

test("a connection that no chain took came in", () => {
  const line =
    '[2026-11-22T03:00:00.000Z] "- - -" 0 NR filter_chain_not_found - "-" 0 0 0 - "-" "-" "-" "-" "-" - - 10.0.0.1:80 10.0.0.2:999 - -';
  const record = read(line);
  expect(record).toMatchObject({ flags: ["NR"], details: "filter_chain_not_found", remoteAddress: "10.0.0.2:999" });
  expect(record && accessLogDirection(record)).toBe("inbound");
});

test("every flag that Envoy's own filter knows has words", () => {
  const proto = readFileSync(
    "node_modules/@grpc/grpc-js-xds/deps/envoy-api/envoy/config/accesslog/v3/accesslog.proto",
    "utf8",
  );
  const known = [...proto.matchAll(/^\s+in: "([A-Z]+)"/gm)].map(([, flag]) => flag ?? "");
  expect(known.length).toBeGreaterThan(25);
  expect(known.filter((flag) => responseFlagText(flag) === undefined)).toEqual([]);
  expect(Object.keys(RESPONSE_FLAGS).filter((flag) => !known.includes(flag))).toEqual(["UDO"]);
});

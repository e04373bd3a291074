import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { FORMAT_OPERATORS, formatProblem } from "../../../src/base/format-operators.ts";
import { readProxyExpression } from "../../../src/base/proxy-expression.ts";
import { CEL_FUNCTIONS, formattersOf } from "../../../src/xds/log-format.ts";
import { testEnvoy } from "../../support/envoy/binary.ts";

// What validation takes is what Envoy takes: operators of access log formats, and expressions.
const folder = mkdtempSync(join(tmpdir(), "telemetry-words-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const binary = await testEnvoy();
const TYPE = "type.googleapis.com/envoy.extensions.";

/** Whether Envoy takes access logs with these formats and filters. */
function isTaken(formats: readonly string[], filters: readonly string[] = []): boolean {
  const line = (text: string) => ({
    name: "line",
    typed_config: {
      "@type": `${TYPE}access_loggers.stream.v3.StdoutAccessLog`,
      log_format: { text_format_source: { inline_string: text }, formatters: formattersOf(text) },
    },
  });
  const filtered = filters.map((expression) => ({
    ...line("x"),
    filter: {
      extension_filter: {
        name: "cel",
        typed_config: {
          "@type": `${TYPE}access_loggers.filters.cel.v3.ExpressionFilter`,
          expression,
          cel_config: CEL_FUNCTIONS,
        },
      },
    },
  }));
  const proxy = {
    "@type": `${TYPE}filters.network.tcp_proxy.v3.TcpProxy`,
    stat_prefix: "x",
    cluster: "c",
    access_log: [...formats.map(line), ...filtered],
  };
  const address = { socket_address: { address: "127.0.0.1", port_value: 1 } };
  const listeners = [{ name: "l", address, filter_chains: [{ filters: [{ name: "tcp", typed_config: proxy }] }] }];
  const file = join(folder, "config.json");
  writeFileSync(file, JSON.stringify({ static_resources: { listeners, clusters: [{ name: "c" }] } }));
  return spawnSync(binary, ["--mode", "validate", "-c", file, "-l", "off"]).status === 0;
}

const ARGUMENTS: Readonly<Record<string, string>> = {
  CEL: "request.size + 1",
  COALESCE: '{"operators":["PROTOCOL"]}',
  COMMON_DURATION: "DS_RX_BEG:DS_RX_END:ms",
  METADATA: "ROUTE:a:b",
  FILTER_STATE: "a:PLAIN",
  UPSTREAM_FILTER_STATE: "a:PLAIN",
};

test("Envoy knows every operator that a format may have", () => {
  const formats = [...FORMAT_OPERATORS].map(([name, needsArgument]) =>
    needsArgument ? `%${name}(${ARGUMENTS[name] ?? "a"})%` : `%${name}%`,
  );
  expect(formats.filter((format) => formatProblem(format) !== undefined)).toEqual([]);
  if (!isTaken(formats)) expect(formats.filter((format) => !isTaken([format]))).toEqual([]);
});

test.each(["%NO_SUCH%", "%REQ%", "100 % sure", "%CEL(nosuch(1))%", "%METADATA%"])(
  "a format that neither takes: %s",
  (format) => {
    expect(formatProblem(format)).toBeDefined();
    expect(isTaken([format])).toBe(false);
  },
);

const GOOD = [
  'string(response.code).startsWith("5")',
  'request.headers["x-a"] + "!" == "b!"',
  "has(request.headers) ? size(request.path) > 3 : false",
  'request.url_path.split("/")[1].lowerAscii().replace("a", "b").upperAscii() in ["A"]',
  'request.path.matches("^/a.*") || matches(request.host, "b") || request.path.endsWith("c") || request.path.contains("d")',
  'int("5") + int(double(1)) > 4 && uint(1) < 5u && bool("true") && type(1) == int && dyn(1) == 1',
  'timestamp("2024-01-01T00:00:00Z").getHours() < 5 && request.time.getDayOfWeek("UTC") > 0 && request.duration > duration("1s")',
  'request.path.trim().reverse().substring(1, 2).charAt(0) == ["a"].join(",") && "a".indexOf("a", 0) == "a".lastIndexOf("a")',
  'bytes("a") == b"a" && {"a": 1}.a == 1',
];

test("expressions that both take", () => {
  expect(GOOD.map(readProxyExpression).filter((read) => "problem" in read)).toEqual([]);
  expect(GOOD.filter((expression) => !isTaken([], [expression]))).toEqual([]);
});

test.each([
  "nosuch(1)",
  "request.headers.exists(a, a == 'b')",
  "[1].map(a, a + 1) == [2]",
  "request.path.quote() == ''",
  "request.path.startsWith()",
  "size(1, 2) > 1",
  'has(request.headers["a"])',
  'request.path.matches("(")',
  "99999999999999999999 > 1",
  "a ? b",
])("an expression that neither takes: %s", (expression) => {
  expect(readProxyExpression(expression)).toHaveProperty("problem");
  expect(isTaken([], [expression])).toBe(false);
});

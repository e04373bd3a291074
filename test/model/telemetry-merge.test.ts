import { expect, test } from "vitest";
import { mergedLogs, mergedMetrics, mergedSpans, reportingInterval } from "../../src/model/telemetry-merge.ts";
import type { TelemetrySpec } from "../../src/model/telemetry.ts";

const config = (raw: Readonly<Record<string, unknown>> = {}) => ({ raw });
const metrics = (...overrides: readonly object[]): TelemetrySpec => ({ metrics: [{ overrides }] }) as TelemetrySpec;
const logs = (...accessLogging: readonly object[]): TelemetrySpec => ({ accessLogging }) as TelemetrySpec;
const named = (...names: readonly string[]) => ({ providers: names.map((name) => ({ name })) });

test("metrics are as they are without any word of them", () => {
  expect(mergedMetrics([], config(), "CLIENT")).toBeUndefined();
  expect(mergedMetrics([logs({})], config({ defaultProviders: { tracing: ["x"] } }), "SERVER")).toBeUndefined();
});

test("metrics go to Prometheus alone: who names another provider has none", () => {
  expect(mergedMetrics([], config({ defaultProviders: { metrics: [] } }), "CLIENT")).toBe("none");
  const extensionProviders = [{ name: "own", prometheus: {} }];
  expect(mergedMetrics([{ metrics: [named("stackdriver")] }], config(), "CLIENT")).toBe("none");
  expect(mergedMetrics([{ metrics: [named("OWN")] }], config({ extensionProviders }), "CLIENT")).toBeUndefined();
});

test("overrides add up label by label, the narrowest last, for their side alone", () => {
  const specs = [
    metrics({ match: { metric: "REQUEST_COUNT" }, tagOverrides: { a: { value: "'wide'" }, b: { value: "'wide'" } } }),
    metrics({
      match: { metric: "REQUEST_COUNT", mode: "SERVER" },
      tagOverrides: { b: { operation: "REMOVE" }, c: { value: "x" } },
    }),
  ];
  expect(mergedMetrics(specs, config(), "CLIENT")).toEqual({ REQUEST_COUNT: { tags: { a: "'wide'", b: "'wide'" } } });
  expect(mergedMetrics(specs, config(), "SERVER")).toEqual({
    REQUEST_COUNT: { tags: { a: "'wide'", b: null, c: "x" } },
  });
});

test("an override of a wider Telemetry for another provider is not this one's", () => {
  const extensionProviders = [
    { name: "one", prometheus: {} },
    { name: "two", prometheus: {} },
  ];
  const wide = { metrics: [{ ...named("one"), overrides: [{ disabled: true }] }] } as TelemetrySpec;
  const narrow = { metrics: [named("two")] } as TelemetrySpec;
  expect(mergedMetrics([wide, narrow], config({ extensionProviders }), "CLIENT")).toBeUndefined();
});

test("all metrics off, until a later word of one of them; a metric by its own name", () => {
  const off = metrics({ disabled: true });
  expect(mergedMetrics([off], config(), "CLIENT")).toBe("none");
  const on = metrics({ match: { customMetric: "istio_request_bytes" }, disabled: false });
  expect(mergedMetrics([off, on], config(), "CLIENT")).toBeUndefined();
  expect(
    mergedMetrics([metrics({ match: { customMetric: "request_bytes" }, disabled: true })], config(), "CLIENT"),
  ).toEqual({
    REQUEST_SIZE: "off",
  });
  expect(
    mergedMetrics([metrics({ match: { customMetric: "cups" }, disabled: true })], config(), "CLIENT"),
  ).toBeUndefined();
});

test("logs go where the narrowest says; nothing said is the mesh's file", () => {
  expect(mergedLogs([], config(), "CLIENT")).toBeUndefined();
  expect(mergedLogs([], config({ defaultProviders: { accessLogging: ["envoy"] } }), "CLIENT")).toEqual([
    { provider: "envoy", disabled: false, filter: undefined },
  ]);
  const specs = [logs({ ...named("a"), filter: { expression: "x" } }), logs(named("b", "c"))];
  expect(mergedLogs(specs, config(), "SERVER")?.map(({ provider }) => provider)).toEqual(["b", "c"]);
});

test("an entry without providers keeps those of the wider one, with their filter; for one side alone it says nothing of the other", () => {
  const wide = logs({ ...named("a"), filter: { expression: "x" } });
  expect(mergedLogs([wide, logs({ disabled: true })], config(), "CLIENT")).toEqual([
    { provider: "a", disabled: true, filter: "x" },
  ]);
  expect(mergedLogs([logs({ ...named("a"), match: { mode: "CLIENT" } })], config(), "SERVER")).toBeUndefined();
});

test("spans: field by field, the narrowest last; a side that is not meant keeps the wider one's", () => {
  const wide = {
    tracing: [{ ...named("a"), randomSamplingPercentage: 5, customTags: { x: { literal: { value: "1" } } } }],
  };
  const narrow = { tracing: [{ match: { mode: "SERVER" }, randomSamplingPercentage: 0, disableSpanReporting: null }] };
  const specs = [wide, narrow] as unknown as readonly TelemetrySpec[];
  expect(mergedSpans(specs, config(), "CLIENT")).toMatchObject({ provider: "a", randomSamplingPercentage: 5 });
  expect(mergedSpans(specs, config(), "SERVER")).toEqual({
    provider: "a",
    randomSamplingPercentage: 0,
    customTags: { x: { literal: { value: "1" } } },
  });
  expect(mergedSpans([], config(), "CLIENT")).toBeUndefined();
  expect(mergedSpans([], config({ defaultProviders: { tracing: ["a", "b"] } }), "CLIENT")).toEqual({ provider: "a" });
});

test("bytes of open connections are counted as often as the narrowest says that gives a time, at most once a second", () => {
  const every = (time: string, ...more: readonly string[]): TelemetrySpec =>
    ({ metrics: [{ reportingInterval: time, ...(more.length === 0 ? {} : named(...more)) }] }) as TelemetrySpec;
  expect(reportingInterval([], config())).toBeUndefined();
  expect(reportingInterval([every("20s")], config())).toBe(20_000);
  expect(reportingInterval([every("20s"), every("2s"), metrics({})], config())).toBe(2_000);
  expect(reportingInterval([every("100ms")], config())).toBe(1_000);
  expect(reportingInterval([every("2s", "stackdriver")], config())).toBeUndefined();
});

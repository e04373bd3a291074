import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mergedMetrics } from "../../src/model/telemetry-merge.ts";
import type { TelemetrySpec } from "../../src/model/telemetry.ts";
import { parseYaml } from "../../src/resources/yaml-plain.ts";

test("the sample of lean metrics: no sizes, and ten labels less of all that is left", () => {
  const file = join(import.meta.dirname, "../../samples/telemetry/lean-metrics.yaml");
  const { spec } = parseYaml(readFileSync(file, "utf8")) as { readonly spec: TelemetrySpec };
  for (const side of ["CLIENT", "SERVER"] as const) {
    const changes = mergedMetrics([spec], { raw: {} }, side);
    expect(changes).toMatchObject({ REQUEST_SIZE: "off", RESPONSE_SIZE: "off" });
    const { REQUEST_COUNT, TCP_SENT_BYTES, GRPC_REQUEST_MESSAGES } = changes as Exclude<
      typeof changes,
      "none" | undefined
    >;
    for (const change of [REQUEST_COUNT, TCP_SENT_BYTES, GRPC_REQUEST_MESSAGES]) {
      const { tags } = change as { readonly tags: Readonly<Record<string, unknown>> };
      expect(Object.keys(tags)).toHaveLength(10);
      expect(new Set(Object.values(tags))).toEqual(new Set([null]));
    }
  }
});

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { gatewayApiStatus } from "../../src/compile/gateway-api/conditions.ts";
import { createModel } from "../../src/model/model.ts";
import { worldFromObjects } from "../../src/resources/files-world.ts";
import { toYaml } from "../../src/resources/yaml-plain.ts";
import { readCase } from "../support/case-findings.ts";
import { expectGolden, expectNoStaleGoldens } from "../support/golden.ts";

const folder = join(import.meta.dirname, "testdata/gateway-api");
const cases = readdirSync(folder)
  .filter((file) => file.endsWith(".in.yaml"))
  .map((file) => file.slice(0, -".in.yaml".length));

/** One line for each condition, grouped by object: what `kubectl describe` would show. */
function statusText(path: string, knows?: Parameters<typeof gatewayApiStatus>[1]): string {
  const model = createModel(worldFromObjects(readCase(path).objects));
  return toYaml(gatewayApiStatus(model, knows));
}

test.each(cases)("status of %s", (name) => {
  expectGolden(join(folder, `${name}.out.yaml`), statusText(join(folder, `${name}.in.yaml`)));
});

test("no golden without its case", () => {
  expectNoStaleGoldens(
    folder,
    cases.flatMap((name) => [`${name}.in.yaml`, `${name}.out.yaml`]),
  );
});

test("what files alone do not say is Unknown, and never False", () => {
  const text = statusText(join(folder, "routes.in.yaml"), () => false);
  expect(text).toContain("reason: Pending");
  expect(text).not.toContain("BackendNotFound");
  expect(text).toContain("reason: NoMatchingListenerHostname");
});

test("status does not depend on the order of objects", () => {
  const { objects } = readCase(join(folder, "routes.in.yaml"));
  const status = (order: typeof objects): unknown => gatewayApiStatus(createModel(worldFromObjects(order)));
  expect(status(objects.toReversed())).toEqual(status(objects));
});

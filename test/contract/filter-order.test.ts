import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CLUSTER_FEATURES as COMPILED_CLUSTERS } from "../../src/compile/cluster-features/order.ts";
import { ROUTE_FEATURES as COMPILED } from "../../src/compile/route-features/order.ts";
import { ACCESS_LOGGERS } from "../../src/xds/access-loggers/order.ts";
import { CLUSTER_FEATURES } from "../../src/xds/cluster-features/order.ts";
import { HTTP_FILTERS } from "../../src/xds/filters/order.ts";
import { LISTENER_FILTERS } from "../../src/xds/listener-filters/order.ts";
import { NETWORK_FILTERS } from "../../src/xds/network-filters/order.ts";
import { ROUTE_FEATURES } from "../../src/xds/route-features/order.ts";

// Every filter, route feature and access logger is a file that exports one constant and a line of its folder's order.ts, and nothing else.
test.each([
  ["xds/access-loggers", ACCESS_LOGGERS],
  ["xds/cluster-features", CLUSTER_FEATURES],
  ["xds/filters", HTTP_FILTERS],
  ["xds/listener-filters", LISTENER_FILTERS],
  ["xds/network-filters", NETWORK_FILTERS],
  ["xds/route-features", ROUTE_FEATURES],
  ["compile/cluster-features", COMPILED_CLUSTERS],
  ["compile/route-features", COMPILED],
] as const)("%s: the list is the folder", async (folder, list) => {
  const path = join(import.meta.dirname, "../../src", folder);
  const units = readdirSync(path).filter((name) => name !== "order.ts" && name !== "types.ts");
  const exported = await Promise.all(
    units.map(async (unit) => {
      const module = (await import(join(path, unit))) as Record<string, unknown>;
      expect(Object.keys(module), `${unit} exports one constant`).toHaveLength(1);
      const [name, constant] = Object.entries(module)[0] ?? [];
      expect(name, `${unit} exports its name`).toBe(camel(unit));
      return constant;
    }),
  );
  expect(new Set<unknown>(list)).toEqual(new Set(exported));
  expect(list).toHaveLength(units.length);
});

test("what compile makes for a route is what xds reads, each key by one file", () => {
  const made = COMPILED.map(({ key }) => key);
  const read = [...ROUTE_FEATURES.map(({ key }) => key), ...HTTP_FILTERS.flatMap(({ key }) => key ?? [])];
  expect(read.toSorted()).toEqual(made.toSorted());
  expect(new Set(read).size).toBe(read.length);
});

function camel(file: string): string {
  return file.replace(/\.ts$/, "").replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

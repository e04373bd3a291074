import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ACCESS_LOGGERS } from "../../src/xds/access-loggers/order.ts";
import { HTTP_FILTERS } from "../../src/xds/filters/order.ts";
import { LISTENER_FILTERS } from "../../src/xds/listener-filters/order.ts";
import { NETWORK_FILTERS } from "../../src/xds/network-filters/order.ts";

// Every filter and access logger is a file that exports one constant and a line of its folder's order.ts, and nothing else.
test.each([
  ["access-loggers", ACCESS_LOGGERS],
  ["filters", HTTP_FILTERS],
  ["listener-filters", LISTENER_FILTERS],
  ["network-filters", NETWORK_FILTERS],
] as const)("%s: the list is the folder", async (folder, list) => {
  const path = join(import.meta.dirname, "../../src/xds", folder);
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

function camel(file: string): string {
  return file.replace(/\.ts$/, "").replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

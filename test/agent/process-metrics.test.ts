import { expect, test } from "vitest";
import { createExposition } from "../../src/agent/exposition.ts";
import { addProcessMetrics, processUse } from "../../src/agent/process-metrics.ts";

test("fields of /proc/PID/stat are counted behind the name, which may hold blanks and brackets", () => {
  const fields = Array.from({ length: 50 }, (_, index) => String(index + 3));
  const use = processUse(7, (file) => {
    expect(file).toBe("/proc/7/stat");
    return `7 (wrk:main) (x y) ${fields.join(" ")}\n`;
  });
  // overall fields 14 and 15 in hundredths of a second, field 24 in pages
  expect(use).toEqual({ cpuSeconds: 0.29, residentBytes: 24 * 4096 });
});

test("a process that is gone has used nothing that can be told", () => {
  expect(processUse(2 ** 30)).toBeUndefined();
});

test.runIf(process.platform === "linux")("a process of this machine agrees with what Node tells of itself", () => {
  const use = processUse(process.pid);
  const { user, system } = process.cpuUsage();
  expect(Math.abs((use?.cpuSeconds ?? 0) - (user + system) / 1e6)).toBeLessThan(0.5);
  expect(use?.residentBytes).toBeGreaterThan(10e6);
});

test("Envoy's part is told while Envoy runs", () => {
  const all = createExposition();
  let pid: number | undefined;
  addProcessMetrics(all, { version: "1.2.3", envoyPid: () => pid });
  const names = (): string[] => [...all.text().matchAll(/^istio_agent_envoy_\w+(?= )/gm)].map(([name]) => name);
  expect(names()).toEqual([]);
  pid = process.pid;
  expect(names()).toEqual(["istio_agent_envoy_cpu_seconds_total", "istio_agent_envoy_resident_memory_bytes"]);
  expect(all.text()).toMatch(/^istio_agent_process_cpu_seconds_total \d/m);
});

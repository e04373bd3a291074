import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { renderAddon } from "../../../src/install/addons.ts";
import { parseYaml } from "../../../src/resources/yaml-plain.ts";
import { readFileSync } from "node:fs";
import { missingPackages, prometheusPrograms } from "../../support/prometheus/prometheus.ts";

// Recording rules and alerts of the addon prometheus, by Prometheus' own promtool.
const run = promisify(execFile);
const skip = process.env["CI"] !== "true" && missingPackages() !== undefined;
const cases = join(import.meta.dirname, "testdata/rules.yaml");

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert?: string; readonly record?: string }[] }[];
}

let folder: string;
let promtool: string;

beforeAll(async () => {
  if (skip) return;
  ({ promtool } = await prometheusPrograms());
  folder = mkdtempSync(join(tmpdir(), "meshctl-rules-"));
  const config = renderAddon("prometheus", { namespace: "istio-system" }, { managed: false }).find(
    ({ kind }) => kind === "ConfigMap",
  );
  for (const [name, text] of Object.entries(config?.["data"] as Record<string, string>))
    writeFileSync(join(folder, name), text);
  copyFileSync(cases, join(folder, "cases.yaml"));
});
afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

function rulesOf(): Rules["groups"][number]["rules"] {
  return (parseYaml(readFileSync(join(folder, "rules.yaml"), "utf8")) as Rules).groups.flatMap(({ rules }) => rules);
}

test.skipIf(skip)("promtool takes the rules", async () => {
  const { stdout } = await run(promtool, ["check", "rules", "--lint=all", "--lint-fatal", "rules.yaml"], {
    cwd: folder,
  });
  expect(stdout).toContain(`SUCCESS: ${rulesOf().length} rules found`);
});

test.skipIf(skip)("they say what their cases expect", async () => {
  const { stdout } = await run(promtool, ["test", "rules", "cases.yaml"], { cwd: folder }).catch(
    ({ stdout: out, stderr }: { stdout: string; stderr: string }) => {
      throw new Error(`${out}${stderr}`);
    },
  );
  expect(stdout).toContain("SUCCESS");
});

test.skipIf(skip)("every rule has a case", () => {
  const text = readFileSync(cases, "utf8");
  for (const { alert, record } of rulesOf()) expect(text).toContain(alert ?? record);
});

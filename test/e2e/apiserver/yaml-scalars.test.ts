import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { SCALARS } from "../../resources/testdata/scalars.ts";
import { kubeAssets } from "../../support/kube/apiserver.ts";

const run = promisify(execFile);

test("real kubectl reads every scalar of the list as the list says", async () => {
  const kubectl = join(await kubeAssets(), "kubectl");
  const scratch = await mkdtemp(join(tmpdir(), "meshctl-yaml-"));
  try {
    const file = join(scratch, "scalars.yaml");
    const lines = SCALARS.map(([text], index) => `k${index}: ${text}`);
    await writeFile(file, `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n${lines.join("\n")}\n`);
    const args = ["label", "--local", "--dry-run=client", "-o", "json", "-f", file, "x=y"];
    const { stdout } = await run(kubectl, args, { env: { KUBECONFIG: "/dev/null" } });
    const read = JSON.parse(stdout) as Record<string, unknown>;
    // kubectl prints no -0
    expect(SCALARS.map(([text], index) => [text, read[`k${index}`]])).toEqual(
      SCALARS.map(([text, value]) => [text, value]),
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
});

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openScenario, root } from "../../../scripts/scenario/context.ts";
import { MAIN_JOB_WITH_UPGRADE, type Step } from "../../../scripts/scenario/steps.ts";
import { insight } from "../../../scripts/scenario/steps/insight.ts";
import { type RealNode, startNode } from "../../support/kube/node.ts";
import { everyReader } from "../../support/readers/step.ts";
import { waitFor } from "../../support/wait.ts";

// The main job on a real single-node Kubernetes, with images built from this repository without an engine or a registry. The
// steps are those of the demo.

const run = promisify(execFile);
let node: RealNode;
let scenario: Awaited<ReturnType<typeof openScenario>>;
const said: string[] = [];
let archives: readonly string[] = [];

beforeAll(async () => {
  const { stdout } = await run(process.execPath, [join(root, "images/build.mjs"), "--test"], {
    cwd: root,
    maxBuffer: 1 << 24,
  });
  archives = stdout.trim().split("\n");
  expect(archives).toHaveLength(4);
  node = await startNode({ images: [], index: 7 });
  scenario = await openScenario(node.kubeconfig, (text) => said.push(text));
});

afterAll(async () => {
  await scenario?.close();
  await node?.stop();
});

const IMAGE_CHECKS = ["--check", "images-on-nodes", "--check", "images-on-every-node"];

test("Images: one archive for a node without a network; before it is there precheck says which two commands bring it", async () => {
  const bundle = join(scenario.work, "mesh-images.tar");
  await scenario.meshctl(["images", "bundle", "--out", bundle, ...archives]);
  await scenario.meshctl(["images", "verify", bundle]);
  await waitFor(async () => (await listedOnNode()).length > 0, {
    what: "the node to list its images",
    timeoutMs: 60_000,
  });
  const without = await scenario.meshctl(["precheck", ...IMAGE_CHECKS], { expect: 1 });
  expect(without.stdout).toContain("meshctl images load BUNDLE");
  expect(without.stdout).toContain("meshctl images push REGISTRY BUNDLE");
  const loaded = await node.enter([process.execPath, join(root, "bin/meshctl.js"), "images", "load", bundle]);
  expect(loaded.stdout.match(/loaded with ctr/g)).toHaveLength(4);
  await scenario.meshctl(["precheck", "--wait", "--timeout", "90s", ...IMAGE_CHECKS]);
  await scenario.meshctl(["images", "list", "--profile", "demo", "--nodes", "--from", bundle]);
});

async function listedOnNode(): Promise<readonly unknown[]> {
  const nodes = await scenario.cluster.list({ apiVersion: "v1", kind: "Node" });
  return nodes.flatMap(({ status }) => (status as { images?: readonly unknown[] } | undefined)?.images ?? []);
}

const looked = MAIN_JOB_WITH_UPGRADE.indexOf(insight) + 1;
const readers: Step = {
  title: "Every command that reads says the same of the mesh, of its bug report, of a dump and over xDS",
  run: everyReader,
};
const STEPS = [...MAIN_JOB_WITH_UPGRADE.slice(0, looked), readers, ...MAIN_JOB_WITH_UPGRADE.slice(looked)];

// One test for each step; when a step fails its error carries what the commands printed.
test.each(STEPS.map((step) => [step.title, step] as const))("%s", async (title, step) => {
  await step.run(scenario).catch((error: unknown) => {
    throw new Error(`${title}: ${String(error)}\n${said.slice(-60).join("\n")}`, { cause: error });
  });
});

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openScenario, root } from "../../../scripts/scenario/context.ts";
import { MAIN_JOB_WITH_UPGRADE } from "../../../scripts/scenario/steps.ts";
import { type RealNode, startNode } from "../../support/kube/node.ts";

// The main job on a real single-node Kubernetes, with images built from this repository without an engine or a registry. The
// steps are those of the demo.

const run = promisify(execFile);
let node: RealNode;
let scenario: Awaited<ReturnType<typeof openScenario>>;
const said: string[] = [];

beforeAll(async () => {
  const { stdout } = await run(process.execPath, [join(root, "images/build.mjs"), "--test"], {
    cwd: root,
    maxBuffer: 1 << 24,
  });
  const images = stdout.trim().split("\n");
  expect(images).toHaveLength(4);
  node = await startNode({ images, index: 7 });
  scenario = await openScenario(node.kubeconfig, (text) => said.push(text));
});

afterAll(async () => {
  await scenario?.close();
  await node?.stop();
});

// One test for each step; when a step fails its error carries what the commands printed.
test.each(MAIN_JOB_WITH_UPGRADE.map((step) => [step.title, step] as const))("%s", async (title, step) => {
  await step.run(scenario).catch((error: unknown) => {
    throw new Error(`${title}: ${String(error)}\n${said.slice(-60).join("\n")}`, { cause: error });
  });
});

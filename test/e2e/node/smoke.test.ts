import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openScenario, root } from "../../../scripts/scenario/context.ts";
import { install, uninstall } from "../../../scripts/scenario/steps/install.ts";
import { security } from "../../../scripts/scenario/steps/security.ts";
import { shop } from "../../../scripts/scenario/steps/shop.ts";
import { type RealNode, startNode } from "../../support/kube/node.ts";

// The core of the main job on a real single-node Kubernetes, with images built from this repository without an engine or a
// registry: install, pods Ready, mutual TLS between injected pods, uninstall. The steps are those of the demo.

const run = promisify(execFile);
let node: RealNode;
let scenario: Awaited<ReturnType<typeof openScenario>>;
const said: string[] = [];

beforeAll(async () => {
  const { stdout } = await run(process.execPath, [join(root, "images/build.mjs")], { cwd: root, maxBuffer: 1 << 24 });
  const images = stdout.trim().split("\n");
  expect(images).toHaveLength(3);
  node = await startNode({ images, index: 7 });
  scenario = await openScenario(node.kubeconfig, (text) => said.push(text));
});

afterAll(async () => {
  await scenario?.close();
  await node?.stop();
});

/** Runs a step; when it fails the error carries what the commands printed. */
async function runStep(step: { title: string; run: (on: typeof scenario) => Promise<void> }): Promise<void> {
  await step.run(scenario).catch((error: unknown) => {
    throw new Error(`${step.title}: ${String(error)}\n${said.slice(-60).join("\n")}`, { cause: error });
  });
}

test("images carry the version that the manifests name", async () => {
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
  const nodes = await scenario.cluster.list({ apiVersion: "v1", kind: "Node" });
  const names = nodes.flatMap((item) =>
    (item.status as { images: { names: string[] }[] }).images.flatMap((image) => image.names),
  );
  for (const image of ["meshd", "proxy", "samples"]) expect(names).toContain(`docker.io/meshctl/${image}:${version}`);
});

test("meshctl install brings the mesh up", () => runStep(install));
test("injected pods become Ready", () => runStep(shop));
test("mutual TLS between injected pods, plaintext refused", () => runStep(security));
test("uninstall leaves the cluster as it was", () => runStep(uninstall));

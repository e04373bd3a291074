import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { main } from "../../src/cli.ts";
import { parse } from "../../src/cli-parse.ts";
import { install } from "../../src/commands/install.ts";
import { letImagesAppear } from "../../src/commands/install-images.ts";
import { VERSION } from "../../src/gen/version.ts";
import { namespaceObject, render } from "../../src/install/render.ts";
import { settingsOf } from "../../src/install/settings.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";
import { makeImage } from "../support/images/make-image.ts";

let dir = "";
let meshd = "";
let proxy = "";
const name = (image: string): string => `docker.io/meshctl/${image}:${VERSION}`;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "meshctl-images-"));
  meshd = await makeImage(dir, { name: name("meshd"), content: "meshd" });
  proxy = await makeImage(dir, { name: name("proxy"), content: "proxy" });
  // stands for a runtime's program: says what it was asked to do
  await writeFile(join(dir, "ctr"), '#!/bin/sh\necho "$@" >> "$0.log"\n');
  await writeFile(join(dir, "podman"), "#!/bin/sh\necho 'no space left on device' >&2\nexit 125\n");
  for (const program of ["ctr", "podman"]) await chmod(join(dir, program), 0o755);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** A node that lists these images, and the one that every node has. */
function node(nodeName: string, images: readonly string[]): KubeObject {
  const names = [...images, "registry.k8s.io/pause:3.10"];
  const status = {
    conditions: [{ type: "Ready", status: "True" }],
    allocatable: { cpu: "8", memory: "16Gi", pods: "110" },
    images: names.map((each) => ({ names: [each] })),
  };
  return { apiVersion: "v1", kind: "Node", metadata: { name: nodeName, labels: {} }, spec: {}, status };
}

async function run(
  line: string,
  options: Parameters<typeof fakeIo>[0] = {},
): Promise<{ exit: number; out: string; err: string }> {
  const io = fakeIo({ env: { PATH: `${dir}:/usr/bin:/bin` }, cwd: dir, ...options });
  const parsed = parse(line.split(" "));
  if (parsed.type !== "run") throw new Error(`${line} is not run`);
  const { exitCode } = await (await parsed.spec.load())(parsed.input, io);
  return { exit: exitCode, out: io.stdout(), err: io.stderr() };
}

test("list: what the profile runs, by whom, with digests of an archive", async () => {
  const { out, exit } = await run(`images list --profile demo --samples --from ${meshd} -o json`);
  const { images } = JSON.parse(out) as { images: { image: string; usedBy: string[]; digest: string | null }[] };
  expect(exit).toBe(0);
  expect(images.map(({ image, digest }) => [image, digest !== null])).toEqual([
    [name("meshd"), true],
    [name("proxy"), false],
    [name("samples"), false],
  ]);
  expect(images[1]?.usedBy).toContain("sidecars");
  expect(images[1]?.usedBy).toContain("Deployment istio-system/istio-ingressgateway");
});

test("list follows hub, tag and variant of the settings", async () => {
  const flags = "--set hub=r.example/mesh --set tag=9-debug --set values.global.variant=distroless";
  const { out } = await run(`images list ${flags}`);
  expect(out).toContain("r.example/mesh/meshd:9-debug ");
  expect(out).toContain("r.example/mesh/proxy:9-distroless ");
});

test("list --nodes: which nodes lack an image is exit code 1; nodes that do not tell are in neither list", async () => {
  const silent = { ...node("c", []), status: {} };
  const cluster = fakeCluster({
    objects: [node("a", [name("meshd"), name("proxy")]), node("b", [name("meshd")]), silent],
  });
  const { out, exit } = await run("images list --nodes -o json", { cluster });
  expect(exit).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    images: [
      { image: name("meshd"), nodes: { with: ["a", "b"], without: [] } },
      { image: name("proxy"), nodes: { with: ["a"], without: ["b"] } },
    ],
  });
});

test("bundle without sources and without a hub says that no registry has these images", async () => {
  await expect(run("images bundle --out x.tar")).rejects.toThrow(/no registry has docker.io\/meshctl\/meshd/);
});

test("load gives archives to the runtime's own program, and tells what it says when it fails", async () => {
  const { out } = await run(`images load ${meshd} ${proxy} --address /run/c.sock`);
  expect(out).toContain(`${name("meshd")} loaded with ctr`);
  const log = (await readFile(join(dir, "ctr.log"), "utf8")).trim().split("\n");
  expect(log).toEqual([meshd, proxy].map((path) => `--address /run/c.sock -n k8s.io images import ${path}`));
  await expect(run(`images load ${meshd} --with podman`)).rejects.toThrow("no space left on device");
  await expect(run(`images load ${meshd} --with minikube`)).rejects.toThrow("minikube is not on PATH");
  await expect(run(`images load ${join(dir, "ctr")}`)).rejects.toThrow("expected an OCI image layout");
});

test("sbom of an archive with several images wants one of them named", async () => {
  await run(`images bundle ${meshd} ${proxy} --out both.tar`);
  await expect(run("images sbom both.tar")).rejects.toThrow("there are 2 images");
  await expect(run("images sbom both.tar --image nothing")).rejects.toThrow("there is none of that name");
  expect(JSON.parse((await run("images sbom both.tar --image proxy")).out)).toMatchObject({ bomFormat: "CycloneDX" });
});

test("push wants a registry, not an address or an image", async () => {
  for (const hub of ["https://r.example/mesh", "mesh", "r.example/Mesh", "r.example/mesh:1"])
    expect(await main(["images", "push", hub, meshd], fakeIo({ cwd: dir })), hub).toBe(2);
});

const OPTIONS = {
  isConfirmed: true,
  dryRun: false,
  skipPrecheck: false,
  readinessTimeoutMs: 1000,
  istioNamespace: "istio-system",
};

test("install stops before it applies when no node has the images, with the two commands", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  try {
    const cluster = fakeCluster({ objects: [node("a", [name("meshd")])] });
    const io = fakeIo({ cluster });
    const result = install({ ...OPTIONS, profile: "minimal" }, io);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await result).toMatchObject({ exitCode: 1 });
    expect(cluster.changes()).toEqual([]);
    expect(io.stderr()).toContain(`no node has ${name("proxy")}`);
    expect(io.stderr()).toContain("meshctl images load BUNDLE");
    expect(io.stderr()).toContain("meshctl images push REGISTRY BUNDLE");
  } finally {
    vi.useRealTimers();
  }
});

test("images that appear while install waits are enough; with a hub of one's own nothing is asked", async () => {
  const own = settingsOf("minimal", []);
  const other = settingsOf("minimal", ["hub=r.example/mesh"]);
  const [rendered, hubbed] = [own, other].map((settings) => [
    namespaceObject(settings),
    ...render(settings).flatMap(({ objects }) => objects),
  ]);
  let asked = 0;
  const cluster = fakeCluster({ objects: [] });
  const late = {
    ...cluster,
    list: () => Promise.resolve([node("a", (asked += 1) < 2 ? [] : [name("meshd"), name("proxy")])]),
  };
  const io = fakeIo();
  await letImagesAppear(late, rendered ?? [], io, 10_000);
  expect(asked).toBe(2);
  expect(io.stderr()).toContain("Waiting 10 s");
  await letImagesAppear({ ...cluster, list: () => Promise.resolve([node("a", [])]) }, hubbed ?? [], fakeIo(), 10_000);
});

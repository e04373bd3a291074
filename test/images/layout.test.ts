import { execFile } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeBundle } from "../../src/images/bundle.ts";
import { openLayout } from "../../src/images/layout.ts";
import { verifyImage } from "../../src/images/verify.ts";
import { makeImage } from "../support/images/make-image.ts";

const run = promisify(execFile);
let dir = "";
let meshd = "";
let proxy = "";

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "meshctl-images-"));
  const part = "shared ".repeat(1000);
  meshd = await makeImage(dir, { name: "docker.io/meshctl/meshd:1", content: "meshd", part });
  proxy = await makeImage(dir, { name: "docker.io/meshctl/proxy:1", content: "proxy", part });
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const problemsOf = async (path: string): Promise<readonly string[]> =>
  (await Promise.all((await openLayout(path)).images.map(verifyImage))).flatMap(({ problems }) => problems);

/** A copy of the archive with the bytes at the first place of `find` changed. */
async function damaged(archive: string, change: (bytes: Buffer) => Buffer): Promise<string> {
  const path = join(dir, "damaged.tar");
  await writeFile(path, change(await readFile(archive)));
  return path;
}

test("the archive of the build tool is read: name, layers, user, list of materials", async () => {
  const { images } = await openLayout(meshd);
  expect(images.map(({ name }) => name)).toEqual(["docker.io/meshctl/meshd:1"]);
  const [image] = await Promise.all(images.map(verifyImage));
  expect(image).toMatchObject({ layers: 2, user: "1337:1337", sbom: { components: 1 }, problems: [] });
});

test("a folder is read as an archive is", async () => {
  const folder = join(dir, "folder");
  await mkdir(folder);
  await run("tar", ["-xf", meshd, "-C", folder]);
  expect((await openLayout(folder)).images[0]?.descriptor).toEqual((await openLayout(meshd)).images[0]?.descriptor);
  expect(await problemsOf(folder)).toEqual([]);
});

test("a bundle holds what its images share once; the order in which they are named makes no difference", async () => {
  const [a, b] = [await openLayout(meshd), await openLayout(proxy)];
  const [one, two] = [join(dir, "one.tar"), join(dir, "two.tar")];
  const written = await writeBundle(one, [...a.images, ...b.images]);
  await writeBundle(two, [...b.images, ...a.images]);
  expect(Buffer.compare(await readFile(one), await readFile(two))).toBe(0);
  // each: manifest, configuration, own layer, manifest of the list; shared: a layer, the list, the empty configuration
  expect(written.blobs).toBe(2 * 4 + 3);
  expect((await openLayout(one)).images.map(({ name }) => name)).toEqual([
    "docker.io/meshctl/meshd:1",
    "docker.io/meshctl/proxy:1",
  ]);
  expect(await problemsOf(one)).toEqual([]);
});

test("a bundle is a docker archive too: its list names files that are there", async () => {
  const path = join(dir, "docker.tar");
  await writeBundle(path, (await openLayout(meshd)).images);
  const folder = join(dir, "docker");
  await mkdir(folder);
  await run("tar", ["-xf", path, "-C", folder]);
  const [entry] = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")) as {
    Config: string;
    RepoTags: string[];
    Layers: string[];
  }[];
  expect(entry?.RepoTags).toEqual(["docker.io/meshctl/meshd:1"]);
  expect(JSON.parse(await readFile(join(folder, entry?.Config ?? ""), "utf8"))).toMatchObject({ os: "linux" });
  expect(entry?.Layers).toHaveLength(2);
  for (const layer of entry?.Layers ?? [])
    expect(gunzipSync(await readFile(join(folder, layer))).toString("latin1", 257, 262)).toBe("ustar");
});

test("a byte that is another is found, in a layer and in a manifest; a bundle is not made of it", async () => {
  const inLayer = await damaged(meshd, (bytes) => {
    const at = bytes.indexOf(Buffer.from([0x1f, 0x8b])) + 9;
    bytes[at] = (bytes[at] ?? 0) ^ 0xff;
    return bytes;
  });
  const [problem] = await problemsOf(inLayer);
  expect(problem).toMatch(/^layer 1 \(sha256:[0-9a-f]+\): its bytes have sha256:/);
  const out = join(dir, "never.tar");
  await writeFile(out, "as it was");
  await expect(writeBundle(out, (await openLayout(inLayer)).images)).rejects.toThrow("is damaged");
  expect(await readFile(out, "utf8")).toBe("as it was");
  const inManifest = await damaged(meshd, (bytes) => {
    const at = bytes.indexOf('{"config":{"digest"');
    bytes[at + 3] = "O".charCodeAt(0);
    return bytes;
  });
  await expect(openLayout(inManifest)).rejects.toThrow("expected sha256:");
});

test("what an image of ours must have and this one has not", async () => {
  const bare = { name: "x.example/bare:1", content: "x", user: "0:0", hasSbom: false, hasLabels: false };
  expect(await problemsOf(await makeImage(dir, bare))).toEqual([
    "label org.opencontainers.image.title is missing",
    "label org.opencontainers.image.description is missing",
    "label org.opencontainers.image.version is missing",
    "label org.opencontainers.image.licenses is missing",
    'runs as root: user is "0:0"',
    "has no list of materials (SBOM)",
  ]);
});

test("files that are no image archive are refused with the reason", async () => {
  const cut = await damaged(meshd, (bytes) => bytes.subarray(0, 1600));
  await expect(openLayout(cut)).rejects.toThrow("it ends in the middle of a file");
  const text = await damaged(meshd, () => Buffer.from("text ".repeat(500)));
  await expect(openLayout(text)).rejects.toThrow("expected a tar archive");
  const packed = join(dir, "image.tar.gz");
  await run("gzip", ["-k", "-c", meshd], { encoding: "buffer", maxBuffer: 1 << 24 }).then(({ stdout }) =>
    writeFile(packed, stdout),
  );
  await expect(openLayout(packed)).rejects.toThrow("it is compressed");
  const other = join(dir, "other.tar");
  await appendFile(join(dir, "some.txt"), "x");
  await run("tar", ["-cf", other, "-C", dir, "some.txt"]);
  await expect(openLayout(other)).rejects.toThrow("expected an OCI image layout");
  await expect(openLayout(join(dir, "nowhere.tar"))).rejects.toThrow("there is no such file");
});

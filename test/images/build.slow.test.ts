import { execFile } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLayout } from "../../src/images/layout.ts";
import type { Image } from "../../src/images/oci.ts";
import { verifyImage } from "../../src/images/verify.ts";

// The whole build, twice, with nothing kept from the first time: packages are fetched again, layers are packed again.

const root = join(import.meta.dirname, "../..");
const SOURCES = ["bin", "dist", "images", "package-lock.json", "package.json", "samples", "scripts/lib"];
const hasApt = await promisify(execFile)("apt-get", ["--version"]).then(
  () => true,
  () => false,
);
let dir = "";

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "meshctl-build-"));
  // taken once: in the work tree somebody may build meanwhile
  for (const source of SOURCES) await cp(join(root, source), join(dir, "sources", source), { recursive: true });
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Builds all images in a copy of the repository with a cache of its own, under a umask. */
async function build(name: string, umask: string): Promise<readonly string[]> {
  const copy = join(dir, name, "clone");
  await cp(join(dir, "sources"), copy, { recursive: true });
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const envoy = process.env["MESHCTL_ENVOY"] ?? join(cache, "meshctl/envoy/1.40.0/envoy");
  const env = { ...process.env, XDG_CACHE_HOME: join(dir, name, "cache"), MESHCTL_ENVOY: envoy };
  const script = `umask ${umask} && exec "${process.execPath}" images/build.mjs`;
  const { stdout } = await promisify(execFile)("bash", ["-c", script], { cwd: copy, env, maxBuffer: 1 << 24 });
  return stdout.trim().split("\n");
}

const SHELLS = /(?:^|\/)(?:sh|bash|dash|busybox|apt|apt-get|dpkg|perl|python3?)$|setuid$/;

/** Names of the files of an image; those that run as their owner end in ` setuid`. */
async function programsOf({ manifest, store }: Image): Promise<readonly string[]> {
  const names: string[] = [];
  for (const layer of manifest.layers) {
    const tar = promisify(execFile)("tar", ["-tvzf", "-"], { maxBuffer: 1 << 24 });
    await pipeline(store.stream(layer), tar.child.stdin ?? new PassThrough());
    for (const line of (await tar).stdout.trim().split("\n"))
      names.push(`${line.split(/\s+/)[5] ?? ""}${/^.{3}[sS]|^.{6}[sS]/.test(line) ? " setuid" : ""}`);
  }
  return names;
}

test.skipIf(!hasApt)(
  "two builds in different places and under different umasks have the same digests; no image has a shell",
  async () => {
    const digests: string[][] = [];
    for (const [name, umask] of [
      ["one", "022"],
      ["two", "077"],
    ] as const) {
      const images = (await Promise.all((await build(name, umask)).map(openLayout))).flatMap((layout) => layout.images);
      for (const image of images) expect(await verifyImage(image)).toMatchObject({ problems: [], user: "1337:1337" });
      for (const image of images) expect((await programsOf(image)).filter((path) => SHELLS.test(path))).toEqual([]);
      digests.push(images.map((image) => `${image.name} ${image.descriptor.digest}`));
    }
    expect(digests[0]).toHaveLength(3);
    expect(digests[1]).toEqual(digests[0]);
  },
);

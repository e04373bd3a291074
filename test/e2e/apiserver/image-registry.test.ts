import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { main } from "../../../src/cli.ts";
import { VERSION } from "../../../src/gen/version.ts";
import { fakeIo } from "../../support/fake-io.ts";
import { makeImage } from "../../support/images/make-image.ts";
import { startRegistry, type TestRegistry, USER } from "../../support/registry/registry.ts";

// meshctl images against the reference registry, with TLS of an authority of its own. It keeps no list of what refers to an image,
// so lists of materials go by the tag that stands in for it.

const root = join(import.meta.dirname, "../../..");
let dir = "";
let meshd = "";
let proxy = "";
/** Larger than what a socket takes at once, and nothing that gzip makes small. */
const noise = Array.from({ length: 200_000 }, (_, index) => Math.sin(index).toString(36)).join("");

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "meshctl-images-"));
  meshd = await makeImage(dir, { name: "docker.io/meshctl/meshd:1.2.0", content: "meshd", part: noise });
  proxy = await makeImage(dir, { name: "docker.io/meshctl/proxy:1.2.0", content: "proxy", part: noise });
});
afterAll(() => rm(dir, { recursive: true, force: true }));

interface Ran {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line as somebody who is signed in, or as nobody. */
async function meshctl(registry: TestRegistry, args: readonly string[], password?: string): Promise<Ran> {
  const home = join(dir, `home-${password ?? "nobody"}`);
  await mkdir(join(home, ".docker"), { recursive: true });
  const auth = Buffer.from(`${USER.name}:${password ?? ""}`).toString("base64");
  const auths = password === undefined ? {} : { [registry.host]: { auth } };
  await writeFile(join(home, ".docker/config.json"), JSON.stringify({ auths }));
  const io = fakeIo({ env: { HOME: home, PATH: process.env["PATH"] }, cwd: dir });
  const exit = await main(args, io);
  return { exit, out: io.stdout(), err: io.stderr() };
}

describe.each(["basic", "token"] as const)("a registry that wants %s authentication", (auth) => {
  let registry: TestRegistry;
  const ca = (): readonly string[] => ["--ca-file", registry.caFile];

  beforeAll(async () => {
    registry = await startRegistry(auth);
  });
  afterAll(() => registry?.stop());

  test("push sends layers, image and list of materials; layers that images share once", async () => {
    const args = ["images", "push", `${registry.host}/team/mesh`, meshd, proxy, ...ca(), "-o", "json"];
    const first = await meshctl(registry, args, USER.password);
    expect(first.exit, first.err).toBe(0);
    const { images } = JSON.parse(first.out) as { images: readonly Record<string, unknown>[] };
    expect(images.map(({ name, changed }) => [name, changed])).toEqual([
      [`${registry.host}/team/mesh/meshd:1.2.0`, true],
      [`${registry.host}/team/mesh/proxy:1.2.0`, true],
    ]);
    // two layers, configuration, the list of materials and its empty configuration
    expect(images[0]).toMatchObject({ uploaded: 5, skipped: 0 });
    // the part, the list and the empty configuration are mounted from the first repository
    expect(images[1]).toMatchObject({ uploaded: 2, skipped: 3 });
    const second = await meshctl(registry, args, USER.password);
    const again = (JSON.parse(second.out) as { images: readonly Record<string, unknown>[] }).images;
    for (const image of again) expect(image).toMatchObject({ uploaded: 0, bytes: 0, changed: false });
  });

  test("verify reads what was pushed and finds nothing wrong", async () => {
    const name = `${registry.host}/team/mesh/proxy:1.2.0`;
    const { exit, out, err } = await meshctl(
      registry,
      ["images", "verify", name, ...ca(), "-o", "json"],
      USER.password,
    );
    expect(exit, err).toBe(0);
    const { images } = JSON.parse(out) as { images: readonly { sbom: unknown; problems: unknown }[] };
    expect(images).toMatchObject([{ name, layers: 2, user: "1337:1337", sbom: { components: 1 }, problems: [] }]);
  });

  test("bundle brings a profile's images back as an archive, equal to what was pushed", async () => {
    const hub = `hub=${registry.host}/team/mesh`;
    const flags = ["--set", hub, "--set", "tag=1.2.0", ...ca()];
    const list = await meshctl(registry, ["images", "list", ...flags, "--remote", "-o", "json"], USER.password);
    expect(list.exit, list.err).toBe(0);
    const { images: listed } = JSON.parse(list.out) as { images: readonly { image: string; digest: string }[] };
    const bundle = await meshctl(
      registry,
      ["images", "bundle", ...flags, "--out", "back.tar", "-o", "json"],
      USER.password,
    );
    expect(bundle.exit, bundle.err).toBe(0);
    const { images } = JSON.parse(bundle.out) as { images: readonly { name: string; digest: string }[] };
    expect(images.map(({ name, digest }) => [name, digest])).toEqual(
      listed.map(({ image, digest }) => [image, digest]),
    );
    const verified = await meshctl(registry, ["images", "verify", "back.tar"]);
    expect(verified.out).toContain("1 materials listed");
    expect(verified.exit, verified.out).toBe(0);
    const sbom = await meshctl(registry, ["images", "sbom", "back.tar", "--image", "meshd"]);
    expect(JSON.parse(sbom.out)).toMatchObject({ bomFormat: "CycloneDX", components: [{ name: "a" }] });
  });

  test("a wrong password, nobody at all, an unknown authority and no TLS: each says what to do", async () => {
    const push = ["images", "push", `${registry.host}/team/mesh`, meshd];
    const wrong = await meshctl(registry, [...push, ...ca()], "raspberry");
    expect(wrong.exit).toBe(2);
    expect(wrong.err).toMatch(/answered 401( as mesh)?.*\nSign in .*docker login 127/);
    const nobody = await meshctl(registry, [...push, ...ca()]);
    expect(nobody).toMatchObject({ exit: 2, err: expect.stringContaining("Sign in") as string });
    const untrusted = await meshctl(registry, push, USER.password);
    expect(untrusted).toMatchObject({ exit: 2, err: expect.stringContaining("--ca-file FILE") as string });
    const absent = ["images", "verify", `${registry.host}/team/mesh/nothing:1`, ...ca()];
    expect(await meshctl(registry, absent, USER.password)).toMatchObject({
      exit: 2,
      err: expect.stringContaining("there is no 1") as string,
    });
    if (auth === "token") expect(registry.scopes).toContain("repository:team/mesh/meshd:pull,push");
  });
});

test("the guide's commands: pack, push, fetch", async () => {
  const page = await readFile(join(root, "docs/guides/images.md"), "utf8");
  const snippet = (name: string): string =>
    new RegExp(`\`\`\`sh ${name}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] ?? `no snippet ${name}`;
  const registry = await startRegistry("basic");
  try {
    const work = join(dir, "guide");
    await mkdir(join(work, "built"), { recursive: true });
    for (const name of ["meshd", "proxy", "samples"]) {
      const reference = `docker.io/meshctl/${name}:${VERSION}`;
      await copyFile(await makeImage(dir, { name: reference, content: name }), join(work, "built", `${name}.tar`));
    }
    const auth = Buffer.from(`${USER.name}:${USER.password}`).toString("base64");
    await writeFile(join(work, "config.json"), JSON.stringify({ auths: { [registry.host]: { auth } } }));
    const lines = ["pack", "push", "fetch"].map(snippet).join("\n").replaceAll("registry.example", registry.host);
    const script = `meshctl() { "${process.execPath}" "${join(root, "bin/meshctl.js")}" "$@"; }\n${lines}`;
    const env = { PATH: process.env["PATH"], HOME: work, DOCKER_CONFIG: work, NODE_EXTRA_CA_CERTS: registry.caFile };
    const { stdout } = await promisify(execFile)("bash", ["-ec", script], { cwd: work, env }).catch((error: Error) => {
      throw new Error(`${error.message}\n${(error as { stdout?: string }).stdout ?? ""}`);
    });
    expect(stdout).toContain(`Next: meshctl install --set hub=${registry.host}/mesh`);
    expect(stdout.match(/✔ 127.*meshd/g)).toHaveLength(1);
    expect(stdout).not.toContain("✘");
  } finally {
    await registry.stop();
  }
});

test("a push that was cut off goes on with what is missing", async () => {
  const registry = await startRegistry("basic");
  try {
    const cut = join(dir, "cut.tar");
    const whole = await readFile(meshd);
    // a byte of the first layer is another: the registry refuses it, and has nothing but what came before
    const at = whole.indexOf(Buffer.from([0x1f, 0x8b]));
    const broken = Buffer.from(whole);
    broken[at + 5000] = (broken[at + 5000] ?? 0) ^ 0xff;
    await writeFile(cut, broken);
    const args = (archive: string): string[] => [
      "images",
      "push",
      registry.host,
      archive,
      "--ca-file",
      registry.caFile,
    ];
    const first = await meshctl(registry, args(cut), USER.password);
    expect(first.exit).toBe(2);
    expect(first.err).toMatch(/DIGEST_INVALID/);
    const second = await meshctl(registry, [...args(meshd), "-o", "json"], USER.password);
    expect(second.exit, second.err).toBe(0);
    expect(JSON.parse(second.out)).toMatchObject({ images: [{ name: `${registry.host}/meshd:1.2.0`, changed: true }] });
  } finally {
    await registry.stop();
  }
});

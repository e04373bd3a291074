// Builds the container images of this repository without an engine and without a registry, by images/table.mjs:
//   node images/build.mjs [--out DIR] [--test]
// Prints one archive (an OCI layout in a tar) per line. Needs: Debian's apt-get and dpkg-deb, npm, Python. No root.
// Archives are named by the hash of what goes in, so a second run has nothing to do. Without --out they stay in the cache.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { main, root, run, Stop, say } from "../scripts/lib/run.mjs";
import { programFiles } from "./programs.mjs";
import { sbomOf } from "./sbom.mjs";
import {
  ENVOY_PACKAGE,
  environmentOf,
  FOLDERS,
  HUB,
  IMAGES,
  labelsOf,
  NODE_PACKAGE,
  TEST_IMAGES,
  USER,
} from "./table.mjs";

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "meshctl", "images");

/** Builds what is missing and returns the archives' paths, in the order of the table. */
export async function buildImages({ envoyPath, version, images = IMAGES }) {
  await mkdir(cache, { recursive: true });
  // first, so that a machine without apt-get is told before anything is fetched
  await rootfs(images[0].packages[0]);
  const node = await nodeBinary();
  await dropOld();
  const out = [];
  for (const image of images) out.push(await buildImage(image, { node, envoyPath, version }));
  return out;
}

const WEEK_MS = 7 * 24 * 3600 * 1000;

/** Archives and layers that nobody has asked for in a week: each change of a program makes new ones. */
async function dropOld() {
  for (const folder of [cache, join(cache, "layers")])
    for (const name of await readdir(folder).catch(() => []))
      if (/\.(tar|gz|packages)$/.test(name) && Date.now() - (await stat(join(folder, name))).mtimeMs > WEEK_MS)
        await rm(join(folder, name), { force: true });
}

async function buildImage(image, { node, envoyPath, version }) {
  const bases = [];
  for (const packages of image.packages) bases.push(await rootfs([...(bases[0]?.packages ?? []), ...packages]));
  const { files: programs, packages: npm } = await programFiles(image.programs);
  const files = [...image.add, ...programs.map((file) => [file, `/opt/meshctl/${file}`])];
  const sbom = await materials(image, { version, npm, debian: bases.at(-1).list });
  const key = [
    image,
    version,
    NODE_PACKAGE,
    ENVOY_PACKAGE,
    FOLDERS,
    USER,
    sbom,
    labelsOf(image, version),
    environmentOf(image),
  ];
  const hash = createHash("sha256").update(JSON.stringify(key));
  for (const [source, target] of files) await hashTree(hash, resolve(root, source), target);
  for (const tool of ["image.py", "rootfs.sh"]) hash.update(await readFile(join(root, "images", tool)));
  const archive = join(cache, `${image.name}-${hash.digest("hex").slice(0, 16)}.tar`);
  if (existsSync(archive)) {
    await utimes(archive, new Date(), new Date());
    return archive;
  }
  const reference = image.reference ?? `${HUB}/${image.name}:${version}`;
  say(`building image ${reference}`);
  const list = `${archive}.${process.pid}.sbom`;
  await writeFile(list, JSON.stringify(sbom));
  const [first, ...more] = bases;
  const layers = [
    // what all images share comes first, so that nodes and registries keep it once
    ["--base", first.file],
    ["--part", `${node}:/usr/local/bin/node:755`],
    ...more.map(({ file }) => ["--base", file]),
    ...(image.envoy ? [["--part", `${envoyPath}:/usr/local/bin/envoy:755`]] : []),
  ];
  const args = ["--out", archive, "--name", reference, "--sbom", list, ...layers.flat()];
  try {
    await run("python3", ["images/image.py", ...args, ...ownArguments(image, { files, version })], { quiet: true });
  } finally {
    await rm(list, { force: true });
  }
  return archive;
}

/** Arguments of image.py for the last layer and the configuration. */
function ownArguments(image, { files, version }) {
  const each = (flag, values) => values.map((value) => `--${flag}=${value}`);
  return [
    ...each(
      "add",
      files.map(([from, to]) => `${from}:${to}${to.startsWith("/usr/local/bin/") ? ":755" : ""}`),
    ),
    ...each("entrypoint", image.entrypoint),
    ...each("passwd", [`${USER.name}:${USER.uid}:${USER.gid}`]),
    ...each("user", [`${USER.uid}:${USER.gid}`]),
    ...each(
      "dir",
      FOLDERS.map((folder) => `${folder}:755`),
    ),
    ...each(
      "env",
      Object.entries(environmentOf(image)).map((pair) => pair.join("=")),
    ),
    ...each(
      "label",
      Object.entries(labelsOf(image, version)).map((pair) => pair.join("=")),
    ),
    ...each("layer-cache", [join(cache, "layers")]),
  ];
}

async function materials(image, { version, npm, debian }) {
  const lock = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8"));
  const entries = npm.map((key) => {
    const entry = lock.packages[key];
    if (entry === undefined) throw new Stop(`package-lock.json does not know ${key}`, "run npm install");
    return [key, entry];
  });
  const envoy = image.envoy ? ENVOY_PACKAGE : undefined;
  return sbomOf({ image: image.name, version, npm: entries, debian, node: NODE_PACKAGE, envoy });
}

/** The names in the image and the bytes, in a stable order; where the sources lie does not count. */
async function hashTree(hash, path, name) {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  hash.update(`${name}\0`);
  if (entries === undefined) return void hash.update(await readFile(path));
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1)))
    await hashTree(hash, join(path, entry.name), `${name}/${entry.name}`);
}

const resolved = new Map();

/** A root file system of Debian packages as apt-get has them now: its archive, and the list of what is in it. */
function rootfs(packages) {
  const key = packages.join(" ");
  if (!resolved.has(key)) resolved.set(key, makeRootfs(packages));
  return resolved.get(key);
}

async function makeRootfs(packages) {
  const script = await readFile(join(root, "images/rootfs.sh"));
  const hash = createHash("sha256")
    .update(script)
    .update(await versionsOf(packages));
  const file = join(cache, `rootfs-${hash.digest("hex").slice(0, 16)}.tar`);
  if (!existsSync(file) || !existsSync(`${file}.packages`))
    await run("bash", ["images/rootfs.sh", file, ...packages], {
      quiet: true,
      hint: "run apt-get update once as root",
    });
  const lines = (await readFile(`${file}.packages`, "utf8")).trim().split("\n");
  const list = lines
    .map((line) => line.split(" "))
    .map(([name, version, architecture]) => ({ name, version, architecture }));
  return { packages, file, list };
}

/** Which packages these are with what they need, by name and version. Asked again when apt-get's lists have changed. */
async function versionsOf(packages) {
  const lists = await stat("/var/lib/apt/lists").then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  const name = createHash("sha256")
    .update(JSON.stringify([packages, lists]))
    .digest("hex")
    .slice(0, 16);
  const file = join(cache, `resolved-${name}`);
  if (!existsSync(file)) {
    const { code, output } = await run("bash", ["images/rootfs.sh", "--resolve", ...packages], {
      quiet: true,
      allowFailure: true,
    });
    if (code === 3)
      throw new Stop(
        output.trim(),
        "build on Debian or Ubuntu, or with an engine: docker build -f images/Containerfile",
      );
    if (code !== 0 || output.trim() === "")
      throw new Stop(
        `apt-get does not find ${packages.join(", ")}: ${output.trim()}`,
        "run apt-get update once as root",
      );
    await writeFile(file, output);
  }
  return readFile(file, "utf8");
}

/** The Envoy that goes into images: MESHCTL_ENVOY, else the one that set-up fetched. */
export function envoyFile() {
  const file = process.env.MESHCTL_ENVOY ?? join(cache, "..", "envoy", ENVOY_PACKAGE.split("==")[1], "envoy");
  if (!existsSync(file)) throw new Stop(`there is no Envoy at ${file}`, "run npm run setup first");
  return file;
}

/** The node binary of the pinned package. */
export async function nodeBinary() {
  await mkdir(cache, { recursive: true });
  const file = join(cache, `${NODE_PACKAGE.replace("@", "-")}-node`);
  if (existsSync(file)) return file;
  const work = `${file}.unpack`;
  await mkdir(work, { recursive: true });
  await run("npm", ["pack", "--silent", "--pack-destination", work, NODE_PACKAGE], { quiet: true });
  const [archive] = (await readdir(work)).filter((name) => name.endsWith(".tgz"));
  await run("tar", ["-xzf", join(work, archive), "-C", work, "package/bin/node"], { quiet: true });
  await rename(join(work, "package/bin/node"), file);
  await rm(work, { recursive: true, force: true });
  return file;
}

/** Copies of the archives under names that people can tell apart. */
async function copyTo(folder, archives) {
  await mkdir(folder, { recursive: true });
  const named = archives.map((archive) => join(folder, `${/([a-z-]+)-[0-9a-f]+\.tar$/.exec(archive)[1]}.tar`));
  for (const [index, archive] of archives.entries()) await copyFile(archive, named[index]);
  return named;
}

if (process.argv[1] === join(root, "images/build.mjs")) {
  await main(async () => {
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    if (!existsSync(join(root, "dist/meta.json"))) throw new Stop("dist/ is not built", "run npm run build first");
    const envoyPath = envoyFile();
    const images = process.argv.includes("--test") ? [...IMAGES, ...TEST_IMAGES] : IMAGES;
    const archives = await buildImages({ envoyPath, version, images });
    const at = process.argv.indexOf("--out");
    const out = at === -1 ? archives : await copyTo(resolve(process.argv[at + 1]), archives);
    for (const archive of out) console.log(archive);
  });
}

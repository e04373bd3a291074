// `npm test`: set-up, static checks, then every tier, and one closing line `N passed, N failed`.
// A tier whose real part cannot be had on this machine is skipped with the reason; under CI that is a failure.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check } from "./check.mjs";
import { main, root, run, Stop, say } from "./lib/run.mjs";
import {
  checkNode,
  ensureBuild,
  ensureDependencies,
  ensureEnvoy,
  ensureKube,
  ensureSystemPackages,
  onPath,
} from "./setup.mjs";

const isRoot = process.getuid?.() === 0;
const needGo = () => (onPath("go") ? undefined : "Go is not installed: real Kubernetes is built from its Go modules");
const needKubectl = () =>
  onPath("kubectl") || onPath("go") ? undefined : "kubectl is not on PATH, nor Go to build it";
const needRootTools = () => {
  if (!isRoot) return "network namespaces need root";
  return ["ip", "iptables", "unshare"].every((tool) => onPath(tool)) ? undefined : "ip, iptables or unshare is missing";
};

/** Files of the embedded cluster's tier in a network of their own, beside the others; what is measured against the clock is alone, after both. */
const OWN_NETWORK = ["cluster.test.ts", "refusals.test.ts"];
const ALONE = ["mesh.test.ts"];

/** The embedded cluster's files: each phase is a list of runs that go on at the same time. */
async function embeddedPhases() {
  const folder = "test/e2e/local";
  const files = (await readdir(join(root, folder))).filter((file) => /(?<!\.slow)\.test\.ts$/.test(file));
  const others = files.filter((file) => !OWN_NETWORK.includes(file) && !ALONE.includes(file));
  const phases = [[others, OWN_NETWORK], [ALONE]];
  return (needRootTools() === undefined ? phases : [[files]]).map((runs) =>
    runs.map((names) => ({
      files: names.map((name) => `${folder}/${name}`),
      under: names === OWN_NETWORK ? WITH_OWN_NETWORK : [],
    })),
  );
}

/** A command that runs another in a network without anything but loopback: clusters of two such do not see each other's links, rules and ports. */
const WITH_OWN_NETWORK = [
  "unshare",
  "--net",
  "--mount",
  "sh",
  "-c",
  'ip link set lo up && mkdir -p /run/netns && mount -t tmpfs none /run/netns && mount -t sysfs none /sys && exec "$@"',
  "sh",
];

/** Tiers in order, cheapest first: vitest projects, what they need, and how it is prepared. */
const TIERS = [
  { name: "unit and scenarios", projects: ["unit", "scenarios"], missing: () => undefined, prepare: ensureBuild },
  { name: "Envoy", projects: ["envoy", "envoy-alone"], missing: () => undefined, prepare: ensureEnvoy },
  {
    name: "API server",
    projects: ["apiserver"],
    missing: needGo,
    prepare: () => ensureBuild().then(() => ensureKube("apiserver")),
  },
  {
    name: "embedded cluster",
    projects: ["local"],
    missing: () => undefined,
    partly: () => needKubectl() ?? needRootTools(),
    prepare: ensureEnvoy,
    phases: embeddedPhases,
  },
  {
    name: "real node",
    projects: ["node"],
    missing: () => needGo() ?? needRootTools(),
    prepare: () => ensureBuild().then(() => ensureKube("node")),
  },
];

/**
 * The oldest Kubernetes that Istio's current release supports, in the newest patch whose modules the Go proxy has all of. Its programs stand
 * beside those of the newest in the cache.
 */
const OLDEST_KUBE = "v1.32.2";
const older = { KUBE_VERSION: OLDEST_KUBE, KUBEBUILDER_ASSETS: "" };
const needNode = () => needGo() ?? needRootTools();
const prepareOlder = () => ensureBuild().then(() => ensureKube("node", older));

/** What only `npm run test:full` runs. */
const FULL_TIERS = [
  { name: "long random runs", projects: ["slow"], missing: () => undefined, prepare: ensureBuild },
  {
    name: "conformance with Gateway API",
    projects: ["conformance"],
    missing: () => needGo() ?? needRootTools(),
    prepare: () => ensureBuild().then(() => ensureKube("node")),
  },
  {
    name: `API server of Kubernetes ${OLDEST_KUBE}`,
    projects: ["apiserver"],
    // what a version can change: definitions of kinds, admission, install of every profile, our client; not what is compared with the newest
    files: ["admission", "crds", "everyday", "gateway-api", "injection", "install", "kube-client", "meshd"].map(
      (name) => `test/e2e/apiserver/${name}.test.ts`,
    ),
    env: older,
    missing: needNode,
    prepare: prepareOlder,
  },
  {
    name: `real node of Kubernetes ${OLDEST_KUBE}`,
    projects: ["node"],
    env: older,
    missing: needNode,
    prepare: prepareOlder,
  },
];

/** Why a tier cannot run here: a part that is not there, or cannot be prepared. */
async function obstacle(tier) {
  const reason = tier.missing();
  if (reason !== undefined) return reason;
  try {
    await tier.prepare();
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return error.message;
  }
}

async function runTier(tier) {
  const reason = await obstacle(tier);
  if (reason !== undefined) {
    // our own build is no part that a machine may lack
    const fatal = process.env.CI === "true" || tier.prepare === ensureBuild;
    say(`${fatal ? "FAIL" : "skip"} ${tier.name}: ${reason}`);
    return { passed: 0, failed: fatal ? 1 : 0, skipped: fatal ? 0 : 1 };
  }
  const lacks = tier.partly?.();
  say(`tier: ${tier.name}${lacks === undefined ? "" : `; some of its tests are skipped: ${lacks}`}`);
  return runPhases(tier);
}

async function runPhases(tier) {
  const phases = (await tier.phases?.()) ?? [[{ files: tier.files ?? [], under: [] }]];
  const total = none();
  for (const runs of phases)
    for (const part of await Promise.all(runs.map((each) => runVitest(tier, each)))) add(total, part);
  return total;
}

async function runVitest(tier, { files, under }) {
  const folder = await mkdtemp(join(tmpdir(), "meshctl-test-"));
  try {
    const report = join(folder, "report.json");
    const [command, ...args] = [
      ...under,
      "node_modules/.bin/vitest",
      "run",
      ...tier.projects.flatMap((name) => ["--project", name]),
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
      ...files,
    ];
    const { code } = await run(command, args, { allowFailure: true, env: tier.env ?? {} });
    return await counts(report, code);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const none = () => ({ passed: 0, failed: 0, skipped: 0 });

function add(total, part) {
  for (const key of Object.keys(total)) total[key] += part[key];
}

async function counts(report, code) {
  const data = await readFile(report, "utf8").then(JSON.parse, () => undefined);
  if (data === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const failed =
    data.numFailedTests +
    data.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0).length;
  // vitest ends badly for reasons that are no test (an unhandled rejection, say): that is a failure too
  return {
    passed: data.numPassedTests,
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: data.numPendingTests,
  };
}

/** The tiers one after another, and the static checks. */
async function runAll(tiers, kube) {
  const total = none();
  // most tiers wait for much; the checks take the time that is left over
  let checks;
  for (const tier of tiers) {
    if (!tier.projects.includes("unit")) checks ??= check({ behind: true });
    if (["apiserver", "local"].some((name) => tier.projects.includes(name))) await kube;
    add(total, await runTier(tier));
  }
  add(total, await (checks ?? check()));
  return total;
}

await main(async () => {
  checkNode();
  const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
  const full = process.argv.includes("--full");
  await ensureDependencies();
  await ensureSystemPackages();
  // the cold build of Kubernetes takes minutes: it runs beside the tiers that do not need it
  const kube =
    needGo() === undefined
      ? ensureKube(needRootTools() === undefined ? "node" : "apiserver").catch(() => {})
      : undefined;
  // with what the checks read made; a build that fails is told by the tiers that need it
  await ensureBuild().catch(() => {});
  const tiers = (full ? [...TIERS, ...FULL_TIERS] : TIERS).filter(
    ({ projects }) => wanted.length === 0 || projects.some((name) => wanted.includes(name)),
  );
  const total = await runAll(tiers, kube);
  console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ""}`);
  return total.failed === 0 ? 0 : 1;
});

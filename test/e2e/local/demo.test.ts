import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { root } from "../../../scripts/scenario/context.ts";
import {
  type Network,
  type Traces,
  missingFor,
  processesWith,
  realEnvoy,
  tracesOf,
  tracesSince,
} from "../../support/local/cluster.ts";
import { waitFor } from "../../support/wait.ts";

// The demo, ended in the middle, leaves nothing behind. Its state and temporary files go to folders of the test's own, whose path also
// tells its processes: it stands in their environment.

interface Demo {
  readonly process: ChildProcess;
  output(): string;
}

let folder: string;
let before: Traces;
beforeEach(async () => {
  before = await tracesOf();
  folder = mkdtempSync(join(tmpdir(), "meshctl-kill-"));
  mkdirSync(join(folder, "tmp"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the demo as the leader of a process group, as a shell does, until it applies the sample application. */
async function startDemo(network: Network): Promise<Demo> {
  const child = spawn(process.execPath, [join(root, "scripts/demo.mjs"), "--network", network], {
    cwd: root,
    detached: true,
    env: {
      ...process.env,
      XDG_STATE_HOME: join(folder, "state"),
      TMPDIR: join(folder, "tmp"),
      MESHCTL_ENVOY: await realEnvoy(),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  try {
    await waitFor(() => /apply -n shop -f/.test(text) || child.exitCode !== null, {
      timeoutMs: 120_000,
      what: "the shop to be applied",
    });
    expect(child.exitCode).toBeNull();
  } catch (error) {
    throw new Error(text, { cause: error });
  }
  return { process: child, output: () => text };
}

/** To the demo alone: scripts/demo.mjs, its tsx child and the commands they run; the cluster is in groups of its own. */
function signalGroup(demo: Demo, signal: NodeJS.Signals): void {
  const { pid } = demo.process;
  if (pid === undefined) throw new Error("the demo has no process");
  process.kill(-pid, signal);
}

async function expectNothingLeft(): Promise<void> {
  await waitFor(() => processesWith(folder).length === 0, {
    timeoutMs: 20_000,
    what: "processes to end",
  }).catch((error: unknown) => {
    throw new Error(`left: ${processesWith(folder).join("\n")}`, { cause: error });
  });
  await waitFor(async () => (await tracesSince(before)).length === 0, { what: "links to go" });
  expect(readdirSync(folder, { recursive: true })).toEqual(["tmp"]);
}

const networks: readonly Network[] = ["netns", "loopback"];

describe.each(networks)("%s", (network) => {
  const reason = missingFor(network);
  const skip = reason !== undefined && process.env["CI"] !== "true";

  test.skipIf(skip)("Ctrl-C: the demo takes its cluster down, says so, and fails", async () => {
    expect(reason).toBeUndefined();
    const demo = await startDemo(network);
    const closed = once(demo.process, "close");
    signalGroup(demo, "SIGINT");
    expect(await closed).toEqual([1, null]);
    expect(demo.output()).toMatch(/ended by SIGINT/);
    expect(demo.output()).toMatch(/cluster demo-\d+ is down/);
    expect(demo.output()).not.toMatch(/^\s+at /m);
    await expectNothingLeft();
  });

  test.skipIf(skip)("SIGKILL of npm's process alone: the rest of the demo ends too", async () => {
    expect(reason).toBeUndefined();
    const demo = await startDemo(network);
    const closed = once(demo.process, "close");
    demo.process.kill("SIGKILL");
    // the pipes are open until the rest has ended
    await closed;
    await expectNothingLeft();
  });

  test.skipIf(skip)("SIGKILL of the whole demo: the cluster ends with it", async () => {
    expect(reason).toBeUndefined();
    const demo = await startDemo(network);
    const closed = once(demo.process, "close");
    signalGroup(demo, "SIGKILL");
    await closed;
    await expectNothingLeft();
  });
});

// The main job on the embedded cluster, step by step, saying what it does and what it saw. Exit code 0 only when every step was
// seen to be true. `--keep` leaves the cluster running; `--network netns|loopback` forces the kind of node.
import { NotTrue, openScenario, type Scenario } from "../scenario/context.ts";
import { MAIN_JOB, type Step } from "../scenario/steps.ts";
import { type Embedded, startEmbedded } from "./embedded.ts";

const keep = process.argv.includes("--keep");
const network = process.argv[process.argv.indexOf("--network") + 1];
const started = performance.now();
const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => interrupt.abort(new Error(`ended by ${signal}`)));
process.on("disconnect", () => interrupt.abort(new Error("ended by the end of npm run demo")));
process.channel?.unref();

function say(text: string): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(6);
  console.log(`${seconds}s  ${text}`);
}

/** Runs the steps in turn; ends early on an interrupt. */
async function runSteps(scenario: Scenario, steps: readonly Step[]): Promise<void> {
  const interrupted = new Promise<never>((_, reject) => {
    interrupt.signal.addEventListener("abort", () => reject(interrupt.signal.reason as Error), { once: true });
  });
  // nobody waits for it between two steps
  interrupted.catch(() => undefined);
  for (const [index, step] of steps.entries()) {
    interrupt.signal.throwIfAborted();
    say(`\n${" ".repeat(9)}${index + 2}. ${step.title}`);
    const from = performance.now();
    await Promise.race([step.run(scenario), interrupted]);
    say(`  seen to be true, ${((performance.now() - from) / 1000).toFixed(1)} s`);
  }
}

function whatNext(cluster: Embedded): void {
  console.log(`
The mesh is still running. To look around:

  export KUBECONFIG=${cluster.kubeconfig}
  node bin/meshctl.js proxy-status
  kubectl get pods -A
  node bin/meshctl.js analyze -n shop
  node bin/meshctl.js down --name ${cluster.name}      # ends it and leaves nothing behind
`);
}

async function demo(): Promise<void> {
  say("1. Start a Kubernetes API endpoint and a node on this machine");
  const cluster = await startEmbedded({
    name: keep ? "demo" : `demo-${process.pid}`,
    tied: !keep,
    ...(process.argv.includes("--network") && network !== undefined ? { network } : {}),
    say,
    signal: interrupt.signal,
  });
  try {
    const scenario = await openScenario(cluster.kubeconfig, say);
    try {
      await runSteps(scenario, keep ? MAIN_JOB.slice(0, -1) : MAIN_JOB);
    } finally {
      await scenario.close();
    }
    if (keep) whatNext(cluster);
  } catch (error) {
    if (keep) await cluster.down();
    throw error;
  } finally {
    if (!keep) await cluster.down();
  }
}

try {
  await demo();
  say(`\n${" ".repeat(9)}Every step was seen to be true.`);
} catch (error) {
  const isExpected = error instanceof NotTrue || interrupt.signal.aborted;
  console.error(
    `\nnot seen to be true: ${error instanceof Error ? (isExpected ? error.message : (error.stack ?? error.message)) : String(error)}`,
  );
  process.exitCode = 1;
}

import { ClusterError, errorText, UsageError } from "../base/errors.ts";
import { globalOptions, switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { controlPlanePods, getText } from "./pod-http.ts";

const MONITORING_PORT = 15_014;

/** `meshctl internal-debug PATH`: what the control plane answers to /debug/PATH, of one pod, or of each with its name. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const path = switchOption(input, "list") ? "list" : input.args[0];
  if (path === undefined)
    throw new UsageError("name what to ask for", "meshctl internal-debug --list says what there is.");
  const cluster = await io.cluster();
  const { istioNamespace } = globalOptions(input);
  const pods = await controlPlanePods(cluster, istioNamespace, textOption(input, "revision"));
  const all = switchOption(input, "all");
  const failures: string[] = [];
  for (const { metadata } of all ? pods : pods.slice(0, 1)) {
    const target = { namespace: istioNamespace, pod: metadata.name, port: MONITORING_PORT };
    try {
      const answer = await getText(cluster, target, `/debug/${path.replace(/^\/?(?:debug\/)?/, "")}`);
      io.out(`${all ? `${metadata.name}:\n` : ""}${answer.trimEnd()}\n`);
    } catch (error) {
      // of several, one that does not answer costs its own answer
      if (!all || !(error instanceof ClusterError)) throw error;
      failures.push(`${metadata.name}: ${errorText(error)}`);
    }
  }
  for (const failure of failures) io.err(`Not asked: ${failure}\n`);
  return { exitCode: failures.length > 0 ? 1 : 0 };
}

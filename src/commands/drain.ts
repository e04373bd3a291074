import { TRAFFIC_ANNOTATION } from "../model/pods.ts";
import { globalOptions, switchOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { findPod } from "./pod-http.ts";

/**
 * `meshctl drain POD`: takes a pod out of traffic while it goes on running, by an annotation that the control plane follows.
 * Requests under way are finished. `--undo` brings it back.
 */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const cluster = await io.cluster();
  const { namespace, pod } = await findPod(cluster, input.args[0] ?? "", globalOptions(input).namespace ?? "default");
  const undo = switchOption(input, "undo");
  const value = undo ? null : switchOption(input, "eject") ? "eject" : "drain";
  await cluster.mergePatch(
    { apiVersion: "v1", kind: "Pod", namespace, name: pod },
    { metadata: { annotations: { [TRAFFIC_ANNOTATION]: value } } },
  );
  io.err(`✔ pod ${namespace}/${pod} ${SAID[value ?? "undo"]}\n`);
  return { exitCode: 0 };
}

const SAID: Readonly<Record<"drain" | "eject" | "undo", string>> = {
  drain: "gets no new requests; sessions bound to it go on. Bring it back with --undo.",
  eject: "gets no requests. Bring it back with --undo.",
  undo: "gets requests again.",
};

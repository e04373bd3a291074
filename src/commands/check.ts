import { namespaceObject, render } from "../install/render.ts";
import { settingsOf } from "../install/settings.ts";
import { type ChecksResult, check, checksOptions, listChecks } from "./checks/run.ts";
import { meshClusters } from "./clusters.ts";
import { switchOption } from "./input.ts";
import type { CommandInput, Io } from "./io.ts";

/** `meshctl check`: whether an installed mesh is as it should be. Exit code 1 when a check failed, 2 when the cluster cannot be reached. */
export async function run(input: CommandInput, io: Io): Promise<ChecksResult> {
  const options = checksOptions(input, "table");
  if (switchOption(input, "list")) return listChecks("after", options, io);
  const settings = settingsOf(undefined, [`namespace=${options.istioNamespace}`]);
  const rendered = [namespaceObject(settings), ...render(settings).flatMap(({ objects }) => objects)];
  return check("after", { ...options, rendered, clusters: await meshClusters(input, io) }, io);
}

import { namespaceObject, render } from "../install/render.ts";
import { settingsOf } from "../install/settings.ts";
import { type ChecksOptions, type ChecksResult, check, checksOptions, listChecks } from "./checks/run.ts";
import { meshClusters } from "./clusters.ts";
import { listOption, switchOption, textOption } from "./input.ts";
import type { CommandInput, Io } from "./io.ts";

export { checkText } from "./checks/text.ts";

export interface PrecheckOptions extends ChecksOptions {
  /** What would be installed; default "default". */
  readonly profile?: string;
  /** `path=value` lines, left to right. */
  readonly set?: readonly string[];
}

/** `meshctl precheck`: exit code 1 when a check failed, 2 when the cluster cannot be reached at all. */
export async function run(input: CommandInput, io: Io): Promise<ChecksResult> {
  const options = checksOptions(input, "brief");
  if (switchOption(input, "list")) return listChecks("before", options, io);
  const [profile, revision] = [textOption(input, "profile"), textOption(input, "revision")];
  const set = [...listOption(input, "set"), ...(revision === undefined ? [] : [`revision=${revision}`])];
  const clusters = await meshClusters(input, io);
  return precheck({ ...options, ...(profile === undefined ? {} : { profile }), set, clusters }, io);
}

/** Runs all checks for what a profile would install. Throws ClusterError when the API does not answer: then nothing was checked. */
export async function precheck({ profile, set = [], ...options }: PrecheckOptions, io: Io): Promise<ChecksResult> {
  const settings = settingsOf(profile, [`namespace=${options.istioNamespace}`, ...set]);
  const rendered = [namespaceObject(settings), ...render(settings).flatMap(({ objects }) => objects)];
  return check("before", { ...options, rendered }, io);
}

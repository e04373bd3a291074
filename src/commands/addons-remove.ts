import { ADDON_LABEL } from "../install/addons.ts";
import { dropObjects, ownObjects } from "../install/remove.ts";
import { waitGone } from "../install/wait.ts";
import { refOf, refText } from "../resources/object.ts";
import { addonNames, type AddonsResult } from "./addons-install.ts";
import { isAgreed } from "./confirm.ts";
import { durationOption, switchOption } from "./input.ts";
import type { CommandInput, Io } from "./io.ts";

/** `meshctl addons remove`: takes away what `addons install` made, with all that was collected. Exit code 1 after a "no". */
export async function run(input: CommandInput, io: Io): Promise<AddonsResult> {
  const names = addonNames(input);
  const cluster = await io.cluster();
  const lists = await Promise.all(names.map((name) => ownObjects(cluster, { [ADDON_LABEL]: name })));
  const objects = lists.flat().reverse();
  if (objects.length === 0) {
    io.out("There is nothing to remove.\n");
    return { exitCode: 0, changes: [] };
  }
  if (switchOption(input, "dryRun")) {
    io.out(objects.map((object) => `${refText(refOf(object))} would be removed\n`).join(""));
    return { exitCode: 0, changes: [] };
  }
  const found = names.filter((_, index) => (lists[index] ?? []).length > 0);
  io.err(`This removes ${found.join(", ")}, with what they collected: ${objects.length} objects.\n`);
  const agreed = await isAgreed(io, {
    byFlag: switchOption(input, "skipConfirmation"),
    doing: "addons remove changes the cluster",
  });
  if (!agreed) {
    io.err("Cancelled: nothing was removed.\n");
    return { exitCode: 1, changes: [] };
  }
  await dropObjects(cluster, objects);
  const timeoutMs = durationOption(input, "timeout", "120s");
  await waitGone(cluster, objects, { timeoutMs, signal: io.signal, onProgress: () => undefined });
  io.out(`Removed ${objects.length} objects.\n`);
  return { exitCode: 0, changes: objects.map((object) => ({ object, change: "removed" })) };
}

import { compact } from "../base/compact.ts";
import { durationMs } from "../base/duration.ts";
import { UsageError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { ADDON_LABEL, ADDONS, type AddonName, type AddonSettings, renderAddon } from "../install/addons.ts";
import { applyObject, kindByKind, targetOf } from "../install/apply.ts";
import { dropObjects, ownObjects } from "../install/remove.ts";
import { waitReady } from "../install/wait.ts";
import { createProgress, type Progress } from "../report/progress.ts";
import type { Cluster } from "../resources/cluster.ts";
import { type KubeObject, refOf, refText } from "../resources/object.ts";
import { type Changed, reportChanges } from "./bring.ts";
import { durationOption, globalOptions, listOption, switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";

/** What happened to each object. */
export interface AddonsResult extends CommandResult {
  readonly changes: readonly Changed[];
}

interface Work {
  readonly cluster: Cluster;
  readonly io: Io;
  readonly settings: AddonSettings;
  readonly dryRun: boolean;
  /** Milliseconds; 0: do not wait. */
  readonly timeoutMs: number;
}

/** `meshctl addons install`: server-side apply of each addon, removal of what a former version of it had, and waiting for its pods. */
export async function run(input: CommandInput, io: Io): Promise<AddonsResult> {
  const names = addonNames(input);
  const settings = settingsOf(input);
  const dryRun = switchOption(input, "dryRun");
  const cluster = await io.cluster();
  const { namespace } = settings;
  if ((await cluster.get({ apiVersion: "v1", kind: "Namespace", name: namespace })) === undefined)
    throw new UsageError(
      `there is no namespace ${namespace}`,
      "Install the mesh first, or name its namespace with -i.",
    );
  const timeoutMs = isWanted(input.options["wait"]) ? durationOption(input, "timeout", "300s") : 0;
  const progress = await createProgress(io);
  const changes: Changed[] = [];
  for (const name of names)
    changes.push(...(await installOne(name, { cluster, io, settings, dryRun, timeoutMs }, progress)));
  reportChanges(changes, { dryRun }, io);
  if (!dryRun) for (const name of names.filter(hasPage)) io.out(`meshctl dashboard ${name}\n`);
  return { exitCode: 0, changes };
}

/** `--wait`, `--wait=true`, or nothing said. */
function isWanted(value: CommandInput["options"][string]): boolean {
  return value !== false && value !== "false";
}

/** A collector is asked by nobody but proxies. */
function hasPage(name: AddonName): boolean {
  return name !== "otel-collector";
}

async function installOne(
  name: AddonName,
  { cluster, io, settings, dryRun, timeoutMs }: Work,
  progress: Progress,
): Promise<readonly Changed[]> {
  const objects = await withoutForeign(cluster, renderAddon(name, settings, { managed: true }));
  progress.start(`${name}: applying ${objects.length} objects`);
  try {
    const changes = await kindByKind(objects, async (object): Promise<Changed> => {
      io.signal.throwIfAborted();
      return { object, change: await applyObject(cluster, object, { dryRun }) };
    });
    const gone = await leftOver(cluster, name, objects);
    if (!dryRun) {
      await dropObjects(cluster, gone);
      if (timeoutMs > 0) await waitFor(name, { cluster, io, objects, timeoutMs }, progress);
    }
    progress.succeed(
      dryRun ? `${name}: accepted by the API server` : `${name}: ${timeoutMs > 0 ? "ready" : "applied"}`,
    );
    return [...changes, ...gone.map((object): Changed => ({ object, change: "removed" }))];
  } catch (error) {
    progress.fail(`${name}: not installed`);
    throw error;
  }
}

/** A namespace that somebody else made stays as it is, and stays when the addon goes. */
async function withoutForeign(cluster: Cluster, objects: readonly KubeObject[]): Promise<readonly KubeObject[]> {
  const kept: KubeObject[] = [];
  for (const object of objects) {
    const live = object.kind === "Namespace" ? await cluster.get(targetOf(object)) : undefined;
    if (live === undefined || live.metadata.labels?.[ADDON_LABEL] !== undefined) kept.push(object);
  }
  return kept;
}

async function waitFor(
  name: AddonName,
  { cluster, io, objects, timeoutMs }: Pick<Work, "cluster" | "io" | "timeoutMs"> & { objects: readonly KubeObject[] },
  progress: Progress,
): Promise<void> {
  await waitReady(cluster, objects, {
    timeoutMs,
    signal: io.signal,
    onProgress: ([first]) => {
      if (first === undefined) return;
      progress.update(`${name}: waiting for ${refText(refOf(first.object))} (${first.reason ?? "not ready yet"})`);
    },
  });
}

/** What another version of the addon made and this one does not. */
async function leftOver(
  cluster: Cluster,
  name: AddonName,
  wanted: readonly KubeObject[],
): Promise<readonly KubeObject[]> {
  const known = new Set(wanted.map((object) => refText(refOf(object))));
  const live = await ownObjects(cluster, { [ADDON_LABEL]: name });
  return live.filter((object) => !known.has(refText(refOf(object)))).reverse();
}

/** The addons that a command line names. Throws UsageError for one that is none. */
export function addonNames(input: CommandInput): readonly AddonName[] {
  if (switchOption(input, "all")) return ADDONS;
  const known = ADDONS as readonly string[];
  const wrong = input.args.find((name) => !known.includes(name));
  if (wrong !== undefined) {
    const close = nearest(wrong, known);
    throw new UsageError(
      `there is no addon "${wrong}"`,
      `${close === undefined ? "" : `Did you mean ${close}? `}There are: ${known.join(", ")}.`,
    );
  }
  if (input.args.length === 0) throw new UsageError("which addon?", `Name one of ${known.join(", ")}, or pass --all.`);
  return ADDONS.filter((name) => input.args.includes(name));
}

function settingsOf(input: CommandInput): AddonSettings {
  const scrapeInterval = textOption(input, "scrapeInterval");
  if (scrapeInterval !== undefined && (durationMs(scrapeInterval) ?? 0) < 1000)
    throw new UsageError(`--scrape-interval: expected a duration of 1s or more, got "${scrapeInterval}"`);
  return compact({
    namespace: globalOptions(input).istioNamespace,
    hub: textOption(input, "hub"),
    images: imagesOf(listOption(input, "image")),
    scrapeInterval,
    retention: textOption(input, "retention"),
  });
}

function imagesOf(entries: readonly string[]): Readonly<Partial<Record<AddonName, string>>> {
  return Object.fromEntries(
    entries.map((entry) => {
      const [name = "", image = ""] = entry.split(/=(.*)/s);
      if (image !== "" && (ADDONS as readonly string[]).includes(name)) return [name, image];
      throw new UsageError(`--image: expected ADDON=IMAGE with one of ${ADDONS.join(", ")}, got "${entry}"`);
    }),
  );
}

import { UsageError } from "../base/errors.ts";
import { hintOf, messageOf } from "../diagnostics/codes.ts";
import type { Finding, SourcePosition } from "../diagnostics/finding.ts";
import { type ReadSettings, readSettings, type SettingsRequest } from "../install/settings.ts";
import { readManifests, type SourcedObject } from "../resources/manifests.ts";
import { validateObject } from "../validation/validate-object.ts";
import { listOption, textOption } from "./input.ts";
import type { CommandInput, Io } from "./io.ts";
import { readSources } from "./sources.ts";

/** What install, manifest and profile are told about the mesh: --profile, -f, --set, --revision, -i. */
export interface SettingsFlags {
  readonly profile?: string | undefined;
  /** IstioOperator documents, in order; `-` is standard input. */
  readonly filenames?: readonly string[];
  /** `path=value` lines, left to right. */
  readonly set?: readonly string[];
  readonly revision?: string | undefined;
  /** Namespace of the control plane; the default one says nothing. */
  readonly istioNamespace?: string;
}

/** The flags of SettingsFlags. */
export function settingsFlags(input: CommandInput): SettingsFlags {
  return {
    profile: textOption(input, "profile"),
    filenames: listOption(input, "filename"),
    set: listOption(input, "set"),
    revision: textOption(input, "revision"),
    istioNamespace: textOption(input, "istioNamespace") ?? "istio-system",
  };
}

/**
 * The settings that flags and files ask for. What is known and has no effect here is told in one warning. Throws UsageError for
 * anything that does not hold to the schema: for files every problem with its place.
 */
export async function readSettingsInput(
  flags: SettingsFlags,
  io: Io,
): Promise<ReadSettings & { readonly request: SettingsRequest }> {
  const { filenames = [], set = [], revision, profile, istioNamespace = "istio-system" } = flags;
  const overlays = filenames.length === 0 ? [] : await readOverlays(filenames, io);
  const lines = [
    ...(istioNamespace === "istio-system" ? [] : [`namespace=${istioNamespace}`]),
    ...set,
    ...(revision === undefined ? [] : [`revision=${revision}`]),
  ];
  const request = { profile, overlays, set: lines };
  const read = readSettings(request);
  checkRevision(read.settings.revision);
  if (read.withoutEffect.length > 0)
    io.err(`warning: these settings are Istio's and have no effect here: ${read.withoutEffect.join(", ")}\n`);
  return { ...read, request };
}

/** A revision becomes part of names and labels. */
function checkRevision(revision: string): void {
  if (revision === "" || /^[a-z0-9]([-a-z0-9]{0,54}[a-z0-9])?$/.test(revision)) return;
  throw new UsageError(
    `revision "${revision}" cannot be part of a name`,
    "Use lower-case letters, digits and dashes, e.g. 1-31.",
  );
}

type Spec = Readonly<Record<string, unknown>>;

async function readOverlays(filenames: readonly string[], io: Io): Promise<readonly Spec[]> {
  const { objects, findings } = readManifests(await readSources(filenames, io));
  const problems = [
    ...findings.map((found) => line(found, found.position)),
    ...objects.flatMap((sourced) => problemsOf(sourced)),
  ];
  if (problems.length > 0) throw new UsageError(problems.join("\n"), "Nothing was changed.");
  return objects.map(({ object }) => (object.spec ?? {}) as Spec);
}

function problemsOf({ object, position }: SourcedObject): readonly string[] {
  if (object.kind !== "IstioOperator") {
    const place = placeText(position(["kind"]));
    return [`${place}: expected a document of kind IstioOperator, got ${object.kind}`];
  }
  const wanted = "install.istio.io/v1alpha1";
  const version =
    object.apiVersion === wanted
      ? []
      : [`${placeText(position(["apiVersion"]))}: expected apiVersion ${wanted}, got ${object.apiVersion}`];
  const found = validateObject(object).map((each) => line(each, position(each.path)));
  return [...version, ...found];
}

function line(found: Finding, position: SourcePosition | undefined): string {
  const hint = hintOf(found);
  const message = messageOf(found);
  const end = /[.?)]$/.test(message) ? "" : ".";
  return `${placeText(position)}: ${message}${hint === undefined || hint === "" ? "" : `${end} ${hint}`}`;
}

function placeText(position: SourcePosition | undefined): string {
  return position === undefined ? "" : `${position.file}:${position.line}:${position.column}`;
}

import { UsageError } from "../base/errors.ts";
import { parsePath, valueAt } from "../base/field-path.ts";
import { unifiedDiff } from "../base/line-diff.ts";
import { helmValues } from "../install/helm-values.ts";
import { profileNames, profileSummary, readProfile } from "../install/profiles.ts";
import { type Settings, settingsOf } from "../install/settings.ts";
import { toYaml } from "../resources/yaml-plain.ts";
import { table } from "../report/table.ts";
import { switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { readSettingsInput, settingsFlags } from "./settings-input.ts";

const VIEWS = { list, show, dump, diff };

/** One command per view of profiles. */
export function runView(view: keyof typeof VIEWS, input: CommandInput, io: Io): Promise<CommandResult> {
  return VIEWS[view](input, io);
}

/** `meshctl profile list`: every bundled profile and what it is for. */
function list(input: CommandInput, io: Io): Promise<CommandResult> {
  return Promise.resolve().then(() => {
    const profiles = profileNames().map((name) => ({ name, summary: profileSummary(name) }));
    print(input, io, {
      data: profiles,
      text: () =>
        table(
          ["NAME", "FOR"],
          profiles.map(({ name, summary }) => [name, summary]),
        ),
    });
    return { exitCode: 0 };
  });
}

/** `meshctl profile show NAME`: what a profile is for, what it installs and what it sets on top of default. */
function show({ args, options }: CommandInput, io: Io): Promise<CommandResult> {
  return Promise.resolve().then(() => {
    const name = args[0] ?? "default";
    const own = readProfile(name);
    const settings = settingsOf(name, []);
    const data = { name, summary: profileSummary(name), installs: installs(settings), settings: own };
    const title = name === "default" ? "sets" : "sets on top of default";
    print({ args, options }, io, {
      data,
      text: () =>
        `${name}: ${data.summary}\n\ninstalls\n${data.installs.map((line) => `  ${line}\n`).join("")}\n${title}\n${indented(toYaml(own))}`,
    });
    return { exitCode: 0 };
  });
}

function installs({ components, values }: Settings): readonly string[] {
  const isRemote = (values["istiodRemote"] as { enabled?: boolean } | undefined)?.enabled === true;
  const gateways = [...components.ingressGateways, ...components.egressGateways].filter(({ enabled }) => enabled);
  const parts = [
    ...(components.base.enabled ? ["CRDs"] : []),
    ...(components.pilot.enabled ? [isRemote ? "injection by a control plane elsewhere" : "control plane istiod"] : []),
    ...gateways.map(({ name }) => `gateway ${name ?? ""}`),
  ];
  return parts.length === 0 ? ["nothing"] : parts;
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "  ");
}

/** `meshctl profile dump [NAME]`: every setting with its value, as an IstioOperator; with -f and --set on top. */
async function dump(input: CommandInput, io: Io): Promise<CommandResult> {
  const flags = settingsFlags(input);
  const { settings } = await readSettingsInput({ ...flags, profile: input.args[0] ?? flags.profile }, io);
  const path = textOption(input, "configPath");
  const whole = switchOption(input, "helmValues") ? helmValues(settings) : settings;
  const data = path === undefined ? wrapped(whole, switchOption(input, "helmValues")) : part(whole, path);
  io.out(textOption(input, "output") === "json" ? `${JSON.stringify(data, undefined, 2)}\n` : toYaml(data));
  return { exitCode: 0 };
}

function wrapped(whole: unknown, isHelm: boolean): unknown {
  return isHelm ? whole : { apiVersion: "install.istio.io/v1alpha1", kind: "IstioOperator", spec: whole };
}

function part(whole: unknown, path: string): unknown {
  const value = valueAt(whole, parsePath(path) ?? []);
  if (value === undefined)
    throw new UsageError(`--config-path ${path}: nothing is set there`, "Paths are as in --set: components.pilot.k8s.");
  return value;
}

/** `meshctl profile diff A B`: what differs between the settings of two profiles; exit code 1 when something does. */
function diff({ args }: CommandInput, io: Io): Promise<CommandResult> {
  return Promise.resolve().then(() => {
    const [before, after] = args.map((name) => toYaml({ ...settingsOf(name, []), profile: "" }));
    const text = unifiedDiff("profile", before ?? "", after ?? "");
    io.out(text.replace("--- a/profile\n+++ b/profile\n", `--- ${args[0] ?? ""}\n+++ ${args[1] ?? ""}\n`));
    if (text === "") io.err("✔ no difference.\n");
    return { exitCode: text === "" ? 0 : 1 };
  });
}

function print(
  input: CommandInput,
  io: Io,
  { data, text }: { readonly data: unknown; readonly text: () => string },
): void {
  const output = textOption(input, "output");
  if (output === "json") io.out(`${JSON.stringify(data, undefined, 2)}\n`);
  else if (output === "yaml") io.out(toYaml(data));
  else io.out(text());
}

import { UsageError } from "../base/errors.ts";
import { sortFindings } from "../analyzers/run.ts";
import { reporters } from "../report/findings.ts";
import { isClusterScoped } from "../resources/files-world.ts";
import { completeManifests, readManifests } from "../resources/manifests.ts";
import { validateObject } from "../validation/index.ts";
import { globalOptions, listOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { readSources } from "./sources.ts";

/** `meshctl validate`: each object alone, as the webhook of the control plane looks at it; no cluster, no relations. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const names = [...input.args, ...listOption(input, "filename")];
  if (names.length === 0) throw new UsageError("nothing to validate", "Name files or directories, or - for stdin.");
  const read = readManifests(await readSources(names, io));
  const { objects } = completeManifests(read.objects, globalOptions(input).namespace ?? "default", isClusterScoped);
  const found = objects.flatMap(({ object, position }) =>
    validateObject(object).map((each) => ({ ...each, position: position(each.path) })),
  );
  const findings = sortFindings([...read.findings, ...found]);
  const reporter = textOption(input, "output") === "json" ? reporters.json : reporters.text;
  io.out(reporter(findings, { terminal: io.isTTY, env: io.env, sourceLine: () => undefined }));
  if (findings.some(({ code }) => code === "MSH0001")) return { exitCode: 2 };
  if (findings.some(({ level }) => level === "Error")) return { exitCode: 1 };
  io.err(`✔ ${objects.length === 1 ? "1 object is" : `${objects.length} objects are`} valid.\n`);
  return { exitCode: 0 };
}

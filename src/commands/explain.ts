import { compact } from "../base/compact.ts";
import { UsageError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { type ExplainEntry, explainEntries } from "../gen/explain-index.ts";
import { explain } from "./explain-data.ts";
import { lookUp } from "./explain-lookup.ts";
import { explanationText, listText } from "./explain-text.ts";
import { textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";

/** `meshctl explain`: what a kind, a field, a configuration or a code means; offline, from what the program carries. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const [subject] = input.args;
  const output = textOption(input, "output") ?? "text";
  const print = async (data: unknown, text: () => string): Promise<void> => {
    if (output === "json") io.out(`${JSON.stringify(data, undefined, 2)}\n`);
    else if (output === "yaml") io.out((await import("../resources/yaml-plain.ts")).toYaml(data));
    else io.out(text());
  };
  if (subject === undefined) {
    await print(explainEntries.map(listed), () => listText(explainEntries));
  } else if (/^(?:ist|msh)\d*$/i.test(subject)) {
    const page = await explainCode(subject.toUpperCase());
    await print(page, () => page.page);
  } else {
    const wanted = lookUp(subject);
    const explanation = await explain(wanted);
    const toYaml = explanation.example === undefined ? undefined : (await import("../resources/yaml-plain.ts")).toYaml;
    await print(explanation, () => explanationText(explanation, wanted.others, toYaml));
  }
  return { exitCode: 0 };
}

function listed({ name, summary, group, versions = [], plural, shortNames }: ExplainEntry): unknown {
  const apiVersions = group === undefined ? undefined : versions.map((version) => `${group}/${version}`);
  return compact({ name, apiVersions, plural, shortNames, description: summary });
}

/** A code with its page. Throws UsageError with the nearest code. */
async function explainCode(
  code: string,
): Promise<{ readonly code: string; readonly name: string; readonly level: string; readonly page: string }> {
  const [{ codePages }, { recordOf }] = await Promise.all([
    import("../gen/code-pages.ts"),
    import("../diagnostics/codes.ts"),
  ]);
  const page = codePages[code];
  const record = recordOf(code);
  if (page === undefined || record === undefined) {
    const close = nearest(code, Object.keys(codePages));
    throw new UsageError(`there is no code ${code}`, close === undefined ? "" : `Did you mean ${close}?`);
  }
  return { code, name: record.name, level: record.level, page };
}

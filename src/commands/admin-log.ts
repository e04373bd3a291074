import { table } from "../report/table.ts";
import { askEach } from "./control-plane.ts";
import { globalOptions, switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { print } from "./print.ts";
import { list, text } from "./proxy-config/view.ts";

/** The level of one part of one pod of the control plane, by istioctl's names. */
export interface ScopeLevel {
  readonly scope_name: string;
  readonly log_level: string;
  readonly stack_trace_level: string;
  readonly description: string;
  readonly istiod: string;
}

/** `meshctl admin log`: levels of the control plane's log, shown and changed while it runs, in every pod of it. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const cluster = await io.cluster();
  const [level = "", reset] = [textOption(input, "level"), switchOption(input, "reset")];
  const isChange = level !== "" || reset;
  const asked = new URLSearchParams({ ...(level === "" ? {} : { level }), ...(reset ? { reset: "" } : {}) });
  const revision = textOption(input, "revision");
  const { answers, failed } = await askEach(
    cluster,
    {
      ...globalOptions(input),
      ...(revision === undefined ? {} : { revision }),
      path: isChange ? `/debug/scopez?${asked.toString()}` : "/debug/scopez",
      isChange,
    },
    io,
  );
  const levels = answers.flatMap(({ istiod, answer }) =>
    list({ answer }, "answer").map((entry): ScopeLevel => {
      const [scope_name, log_level, stack_trace_level, description] = (
        ["scope_name", "log_level", "stack_trace_level", "description"] as const
      ).map((key) => text(entry, key)) as [string, string, string, string];
      return { scope_name, log_level, stack_trace_level, description, istiod };
    }),
  );
  print(input, io, { data: levels, text: tables(levels) });
  return { exitCode: failed > 0 ? 1 : 0 };
}

/** A table for each pod, under its name when there are several. */
function tables(levels: readonly ScopeLevel[]): string {
  const pods = [...new Set(levels.map(({ istiod }) => istiod))].sort();
  return pods
    .map((pod) => {
      const rows = levels
        .filter(({ istiod }) => istiod === pod)
        .map(({ scope_name, description, log_level, stack_trace_level }) => [
          scope_name,
          description,
          log_level,
          stack_trace_level,
        ]);
      const text = table(["ACTIVE SCOPE", "DESCRIPTION", "LOG LEVEL", "STACK TRACE LEVEL"], rows);
      return pods.length === 1 ? text : `${pod}:\n${text}`;
    })
    .join("\n");
}

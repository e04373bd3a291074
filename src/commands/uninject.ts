import { uninject as uninjectPod } from "../inject/uninject.ts";
import type { InjectionDecision } from "../model/injection.ts";
import { type TextFlags, textFlags } from "./inject.ts";
import { writeTexts } from "./inject-output.ts";
import { counted, type InjectReport, reportOf, writeReport } from "./inject-report.ts";
import { readNamed } from "./inject-sources.ts";
import { changeText, readSource } from "./inject-text.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";

/** `meshctl uninject -f FILE`. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult & InjectReport> {
  return uninject(textFlags(input, "uninject"), io);
}

/** Prints the documents without the proxy that an injection added; all else comes out letter by letter. */
export async function uninject(options: TextFlags, io: Io): Promise<CommandResult & InjectReport> {
  const sources = (await readNamed(options.names, io)).map(readSource);
  const texts = sources.map((source) =>
    changeText(source, {
      ...options,
      change: ({ pod }) => {
        const own = uninjectPod(pod);
        return { pod: own, decision: taken(own !== pod) };
      },
    }),
  );
  await writeTexts(texts, options, io);
  const report = reportOf(texts);
  await writeReport(report, { target: options.report, closing: closing(report) }, io);
  return { exitCode: 0, ...report };
}

function taken(isChanged: boolean): InjectionDecision {
  const reason = isChanged ? "the sidecar was taken out" : "it has no sidecar that an injection added";
  return { inject: false, reason, warnings: [] };
}

function closing({ workloads, otherDocuments }: InjectReport): string {
  const changed = workloads.filter((workload) => workload.changed).length;
  const others = otherDocuments === 0 ? "" : `; ${counted(otherDocuments, "other document")} as before`;
  return `Took the sidecar out of ${changed} of ${counted(workloads.length, "workload")}${others}.\n`;
}

import { compact } from "../../base/compact.ts";
import { ClusterError, errorText } from "../../base/errors.ts";
import type { SkippedAnalyzer } from "../../analyzers/run.ts";
import { sortFindings } from "../../analyzers/sort.ts";
import { codes } from "../../diagnostics/codes.ts";
import type { Finding } from "../../diagnostics/finding.ts";
import type { Io } from "../io.ts";
import { controlPlanePods, getJson } from "../pod-http.ts";
import type { Checked } from "./check.ts";
import type { AnalyzeOptions } from "./options.ts";

/** What /debug/analysis of the control plane answers, as far as it is read here (src/controlplane/analysis/job.ts). */
interface LiveReport {
  readonly findings: readonly Finding[];
  readonly skipped: readonly SkippedAnalyzer[];
  readonly executed: readonly string[];
  readonly objects: number;
}

const MONITORING_PORT = 15_014;

/**
 * What the control plane itself finds in what it holds now. The first of its pods that answers speaks. Throws ClusterError when
 * none does, with what each said.
 */
export async function askControlPlane(options: AnalyzeOptions, io: Io): Promise<Checked> {
  const cluster = await io.cluster();
  const namespace = options.rootNamespace;
  const path = options.allNamespaces
    ? "/debug/analysis"
    : `/debug/analysis?namespace=${encodeURIComponent(options.namespace)}`;
  const problems: string[] = [];
  for (const { metadata } of await controlPlanePods(cluster, namespace)) {
    const target = { namespace, pod: metadata.name, port: MONITORING_PORT };
    try {
      return checkedOf((await getJson(cluster, target, path)) as LiveReport);
    } catch (error) {
      problems.push(`${metadata.name}: ${errorText(error)}`);
    }
  }
  throw new ClusterError("no-analysis", `no pod of the control plane answered:\n  ${problems.join("\n  ")}`, {
    hint: "Look whether it runs and is of this version: meshctl version. Without --live-status this program analyzes by itself.",
  });
}

function checkedOf({ findings, skipped, executed, objects }: LiveReport): Checked {
  return {
    // what JSON leaves out is undefined again
    findings: sortFindings(
      findings.map(({ code, level, object, path, args, position, related, cluster }) => ({
        ...compact({ related, cluster }),
        code,
        level,
        object,
        path,
        args,
        position,
      })),
    ),
    unknown: [],
    skipped,
    executed,
    judged: new Set(Object.keys(codes)),
    objects,
  };
}

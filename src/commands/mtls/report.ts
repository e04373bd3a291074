import type { MtlsMode } from "../../ir/listener.ts";
import { table } from "../../report/table.ts";
import { print } from "../print.ts";
import { globalOptions, listOption, switchOption } from "../input.ts";
import type { CommandInput, CommandResult, Io } from "../io.ts";
import { clusterIdOf, fromEach, meshClusters, remoteMembers } from "../clusters.ts";
import { type OfflineMesh, readMesh } from "../offline/mesh.ts";
import { proxiesOf } from "../offline/proxies.ts";
import { coverageOf, type PortCoverage, type WorkloadCoverage } from "./coverage.ts";
import { type Observed, observe, type PodReport } from "./observed.ts";
import { type Mistrust, mistrusts, type TrustGroup, trustGroups } from "./trust.ts";

/** How much of a mesh is secured by mutual TLS: schemas/output/mtls-report.schema.json. */
export interface MtlsReport {
  readonly workloads: readonly WorkloadCoverage[];
  /** Ports by mode; workloads without a proxy. */
  readonly totals: {
    readonly strict: number;
    readonly permissive: number;
    readonly disable: number;
    readonly withoutProxy: number;
  };
  /** Of a cluster: what proxies saw since they started. */
  readonly observed?: readonly Observed[];
  /** Of a cluster: what pods trust. */
  readonly trust?: readonly TrustGroup[];
  /** Of a cluster: pods whose certificates others refuse. */
  readonly mistrusted?: readonly Mistrust[];
}

export interface MtlsReportResult extends CommandResult {
  readonly report: MtlsReport;
}

/**
 * `meshctl mtls report`: which ports take mutual TLS alone, which take both, which none, and which clients send it; of a cluster
 * also what proxies saw, and whether pods trust each other. Exit code 1 when some do not, and with --strict when anything takes
 * plain text.
 */
export async function run(input: CommandInput, io: Io): Promise<MtlsReportResult> {
  const mesh = await readMesh(input, io);
  const workloads = coverageOf(mesh);
  const modes = workloads.flatMap(({ ports }) => ports.map(({ mode }) => mode));
  const count = (wanted: MtlsMode): number => modes.filter((mode) => mode === wanted).length;
  const totals = {
    strict: count("STRICT"),
    permissive: count("PERMISSIVE"),
    disable: count("DISABLE"),
    withoutProxy: workloads.filter(({ proxy }) => proxy === "none").length,
  };
  const seen = listOption(input, "filename").length > 0 ? {} : await seenIn(input, io, mesh);
  const report: MtlsReport = { workloads, totals, ...seen };
  print(input, io, { data: report, text: textOf(report) });
  const takesPlain = totals.permissive + totals.disable + totals.withoutProxy > 0;
  const isBad = (report.mistrusted ?? []).length > 0 || (switchOption(input, "strict") && takesPlain);
  return { exitCode: isBad ? 1 : 0, report };
}

/** What pods of every cluster say; of several each pod's name says which is its own. */
async function seenIn(
  input: CommandInput,
  io: Io,
  mesh: OfflineMesh,
): Promise<Pick<MtlsReport, "observed" | "trust" | "mistrusted">> {
  const meshes = [mesh, ...(mesh.others ?? [])];
  const clusters = await meshClusters(input, io);
  await tellUnread(clusters, globalOptions(input).istioNamespace, io);
  const { answers } = await fromEach(
    clusters,
    ({ name, cluster }) => {
      const own = meshes.find(({ clusterId }) => clusterId === name) ?? mesh;
      return observe(cluster, proxiesOf(own.mesh.model), io);
    },
    io,
  );
  const reports = answers.flatMap(({ name, answer }) =>
    answer.map((report) => (meshes.length === 1 ? report : inCluster(report, name))),
  );
  const held = reports.map(({ trust }) => trust);
  return {
    observed: reports.map(({ observed }) => observed),
    trust: trustGroups(held),
    mistrusted: mistrusts(held),
  };
}

/**
 * Says which clusters of the mesh were not read. The account of a remote secret may see services, not reach pods: what proxies of
 * another cluster trust is known by a context of it alone.
 */
async function tellUnread(
  clusters: Awaited<ReturnType<typeof meshClusters>>,
  namespace: string,
  io: Io,
): Promise<void> {
  const [first] = clusters;
  const members = await remoteMembers(first.cluster, namespace);
  if (members.length === 0) return;
  const own = await clusterIdOf(first.cluster, namespace);
  const read = new Set([own, ...clusters.map(({ name }) => name)]);
  const unread = members.filter((name) => !read.has(name));
  if (unread.length > 0)
    io.err(
      `Not read: the proxies of ${unread.join(", ")}, in the same mesh by a remote secret, whose account does not reach pods. Name a context of each with --remote-contexts.\n`,
    );
}

function inCluster({ observed, trust }: PodReport, cluster: string): PodReport {
  const pod = `${observed.pod} in ${cluster}`;
  return { observed: { ...observed, pod }, trust: { ...trust, pod } };
}

function textOf({ workloads, totals, observed, trust = [], mistrusted = [] }: MtlsReport): string {
  const several = workloads.some(({ cluster }) => cluster !== undefined);
  const rows = workloads.flatMap(({ workload: name, cluster = "", proxy, ports }) => {
    const workload = several ? [name, cluster] : [name];
    return ports.length === 0
      ? [[...workload, "-", proxy === "none" ? "no proxy" : "as its Gateways say", "-", ""]]
      : ports.map((port) => [
          ...workload,
          port.port === 0 ? "others" : String(port.port),
          port.mode,
          clientsText(port),
          becauseText(port),
        ]);
  });
  const { strict, permissive, disable, withoutProxy } = totals;
  const summary = `${strict} ports take mutual TLS alone, ${permissive} take both, ${disable} none; ${withoutProxy} workloads have no proxy.\n`;
  return [
    table(["WORKLOAD", ...(several ? ["CLUSTER"] : []), "PORT", "MODE", "CLIENTS", "BECAUSE"], rows),
    summary,
    ...(observed === undefined ? [] : [observedText(observed)]),
    ...trust.map(({ subjects, pods }) => `${pods.length} pods trust ${subjects.join(" and ") || "nobody"}\n`),
    ...mistrusted.map(
      ({ pods, issuer, refusedBy }) =>
        `Not trusted: certificates of ${pods.join(", ")} (by ${issuer}) are refused by ${refusedBy.join(", ")}\n`,
    ),
  ].join("");
}

function clientsText({ clients: { mtls, plain } }: PortCoverage): string {
  return mtls + plain === 0 ? "-" : plain === 0 ? "mutual TLS" : `${mtls} mutual TLS, ${plain} plain`;
}

function becauseText({ policy, field, file, line }: PortCoverage): string {
  if (policy === undefined) return "the default";
  return `${policy} ${field ?? ""}${file === undefined ? "" : ` (${file}:${line ?? 0})`}`;
}

function observedText(observed: readonly Observed[]): string {
  const seen = observed.filter(({ mtls, plain }) => mtls + plain > 0);
  if (seen.length === 0) return "No proxy has seen a request yet.\n";
  return table(
    ["POD", "BY MUTUAL TLS", "PLAIN"],
    seen.map(({ pod, mtls, plain }) => [pod, String(mtls), String(plain)]),
  );
}

import { table } from "../report/table.ts";
import { fromEach, meshClusters } from "./clusters.ts";
import { askEach } from "./control-plane.ts";
import { globalOptions, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { print } from "./print.ts";
import { list, text } from "./proxy-config/view.ts";

/** One source of objects of one pod of the control plane: what `-o json` prints. */
export interface KnownCluster {
  readonly name: string;
  /** `namespace/name` of the Secret that it is reached by; empty for the control plane's own cluster. */
  readonly secret: string;
  /** `synced` when everything of it is known; `away` when that was so and its API server does not answer now. */
  readonly status: string;
  readonly istiod: string;
  readonly revision: string;
}

/** `meshctl remote-clusters`: what each pod of the control plane reads, and whether it has all of it. 1 when one does not. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const revision = textOption(input, "revision");
  const question = {
    ...globalOptions(input),
    ...(revision === undefined ? {} : { revision }),
    path: "/debug/clusterz",
  };
  const asked = await fromEach(await meshClusters(input, io), ({ cluster }) => askEach(cluster, question, io), io);
  const failed = asked.failed.length + asked.answers.reduce((sum, { answer }) => sum + answer.failed, 0);
  const known = asked.answers
    .flatMap(({ answer }) => answer.answers)
    .flatMap(({ istiod, revision: of, answer }) =>
      list({ answer }, "answer").map(
        (entry): KnownCluster => ({
          name: text(entry, "id"),
          secret: text(entry, "secretName"),
          status: isAway(entry) ? "away" : text(entry, "syncStatus"),
          istiod,
          revision: of,
        }),
      ),
    )
    .sort((a, b) => (`${a.name} ${a.istiod}` < `${b.name} ${b.istiod}` ? -1 : 1));
  const rows = known.map(({ name, secret, status, istiod, revision: of }) => [name, secret, status, istiod, of]);
  print(input, io, { data: known, text: table(["NAME", "SECRET", "STATUS", "ISTIOD", "REVISION"], rows) });
  return { exitCode: failed > 0 || known.some(({ status }) => status !== "synced") ? 1 : 0 };
}

/** What is known of a cluster that is away is kept and used, and may be old. */
function isAway(entry: unknown): boolean {
  const { syncStatus, reachable } = entry as { readonly syncStatus?: string; readonly reachable?: boolean };
  return syncStatus === "synced" && reachable === false;
}

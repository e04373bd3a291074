import { ClusterError } from "../base/errors.ts";
import { upgradeStep } from "../model/version-skew.ts";
import type { ClusterReader } from "../resources/cluster.ts";
import { type InstallRecord, readRecord } from "./record.ts";
import { readRevisions, type Revision, type Revisions } from "./revisions.ts";
import type { SettingsRequest } from "./settings.ts";

/** What is to be upgraded, and to what. */
export interface UpgradeAsk {
  /** Of the control planes. */
  readonly namespace: string;
  /** Absent: the only one, or the default one. */
  readonly revision?: string | undefined;
  /** The revision that a new one starts from. Absent: the only other one, or the default one. */
  readonly from?: string | undefined;
  /** Settings; absent: those of the installation. */
  readonly request?: SettingsRequest | undefined;
  /** A new revision takes the gateways over. */
  readonly gateways: boolean;
  /** Version to go to. */
  readonly version: string;
  /** Also a step that is not supported. */
  readonly force: boolean;
}

/** An upgrade that may be made. */
export interface Upgrade {
  readonly isCanary: boolean;
  /** The revision that is written. */
  readonly revision: string;
  /** The one that is there: the same when it is upgraded in place. */
  readonly from: string;
  readonly fromVersion: string;
  readonly request: SettingsRequest;
  /** Why it is not supported; there only when it was forced. */
  readonly warning: string | undefined;
}

/**
 * Judges an upgrade. Throws ClusterError `not-installed`, `which-revision` where there are several and none is the default one,
 * `no-record` where the settings are not known and none are given, `upgrade-path` for a step that is not supported.
 */
export async function planUpgrade(cluster: ClusterReader, ask: UpgradeAsk): Promise<Upgrade> {
  const state = await readRevisions(cluster, ask.namespace);
  const names = state.revisions.map(({ revision }) => revision);
  if (names.length === 0)
    throw new ClusterError("not-installed", `no control plane is installed in namespace ${ask.namespace}`, {
      hint: "Install one with meshctl install, or name its namespace with --istioNamespace.",
    });
  const revision = ask.revision ?? mainRevision(state, names);
  const isCanary = !names.includes(revision);
  const from = isCanary || ask.gateways ? (ask.from ?? otherRevision(state, revision)) : revision;
  const source = state.revisions.find((each) => each.revision === from);
  if (source === undefined) throw noRevision(from, names);
  const warning = judge(source, ask);
  const [own, other] = await Promise.all([
    readRecord(cluster, { namespace: ask.namespace, revision }),
    readRecord(cluster, { namespace: ask.namespace, revision: from }),
  ]);
  const request = requestOf(ask, { revision, isCanary, own, other });
  return { isCanary, revision, from, fromVersion: source.version, request, warning };
}

function judge({ revision, version }: Revision, ask: UpgradeAsk): string | undefined {
  const problem = upgradeStep(version, ask.version)?.problem;
  if (problem === undefined || ask.force) return problem;
  throw new ClusterError("upgrade-path", `revision ${revision}: ${problem}`, {
    hint: "Go one minor version at a time, and back with meshctl rollback; --force does it all the same.",
  });
}

function requestOf(
  ask: UpgradeAsk,
  at: {
    readonly revision: string;
    readonly isCanary: boolean;
    readonly own: InstallRecord;
    readonly other: InstallRecord;
  },
): SettingsRequest {
  const known = (at.isCanary ? at.other : at.own).current?.request;
  const base = ask.request ?? known;
  if (base === undefined)
    throw new ClusterError("no-record", `it is not recorded with what settings revision ${at.revision} was installed`, {
      hint: "Give them: --profile, -f, --set.",
    });
  const withoutGateways = !ask.gateways && (at.isCanary || known?.withoutGateways === true);
  const set = at.revision === "default" ? (base.set ?? []) : [...(base.set ?? []), `revision=${at.revision}`];
  const { withoutGateways: _, ...rest } = base;
  return { ...rest, set: [...new Set(set)], ...(withoutGateways ? { withoutGateways } : {}) };
}

/** The revision that is meant when none is named. */
function mainRevision({ tags }: Revisions, names: readonly string[]): string {
  const [only, ...more] = names;
  if (only !== undefined && more.length === 0) return only;
  const chosen = tags.find(({ tag }) => tag === "default")?.revision ?? "default";
  if (names.includes(chosen)) return chosen;
  throw new ClusterError("which-revision", `there are revisions ${names.join(", ")}`, { hint: "Pass --revision." });
}

function otherRevision({ revisions, tags }: Revisions, revision: string): string {
  const others = revisions.map((each) => each.revision).filter((name) => name !== revision);
  // alone: there is nobody to take anything from
  return others.length === 0 ? revision : mainRevision({ revisions, tags, namespaces: [], pods: [] }, others);
}

function noRevision(name: string, names: readonly string[]): ClusterError {
  return new ClusterError("not-found", `there is no revision ${name} in the cluster`, {
    hint: `There are: ${names.join(", ")}.`,
  });
}

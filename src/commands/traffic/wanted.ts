import { UsageError } from "../../base/errors.ts";
import type { Flow, Party } from "../traffic/flows.ts";

/** Tells whether a workload is one that a user named; version is not looked at. */
export type PartyTest = (party: Party) => boolean;

const KINDS = ["deploy", "deployment", "deployments", "sts", "statefulset", "ds", "daemonset", "workload", "wl"];

/**
 * The workload that a user means: `name`, `name.namespace`, `deploy/name.namespace`; without a namespace it is one of
 * `namespace`, or of any where that is undefined. Throws UsageError for another form.
 */
export function partyTest(text: string, namespace: string | undefined): PartyTest {
  const [first = "", second, more] = text.split("/");
  if (more !== undefined || (second !== undefined && !KINDS.includes(first.toLowerCase())))
    throw new UsageError(`"${text}" names no workload`, "Write it as name.namespace or deploy/name.namespace.");
  const name = second ?? first;
  const at = name.indexOf(".");
  const [workload, where] = at < 0 ? [name, namespace] : [name.slice(0, at), name.slice(at + 1)];
  return (party) => party.workload === workload && (where === undefined || party.namespace === where);
}

/** Flows that touch a namespace: from it or into it. */
export function touches(namespace: string | undefined): (flow: Flow) => boolean {
  return ({ from, to }) => namespace === undefined || from.namespace === namespace || to.namespace === namespace;
}

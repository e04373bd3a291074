import { setTimeout as delay } from "node:timers/promises";
import { X509Certificate } from "node:crypto";
import { ClusterError, UsageError } from "../../base/errors.ts";
import { bareSerial, readRevocationLists, revocationScope, revoke } from "../../pki/revocation.ts";
import type { Cluster } from "../../resources/cluster.ts";
import { isAgreed } from "../confirm.ts";
import { durationOption, globalOptions, listOption, switchOption } from "../input.ts";
import type { CommandInput, CommandResult, Io } from "../io.ts";
import { findPod } from "../pod-http.ts";
import { askHolders, proxyNames, subjectOf } from "./holders.ts";
import { leniency } from "./judge.ts";
import { readAuthorities, writeTrust } from "./secrets.ts";
import { refuseForeign } from "./signer.ts";

const POLL_MS = 2_000;

/**
 * `meshctl ca revoke`: puts certificates, by serial number or by the pod that holds them now, on the authority's revocation list,
 * and waits until every proxy checks it. Connections that stand are not ended. Exit code 1 when the wait came to its end.
 */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const { istioNamespace, namespace = "default" } = globalOptions(input);
  const pods = listOption(input, "pod");
  if (input.args.length === 0 && pods.length === 0)
    throw new UsageError("revoke: expected serial numbers or --pod", "meshctl ca status prints them.");
  const cluster = await io.cluster();
  await refuseForeign(cluster, istioNamespace, "Revoke at the issuer; its certificates are short-lived.");
  const { current } = await readAuthorities(cluster, istioNamespace);
  const { ca, secret } = current;
  const serials = [
    ...input.args.map(readSerial),
    ...(await Promise.all(pods.map((pod) => serialOf(cluster, pod, { namespace, by: ca.certificate })))),
  ];
  io.err(`Of ${subjectOf(ca.certificate)}: ${serials.join(", ")}\n`);
  const doing = "revoke has peers refuse these certificates for good";
  if (!(await isAgreed(io, { byFlag: switchOption(input, "skipConfirmation"), doing }))) {
    io.err("Cancelled: nothing was changed.\n");
    return { exitCode: 1 };
  }
  const lists = await revoke(ca, current.revocations, serials, io.now());
  const scope = await revocationScope(ca, readRevocationLists(lists), io.now().getTime());
  await writeTrust(cluster, istioNamespace, { secret, roots: ca.roots, revocations: lists });
  io.err(`✔ Secret ${secret} has the list; proxies look up ${LOOKUP[scope]}\n`);
  const timeoutMs = durationOption(input, "timeout", "5m");
  return { exitCode: (await isChecked(cluster, { istioNamespace, io, lists, timeoutMs })) ? 0 : 1 };
}

const LOOKUP = {
  leaf: "the peer's own certificate (add lists of all authorities above to have those looked up too)",
  chain: "every certificate of the peer's chain",
} as const;

function readSerial(text: string): string {
  const serial = text.replaceAll(":", "");
  if (/^(0x)?[0-9a-fA-F]{1,64}$/.test(serial)) return bareSerial(serial);
  throw new UsageError(`expected a serial number in hexadecimal, got "${text}"`, "Name pods by --pod.");
}

/** Serial number of what the pod holds now. */
async function serialOf(
  cluster: Cluster,
  text: string,
  { namespace, by }: { readonly namespace: string; readonly by: string },
): Promise<string> {
  const pod = await findPod(cluster, text, namespace);
  const [holder] = await askHolders(cluster, [`${pod.pod}.${pod.namespace}`]);
  const [pem] = holder?.chain ?? [];
  if (pem === undefined)
    throw new ClusterError("no-certificate", `pod ${pod.namespace}/${pod.pod} holds no certificate`, {
      hint: holder?.problem ?? "Wait until its proxy is ready, or name the serial number.",
    });
  const leaf = new X509Certificate(pem);
  if (leaf.checkIssued(new X509Certificate(by))) return bareSerial(leaf.serialNumber);
  throw new ClusterError("foreign-certificate", `the certificate of pod ${text} is of ${leaf.issuer}`, {
    hint: "Only the authority that signed a certificate can revoke it.",
  });
}

interface Wait {
  readonly istioNamespace: string;
  readonly io: Io;
  readonly lists: string;
  readonly timeoutMs: number;
}

async function isChecked(cluster: Cluster, { istioNamespace, io, lists, timeoutMs }: Wait): Promise<boolean> {
  const end = io.now().getTime() + timeoutMs;
  for (;;) {
    const holders = await askHolders(cluster, await proxyNames(cluster, istioNamespace, io));
    // who holds a revoked certificate is told of by status: it gets another one when it asks
    const late = holders.filter(
      (holder) => holder.problem !== undefined || leniency({ ...holder, chain: [] }, lists).length > 0,
    );
    if (late.length === 0) {
      io.err(`✔ every proxy checks the list (${holders.length})\n`);
      return true;
    }
    if (io.now().getTime() >= end) {
      io.err(`✘ not yet: ${late.map(({ name }) => name).join(", ")}\n`);
      return false;
    }
    await delay(POLL_MS, undefined, { signal: io.signal });
  }
}

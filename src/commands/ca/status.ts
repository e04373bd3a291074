import { X509Certificate } from "node:crypto";
import { errorText } from "../../base/errors.ts";
import type { Authority } from "../../pki/authority-secret.ts";
import { isRevoked, readRevocationLists, revocationScope } from "../../pki/revocation.ts";
import { splitPem } from "../../pki/trust-path.ts";
import { table } from "../../report/table.ts";
import type { Cluster } from "../../resources/cluster.ts";
import { toYaml } from "../../resources/yaml-plain.ts";
import { globalOptions, textOption } from "../input.ts";
import type { CommandInput, CommandResult, Io } from "../io.ts";
import { commonRoots, foreignProblems, strangeToProxies } from "./foreign-status.ts";
import { askHolders, type Holder, proxyNames, rootMaps, strangeServers, subjectOf } from "./holders.ts";
import { distrust, lacking, leniency, phaseOf, strayLeaf } from "./judge.ts";
import { type Authorities, readAuthorities } from "./secrets.ts";
import { foreignSigner } from "./signer.ts";

/** A certificate of the authority, flat. */
export interface CaCertificate {
  readonly subject: string;
  readonly serial: string;
  /** SHA-256. */
  readonly fingerprint: string;
  /** ISO time. */
  readonly notAfter: string;
}

/** One proxy: whom it trusts, and by whom its certificate is. */
export interface CaProxy {
  readonly name: string;
  readonly namespace: string;
  /** Subjects. */
  readonly trusts: readonly string[];
  readonly issuer: string;
  /** Serial number of its certificate, as `ca revoke` takes it. */
  readonly serial: string;
  /** ISO time. */
  readonly notAfter: string;
  /** Empty when all is well. */
  readonly problems: readonly string[];
}

/** What `ca status` prints as data: schemas/output/ca-status.schema.json. */
export interface CaStatus {
  /** Who signs workloads in place of the control plane: then neither of the next two is there. */
  readonly signer?: string;
  readonly secret?: string;
  readonly authority?: CaCertificate;
  readonly roots: readonly CaCertificate[];
  /** Revocation lists; undefined: there are none. */
  readonly revocations?: {
    /** What proxies look up: the workload's certificate alone, or the whole chain. */
    readonly scope: string;
    readonly lists: readonly {
      readonly issuer: string;
      readonly revoked: readonly string[];
      /** ISO time. */
      readonly nextUpdate: string;
    }[];
  };
  /** A rotation that goes on. */
  readonly rotation?: { readonly phase: string; readonly next: CaCertificate };
  readonly proxies: readonly CaProxy[];
  /** What is wrong beside the proxies. */
  readonly problems: readonly string[];
}

/** Time to plan another root. */
const SOON_DAYS = 60;
const DAY_MS = 24 * 3600_000;

/** `meshctl ca status`: exit code 1 when a proxy does not trust whom it should, or something nears its end. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const { istioNamespace } = globalOptions(input);
  const cluster = await io.cluster();
  const signer = await foreignSigner(cluster, istioNamespace);
  const status =
    signer === undefined
      ? await ownStatus(cluster, istioNamespace, io)
      : await foreignStatus(cluster, { istioNamespace, signer }, io);
  print(status, textOption(input, "output"), io);
  const isBad = status.problems.length > 0 || status.proxies.some(({ problems }) => problems.length > 0);
  return { exitCode: isBad ? 1 : 0 };
}

/** Where somebody else signs: the proxies alone say whom they trust. */
async function foreignStatus(
  cluster: Cluster,
  { istioNamespace, signer }: { readonly istioNamespace: string; readonly signer: string },
  io: Io,
): Promise<CaStatus> {
  const holders = await askHolders(cluster, await proxyNames(cluster, istioNamespace, io));
  const roots = commonRoots(holders);
  const certificates = splitPem(roots).map(describe);
  return {
    signer,
    roots: certificates,
    proxies: holders.map((holder) => describeProxy(holder, foreignProblems(holder, holders, io.now()))),
    problems: [...nearing(certificates, io.now()), ...(await strangeToProxies(cluster, istioNamespace, roots))],
  };
}

async function ownStatus(cluster: Cluster, istioNamespace: string, io: Io): Promise<CaStatus> {
  const authorities = await readAuthorities(cluster, istioNamespace);
  const { current, next } = authorities;
  const connects = cluster.podHttp === undefined && cluster.elsewhere === undefined;
  const [maps, servers, names] = await Promise.all([
    rootMaps(cluster),
    connects ? strangeServers(cluster, istioNamespace, current.ca.roots) : [],
    proxyNames(cluster, istioNamespace, io),
  ]);
  if (!connects) io.err("Not looked at: which certificate each control plane pod shows; that takes a connection.\n");
  const holders = await askHolders(cluster, names);
  const revocations = await describeLists(current, io.now());
  return {
    secret: current.secret,
    authority: describe(current.ca.certificate),
    roots: splitPem(current.ca.roots).map(describe),
    ...("words" in revocations || revocations.lists.length === 0 ? {} : { revocations }),
    ...(next === undefined
      ? {}
      : { rotation: { phase: phaseOf(current, next.ca), next: describe(next.ca.certificate) } }),
    proxies: holders.map((holder) => describeProxy(holder, proxyProblems(holder, authorities, io.now()))),
    problems: [
      ...("words" in revocations ? [revocations.words] : []),
      ...ending(current, io.now()),
      ...[...maps]
        .filter(([, pem]) => lacking(current.ca.roots, pem).length > 0)
        .map(([namespace]) => `ConfigMap istio-ca-root-cert of namespace ${namespace} lacks a root`),
      ...servers,
    ],
  };
}

function describe(pem: string): CaCertificate {
  const { serialNumber, fingerprint256, validTo } = new X509Certificate(pem);
  return {
    subject: subjectOf(pem),
    serial: serialNumber.toLowerCase(),
    fingerprint: fingerprint256.replaceAll(":", "").toLowerCase(),
    notAfter: new Date(validTo).toISOString(),
  };
}

async function describeLists(
  { ca, revocations }: Authority,
  now: Date,
): Promise<NonNullable<CaStatus["revocations"]> | { readonly words: string }> {
  try {
    const lists = readRevocationLists(revocations);
    return {
      scope: lists.length === 0 ? "" : await revocationScope(ca, lists, now.getTime()),
      lists: lists.map(({ issuer, serials, nextUpdate }) => ({
        issuer,
        revoked: serials,
        nextUpdate: nextUpdate.toISOString(),
      })),
    };
  } catch (error) {
    return { words: errorText(error) };
  }
}

function ending({ ca, revocations }: Authority, now: Date): readonly string[] {
  const certificates = [ca.certificate, ...ca.intermediates, ...splitPem(ca.roots)].map(describe);
  return [
    ...nearing(certificates, now),
    ...[...new Set(splitPem(ca.roots))]
      .filter((pem) => isRevoked(safeLists(revocations), pem))
      .map((pem) => `${subjectOf(pem)} is revoked`),
  ];
}

/** Those of them that end soon. */
function nearing(certificates: readonly CaCertificate[], now: Date): readonly string[] {
  const soon = now.getTime() + SOON_DAYS * DAY_MS;
  const distinct = [...new Map(certificates.map((one) => [one.fingerprint, one])).values()];
  return distinct
    .filter(({ notAfter }) => Date.parse(notAfter) < soon)
    .map(({ subject, notAfter }) => `${subject} ends on ${notAfter.slice(0, 10)}`);
}

function safeLists(pem: string): ReturnType<typeof readRevocationLists> {
  try {
    return readRevocationLists(pem);
  } catch {
    return [];
  }
}

/** In a rotation both authorities' certificates are right. */
function proxyProblems(holder: Holder, { current, next }: Authorities, now: Date): readonly string[] {
  const strays = [current.ca, ...(next === undefined ? [] : [next.ca])].map((ca) => strayLeaf(holder, ca, now));
  const stray = strays.some((words) => words.length === 0) ? [] : (strays[0] ?? []);
  const trust = [
    ...distrust(holder, current.ca.roots),
    ...(safeLists(current.revocations).length > 0 ? leniency(holder, current.revocations) : []),
  ];
  return [...new Set([...trust, ...stray])];
}

function describeProxy(holder: Holder, problems: readonly string[]): CaProxy {
  const dot = holder.name.indexOf(".");
  const [pem] = holder.chain;
  const leaf = pem === undefined ? undefined : new X509Certificate(pem);
  return {
    name: holder.name.slice(0, dot),
    namespace: holder.name.slice(dot + 1),
    trusts: holder.roots.map(subjectOf),
    issuer: leaf?.issuer.replaceAll("\n", ", ") ?? "",
    serial: leaf?.serialNumber.toLowerCase() ?? "",
    notAfter: leaf === undefined ? "" : new Date(leaf.validTo).toISOString(),
    problems,
  };
}

function print(status: CaStatus, output: string | undefined, io: Io): void {
  if (output === "json") return io.out(`${JSON.stringify(status, undefined, 2)}\n`);
  if (output === "yaml") return io.out(toYaml(status));
  const { signer, authority, roots, revocations, rotation, proxies } = status;
  const line = (what: string, words: string): string => `${`${what}:`.padEnd(13)}${words}\n`;
  const until = ({ subject, notAfter }: CaCertificate): string => `${subject}, until ${notAfter.slice(0, 10)}`;
  if (authority !== undefined) io.out(line("Signs", `${until(authority)} (Secret ${status.secret})`));
  if (signer !== undefined) io.out(line("Signs", signer));
  for (const root of roots) io.out(line("Trusted", until(root)));
  if (revocations !== undefined)
    io.out(
      line("Revoked", `${revocations.lists.flatMap(({ revoked }) => revoked).length}, checked: ${revocations.scope}`),
    );
  if (rotation !== undefined) io.out(line("Rotation", `to ${rotation.next.subject}; next phase: ${rotation.phase}`));
  const rows = proxies.map(({ name, namespace, trusts, issuer, notAfter, problems }) => [
    `${name}.${namespace}`,
    String(trusts.length),
    issuer === "" ? "-" : issuer,
    notAfter === "" ? "-" : notAfter.replace(/\.\d+Z$/, "Z"),
    problems.length === 0 ? "ok" : problems.join("; "),
  ]);
  if (rows.length > 0) io.out(`\n${table(["PROXY", "ROOTS", "CERTIFICATE BY", "UNTIL", "STATE"], rows)}`);
  for (const problem of status.problems) io.err(`✘ ${problem}\n`);
}

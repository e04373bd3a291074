import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { UsageError } from "../../base/errors.ts";
import { type Authority, CA_FILES, loadFiles, OWN_SECRET, PLUGGED_SECRET } from "../../pki/authority-secret.ts";
import { type Ca, createRoot } from "../../pki/ca.ts";
import { readRevocationLists, revoke } from "../../pki/revocation.ts";
import { mergePem } from "../../pki/trust-path.ts";
import type { Cluster } from "../../resources/cluster.ts";
import { isAgreed } from "../confirm.ts";
import { durationOption, globalOptions, listOption, switchOption, textOption } from "../input.ts";
import type { CommandInput, CommandResult, Io } from "../io.ts";
import { askHolders, type Holder, proxyNames, rootMaps, strangeServers, subjectOf } from "./holders.ts";
import { refuseForeign } from "./signer.ts";
import { areSame, distrust, formerTrust, lacking, leniency, phaseOf, strayLeaf } from "./judge.ts";
import {
  type Authorities,
  dropNext,
  keepNext,
  type Next,
  readAuthorities,
  writeSigner,
  writeTrust,
} from "./secrets.ts";

export interface RotateOptions {
  readonly istioNamespace: string;
  /** Folder with the files of an authority to rotate to; undefined: a new root of the mesh's own. */
  readonly from: string | undefined;
  /** Of each wait. */
  readonly timeoutMs: number;
  /** One phase, not all. */
  readonly step: boolean;
  readonly abort: boolean;
  readonly isConfirmed: boolean;
  /** Proxies that are not waited for. */
  readonly ignored: readonly string[];
}

/** What to do instead where somebody else signs. */
const ELSEWHERE =
  "Rotate at the issuer: put its next root beside the former one (meshConfig.caCertificates), wait until meshctl ca status shows both at every proxy, have it sign with the next one, then take the former root out.";
const ROOT_DAYS = 3650;
const DAY_MS = 24 * 3600_000;
const SKEW_MS = 2 * 60_000;
const POLL_MS = 2_000;
const SHOWN = 10;

/** `meshctl ca rotate`. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  return rotate(
    {
      istioNamespace: globalOptions(input).istioNamespace,
      from: textOption(input, "from"),
      timeoutMs: durationOption(input, "timeout", "15m"),
      step: switchOption(input, "step"),
      abort: switchOption(input, "abort"),
      isConfirmed: switchOption(input, "skipConfirmation"),
      ignored: listOption(input, "ignore"),
    },
    io,
  );
}

/** One rotation on its way. */
interface Rotation {
  readonly cluster: Cluster;
  readonly options: RotateOptions;
  readonly io: Io;
  readonly current: Authority;
  readonly next: Next;
  /** What this run has found to hold: asked again before the next phase, told once. */
  readonly told: Set<string>;
}

/**
 * Takes the mesh to another authority: the next roots are trusted everywhere, then the next authority signs, then, when every
 * proxy has a certificate of it, the former roots go. Before each phase all proxies are asked whether it is safe. A run that
 * ends in between is gone on with by the next one. Exit code 0 when it is done, 1 when a wait came to its end.
 */
export async function rotate(options: RotateOptions, io: Io): Promise<CommandResult> {
  const cluster = await io.cluster();
  await refuseForeign(cluster, options.istioNamespace, ELSEWHERE);
  const before = await readAuthorities(cluster, options.istioNamespace);
  if (options.abort) return abort(cluster, { options, io, before });
  if (before.next === undefined) {
    if (!(await begin(cluster, { options, io, before }))) return { exitCode: 1 };
  } else if (
    options.from !== undefined &&
    !areSame((await readFolder(options.from, io.cwd)).certificate, before.next.ca.certificate)
  )
    throw new UsageError(
      `a rotation to ${subjectOf(before.next.ca.certificate)} goes on`,
      "Go on with it without --from, or give it up by --abort.",
    );
  const told = new Set<string>();
  for (;;) {
    const { current, next } = await readAuthorities(cluster, options.istioNamespace);
    if (next === undefined) return { exitCode: 0 };
    const rotation: Rotation = { cluster, options, io, current, next, told };
    const phase = phaseOf(current, next.ca);
    if (!(await phases[phase](rotation))) return { exitCode: 1 };
    if (options.step) return { exitCode: 0 };
  }
}

interface Start {
  readonly options: RotateOptions;
  readonly io: Io;
  readonly before: Authorities;
}

/** Makes or reads the next authority and keeps it. False when the user does not want it. */
async function begin(cluster: Cluster, { options, io, before: { current } }: Start): Promise<boolean> {
  const { from, istioNamespace } = options;
  if (from === undefined && current.secret === PLUGGED_SECRET)
    throw new UsageError(
      "Secret cacerts holds an authority of your own: the mesh cannot make the next one",
      "Name a folder with its files by --from; meshctl ca create makes one.",
    );
  const ca = from === undefined ? await newRoot(current.ca, io.now()) : await readFolder(from, io.cwd);
  io.err(`From ${subjectOf(current.ca.certificate)}, Secret ${current.secret}\n`);
  io.err(`  to ${subjectOf(ca.certificate)}, until ${ca.notAfter.toISOString().slice(0, 10)}\n`);
  const doing = "rotate changes who signs in the mesh";
  if (!(await isAgreed(io, { byFlag: options.isConfirmed, doing }))) {
    io.err("Cancelled: nothing was changed.\n");
    return false;
  }
  const target = from === undefined ? OWN_SECRET : PLUGGED_SECRET;
  await keepNext(cluster, istioNamespace, { ca, target, former: current.ca.roots });
  return true;
}

/** A root for the same trust domain as the one before, with a name of its own: chains are found by names. */
async function newRoot(before: Ca, now: Date): Promise<Ca> {
  const organization = /(?:^|, )O=([^,]+)/.exec(subjectOf(before.certificate))?.[1] ?? "cluster.local";
  const validity = {
    notBefore: new Date(now.getTime() - SKEW_MS),
    notAfter: new Date(now.getTime() + ROOT_DAYS * DAY_MS),
  };
  return createRoot(organization, validity, { commonName: `mesh root ${now.toISOString().slice(0, 19)}` });
}

async function readFolder(folder: string, cwd: string): Promise<Ca> {
  const read = (name: string): Promise<string | undefined> =>
    readFile(resolve(cwd, folder, name), "utf8").catch(() => undefined);
  const [certificate, key, chain, roots] = await Promise.all(
    [CA_FILES.certificate, CA_FILES.key, CA_FILES.chain, CA_FILES.roots].map(read),
  );
  return loadFiles({ certificate, key, chain, roots }, { where: `folder ${folder}`, needsRoots: true });
}

/** Each does what is next and waits until it has arrived. False when the wait came to its end. */
const phases: Readonly<Record<ReturnType<typeof phaseOf>, (rotation: Rotation) => Promise<boolean>>> = {
  async trust(rotation) {
    const { cluster, options, current, next, io } = rotation;
    const lists = await listsWith(current, next.ca, io.now());
    const roots = mergePem(current.ca.roots, next.ca.roots);
    const { secret } = current;
    await writeTrust(cluster, options.istioNamespace, { secret, roots, revocations: lists });
    return everybodyTrusts(rotation, roots, lists);
  },
  async sign(rotation) {
    const { cluster, options, current, next, io } = rotation;
    const { revocations } = current;
    const roots = mergePem(current.ca.roots, next.ca.roots);
    if (!(await everybodyTrusts(rotation, roots, revocations))) return false;
    await writeSigner(cluster, options.istioNamespace, { ...next, roots, revocations });
    io.err(`✔ ${subjectOf(next.ca.certificate)} signs now\n`);
    return everybodyIsBy(rotation);
  },
  async retire(rotation) {
    const { cluster, options, current, next, io } = rotation;
    if (!(await everybodyIsBy(rotation))) return false;
    const { roots } = next.ca;
    // Where the authority's own Secret is kept from before a plug-in, it is never read again.
    await writeTrust(cluster, options.istioNamespace, {
      secret: current.secret,
      roots,
      revocations: current.revocations,
    });
    for (const pem of lacking(current.ca.roots, roots)) io.err(`✔ ${subjectOf(pem)} is not among the roots any more\n`);
    return nobodyTrustsMore(rotation);
  },
  async finish(rotation) {
    if (!(await nobodyTrustsMore(rotation))) return false;
    await dropNext(rotation.cluster, rotation.options.istioNamespace);
    rotation.io.err("✔ the rotation is complete\n");
    return true;
  },
};

/** Who checks lists refuses an authority that has none: the next one begins an empty list before it signs. */
async function listsWith({ revocations }: Authority, next: Ca, now: Date): Promise<string> {
  if (readRevocationLists(revocations).length === 0) return "";
  return revoke(next, revocations, [], now);
}

function everybodyTrusts(rotation: Rotation, roots: string, revocations: string): Promise<boolean> {
  return until(rotation, {
    what: "every proxy and namespace trusts the next roots",
    ofProxy: (holder) => [...distrust(holder, roots), ...leniency(holder, revocations)],
    ofMesh: async () => mapsWithout(await rootMaps(rotation.cluster), roots),
  });
}

function everybodyIsBy(rotation: Rotation): Promise<boolean> {
  const { cluster, options, next, io } = rotation;
  return until(rotation, {
    what: "every proxy and control plane has a certificate of the next authority",
    ofProxy: (holder) => strayLeaf(holder, next.ca, io.now()),
    ofMesh: () => strangeServers(cluster, options.istioNamespace, next.ca.roots),
  });
}

/** Other roots, which the mesh's configuration names, may stay. */
function nobodyTrustsMore(rotation: Rotation): Promise<boolean> {
  const { cluster, next } = rotation;
  const gone = lacking(next.former, next.ca.roots).join("");
  return until(rotation, {
    what: "nobody trusts a former root",
    ofProxy: (holder) => [...distrust(holder, next.ca.roots), ...formerTrust(holder, gone)],
    ofMesh: async () => mapsWithout(await rootMaps(cluster), next.ca.roots),
  });
}

function mapsWithout(maps: ReadonlyMap<string, string>, roots: string): readonly string[] {
  return [...maps].flatMap(([namespace, pem]) =>
    lacking(roots, pem).length > 0 ? [`ConfigMap istio-ca-root-cert of namespace ${namespace} lacks them`] : [],
  );
}

interface Gate {
  /** As it is told when it holds. */
  readonly what: string;
  /** What is in the way; empty: nothing. */
  readonly ofProxy: (holder: Holder) => readonly string[];
  readonly ofMesh: () => Promise<readonly string[]>;
}

/** Asks until nothing is in the way. Who was fine once is asked again at the end: proxies come and go. */
async function until(rotation: Rotation, gate: Gate): Promise<boolean> {
  const { options, io, told } = rotation;
  const end = io.now().getTime() + options.timeoutMs;
  let last = "";
  let late: readonly string[] = [];
  for (;;) {
    const seen = await look(rotation, gate, late);
    if (seen.words.length === 0 && late.length === 0) {
      const count = seen.names.length === 1 ? "1 proxy" : `${seen.names.length} proxies`;
      if (!told.has(gate.what)) io.err(`✔ ${gate.what} (${count})\n`);
      told.add(gate.what);
      return true;
    }
    // Only those that were late are asked while there are some; then all once more.
    late = seen.late;
    if (io.now().getTime() >= end) {
      io.err(`✘ not yet: ${gate.what}\n${shown(seen.words)}Nothing is lost: run meshctl ca rotate again to go on.\n`);
      return false;
    }
    if (seen.words.length === 0) continue;
    const count = `… ${seen.words.length} to go: ${gate.what}`;
    if (count !== last) io.err(`${count}\n`);
    last = count;
    await delay(POLL_MS, undefined, { signal: io.signal });
  }
}

interface Seen {
  /** All proxies that count. */
  readonly names: readonly string[];
  /** Those that something is in the way of. */
  readonly late: readonly string[];
  /** What is. */
  readonly words: readonly string[];
}

/** Asks all, or those of `among` that are still there. */
async function look({ cluster, options, io }: Rotation, gate: Gate, among: readonly string[]): Promise<Seen> {
  const all = await proxyNames(cluster, options.istioNamespace, io);
  const names = all.filter((name) => !options.ignored.includes(name));
  const some = among.filter((name) => names.includes(name));
  const holders = await askHolders(cluster, some.length > 0 ? some : names);
  const late = holders.filter((holder) => gate.ofProxy(holder).length > 0);
  const ofProxies = late.flatMap((holder) => gate.ofProxy(holder).map((one) => `${holder.name}: ${one}`));
  return { names, late: late.map(({ name }) => name), words: [...(await gate.ofMesh()), ...ofProxies] };
}

function shown(words: readonly string[]): string {
  const more = words.length - SHOWN;
  return [...words.slice(0, SHOWN), ...(more > 0 ? [`… and ${more} more`] : [])].map((line) => `  ${line}\n`).join("");
}

/** Takes the next roots out again, as long as nothing was signed by the next authority. */
async function abort(cluster: Cluster, { options, io, before: { current, next } }: Start): Promise<CommandResult> {
  if (next === undefined) {
    io.err("No rotation goes on.\n");
    return { exitCode: 0 };
  }
  if (!["trust", "sign"].includes(phaseOf(current, next.ca))) {
    io.err("✘ the next authority signs already: go on with meshctl ca rotate, then rotate back with --from\n");
    return { exitCode: 1 };
  }
  const { secret, revocations } = current;
  await writeTrust(cluster, options.istioNamespace, { secret, roots: next.former, revocations });
  await dropNext(cluster, options.istioNamespace);
  io.err("✔ the rotation is given up; nothing was signed by the next authority\n");
  return { exitCode: 0 };
}

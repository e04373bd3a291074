import { createHash, X509Certificate } from "node:crypto";
import type { Derivations, Source } from "../base/derive.ts";
import { durationMs } from "../base/duration.ts";
import { ClusterError, UsageError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { revisionSuffix } from "../base/revision.ts";
import { TRUST_RECORD } from "../model/trust-bundles.ts";
import { splitPem } from "../pki/trust-path.ts";
import type { Cluster } from "../resources/cluster.ts";
import type { World } from "../resources/world.ts";
import type { Revocations } from "./authority-runner.ts";
import type { Runner } from "./runner.ts";
import { createWriterQueue } from "./writer-queue.ts";

/** What peers are verified by, in short. */
export interface Trusted {
  /** An authority each: whose identities it vouches for (`*`: anybody's), and a digest of its name and key. Sorted. */
  readonly roots: readonly string[];
  /** A digest of all that is revoked; empty: nothing is. */
  readonly revoked: string;
}

/** What the ConfigMap keeps, so that neither a restart nor another leader takes connections for older than they are. */
export interface TrustRecord extends Trusted {
  /** When something was taken back last (ISO 8601); empty: never. */
  readonly since: string;
  /** What was in `since` before it, if it had come into effect. */
  readonly before: string;
}

export interface TrustRemovalsDeps {
  readonly cluster: Pick<Cluster, "create" | "mergePatch">;
  readonly world: World;
  readonly derivations: Derivations;
  readonly namespace: string;
  readonly revision: string;
  /** Tracked; undefined while it is not known whole. */
  readonly trusted: () => Trusted | undefined;
  /** Where it is said since when connections count as old. */
  readonly trustSince: Source<string>;
  /** How long agents have until connections are drained: who was let in by roots of before would be let in again. */
  readonly delayMs: number;
  /** Tracked: whether we are the one who writes. */
  readonly isLeader: () => boolean;
  readonly now: () => number;
  readonly log: Logger;
}

const MAP = { apiVersion: "v1", kind: "ConfigMap" };
const KEY = "trust.json";

/** A kubelet brings a ConfigMap into its pods within 90 seconds, agents look every two. */
const DELAY = "2m";

/** How long agents have: MESHD_TRUST_DRAIN_DELAY. Throws UsageError. */
export function trustDrainDelay(env: Readonly<Record<string, string | undefined>>): number {
  const name = "MESHD_TRUST_DRAIN_DELAY";
  const given = env[name] || DELAY;
  const delay = durationMs(given);
  if (delay === undefined || delay < 0)
    throw new UsageError(`expected ${name} to be a duration such as ${DELAY}, got "${given}"`);
  return delay;
}

/**
 * What is trusted in these PEM texts: the mesh's own, and those of trust domains. A root that is renewed under its key and name
 * vouches for the same certificates, and is the same. Throws for a text that is no certificate.
 */
export function trustedOf(
  { own, federated }: { readonly own: string; readonly federated: Readonly<Record<string, string>> },
  revocations?: Pick<Revocations, "lists">,
): Trusted {
  const authorities = (domain: string, pem: string): readonly string[] =>
    splitPem(pem).map((text) => {
      const { subject, publicKey } = new X509Certificate(text);
      return `${domain} ${digest([subject, publicKey.export({ type: "spki", format: "pem" }).toString()])}`;
    });
  const all = [["*", own] as const, ...Object.entries(federated)].flatMap(([domain, pem]) => authorities(domain, pem));
  const serials = (revocations?.lists ?? []).flatMap((list) =>
    list.serials.map((serial) => `${list.issuer} ${serial}`),
  );
  return {
    roots: [...new Set(all)].toSorted(),
    revoked: serials.length === 0 ? "" : digest(serials.toSorted()),
  };
}

function digest(parts: readonly string[]): string {
  return createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 24);
}

/** Whether a peer who was let in before might not be now: an authority is gone, or other certificates are revoked. */
export function isLess(now: Trusted, before: Trusted): boolean {
  const isThere = new Set(now.roots);
  const vouches = (root: string): boolean => isThere.has(root) || isThere.has(root.replace(/^.* /, "* "));
  return !before.roots.every(vouches) || (now.revoked !== "" && now.revoked !== before.revoked);
}

/** What connections are to be younger than, and in how many milliseconds that changes (undefined: it does not). */
export function effectiveSince(
  { since, before }: Pick<TrustRecord, "since" | "before">,
  { now, delayMs }: { readonly now: number; readonly delayMs: number },
): { readonly since: string; readonly changesIn: number | undefined } {
  const left = since === "" ? 0 : Date.parse(since) + delayMs - now;
  return left > 0 ? { since: before, changesIn: left } : { since, changesIn: undefined };
}

/** The record after this; the same one where nothing is to be written. */
export function nextRecord(
  record: TrustRecord | undefined,
  trusted: Trusted,
  clock: { readonly now: number; readonly delayMs: number },
): TrustRecord {
  if (record === undefined) return { ...trusted, since: "", before: "" };
  if (isLess(trusted, record)) {
    const before = effectiveSince(record, clock).since;
    return { ...trusted, since: new Date(clock.now).toISOString(), before };
  }
  const isSame = trusted.revoked === record.revoked && trusted.roots.length === record.roots.length;
  return isSame ? record : { ...record, ...trusted };
}

/**
 * Consumes what is trusted and ConfigMap `meshd-trust`; offers since when connections are from before something was taken back.
 * All replicas say the same, by the ConfigMap, which the leader writes.
 */
export function createTrustRemovals(deps: TrustRemovalsDeps): Runner {
  const { derivations, delayMs, now, log } = deps;
  const records = createRecords(deps);
  let timer: NodeJS.Timeout | undefined;
  const ends: (() => void)[] = [];
  const settle = (): void => {
    clearTimeout(timer);
    const record = records.held();
    if (record === undefined) return;
    const { since, changesIn } = effectiveSince(record, { now: now(), delayMs });
    if (changesIn !== undefined) timer = setTimeout(settle, changesIn).unref();
    else if (since !== "" && since !== deps.trustSince.get())
      log.info({ since }, "less is trusted: connections of before are drained");
    deps.trustSince.set(since);
  };
  const wanted = derivations.keyed("what is trusted", () => (deps.isLeader() ? deps.trusted() : undefined));
  const next = (trusted: Trusted): TrustRecord => nextRecord(records.held(), trusted, { now: now(), delayMs });
  const work = async (): Promise<void> => {
    const trusted = wanted();
    if (trusted === undefined) return;
    const record = next(trusted);
    if (record === records.held() && records.isThere()) return;
    await records.write(record);
    settle();
  };
  const queue = createWriterQueue("trust", work, log);
  return {
    name: "trust-removals",
    start() {
      const follow = (): void => {
        records.read();
        const trusted = wanted();
        queueMicrotask(settle);
        if (trusted !== undefined && (!records.isThere() || next(trusted) !== records.held())) queue.add("record");
      };
      ends.push(derivations.effect(follow));
      settle();
      return Promise.resolve();
    },
    async close() {
      for (const end of ends) end();
      clearTimeout(timer);
      await queue.close();
    },
  };
}

/** The record as it is known here. */
interface Records {
  readonly held: () => TrustRecord | undefined;
  /** Takes over what the ConfigMap says; tracked. */
  readonly read: () => void;
  /** Whether there is a ConfigMap; tracked. */
  readonly isThere: () => boolean;
  readonly write: (record: TrustRecord) => Promise<void>;
}

function createRecords({ cluster, world, namespace, revision }: TrustRemovalsDeps): Records {
  const name = `${TRUST_RECORD}${revisionSuffix(revision)}`;
  let held: TrustRecord | undefined;
  let seen: string | undefined;
  return {
    held: () => held,
    read() {
      const text = world.get("ConfigMap", namespace, name)?.data?.[KEY];
      // what we wrote comes back later than we know it; one that somebody deleted is written again as it was
      if (text !== seen) held = recordIn(text) ?? held;
      seen = text;
    },
    isThere: () => world.get("ConfigMap", namespace, name) !== undefined,
    async write(record) {
      const data = { [KEY]: JSON.stringify(record) };
      try {
        await cluster.create({ ...MAP, metadata: { name, namespace }, data });
      } catch (error) {
        if (!(error instanceof ClusterError) || error.code !== "already-exists") throw error;
        await cluster.mergePatch({ ...MAP, namespace, name }, { data });
      }
      held = record;
    },
  };
}

function recordIn(text: string | undefined): TrustRecord | undefined {
  if (text === undefined) return undefined;
  try {
    const { roots, revoked, since, before } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const isWhole = Array.isArray(roots) && [revoked, since, before].every((part) => typeof part === "string");
    return isWhole ? ({ roots, revoked, since, before } as TrustRecord) : undefined;
  } catch {
    return undefined;
  }
}

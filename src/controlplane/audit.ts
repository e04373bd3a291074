import { sameContent } from "../base/equal.ts";
import type { Logger } from "../base/logger.ts";
import { createRateLimit } from "../base/rate-limit.ts";
import type { Peer } from "../grpc/server.ts";
import { readCertificate } from "../pki/certificate.ts";
import { spiffeId } from "../pki/spiffe.ts";
import type { KubeObject } from "../resources/object.ts";
import type { Caller } from "./caller.ts";
import type { AdmissionAnswer, AdmissionRequest } from "./webhook.ts";

/** How a request for a certificate ended. `limited`: its client asked for too many. */
export type SigningResult = "issued" | "unauthenticated" | "bad-csr" | "refused" | "limited";

/** What is known of such a request when it has ended. */
export interface SigningFacts {
  readonly peer: Peer;
  readonly caller?: Caller;
  /** PEM of what was signed. */
  readonly certificate?: string;
  /** Why not. */
  readonly reason?: string;
}

/**
 * Who got which certificate and who changed which policy: one line of the log each, whose fields schemas/log/audit-event.schema.json
 * describes. Nothing secret is in them: no key, no token, no value of a field.
 */
export interface Audit {
  readonly signed: (result: SigningResult, facts: SigningFacts) => void;
  /** `address` is that of whoever asked us, which is to be an API server. */
  readonly reviewed: (request: AdmissionRequest, answer: AdmissionAnswer, address: string) => void;
  /** Of a mesh object that is gone, as the watch tells: nobody asks us before, so who deleted it is not known here. */
  readonly deleted: (object: KubeObject) => void;
}

/** Refusals of one client that are written down: what is issued or changed always is. */
const REFUSALS = { burst: 20, perSecond: 1 };
const MAX_PATHS = 20;
const MAX_TEXT = 300;

/** Writes to this log. */
export function createAudit(log: Logger): Audit {
  const refusals = createRateLimit(REFUSALS);
  return {
    signed(result, { peer, caller, certificate, reason }) {
      const client = peer.address.replace(/:\d+$/, "");
      if (result !== "issued" && !refusals.take(client)) return;
      const fields = {
        audit: "certificate",
        outcome: result,
        address: peer.address,
        ...(caller === undefined ? {} : callerFields(caller)),
        ...(certificate === undefined ? {} : certificateFields(certificate)),
        ...(reason === undefined ? {} : { reason }),
      };
      if (result === "issued") log.info(fields, "a certificate was issued");
      else log.warn(fields, "a certificate was refused");
    },
    reviewed(request, answer, address) {
      const fields = {
        audit: "policy",
        outcome: answer.allowed ? "allowed" : "refused",
        ...requestFields(request),
        address,
        changed: changedPaths(request),
        ...(answer.allowed ? {} : { reason: answer.message ?? "" }),
      };
      log.info(fields, "a policy was written");
    },
    deleted({ apiVersion, kind, metadata: { namespace = "", name } }) {
      log.info({ audit: "deletion", apiVersion, kind, namespace, name }, "a policy was deleted");
    },
  };
}

function requestFields(request: AdmissionRequest): Readonly<Record<string, unknown>> {
  const object = request.object ?? request.oldObject ?? undefined;
  const { name, generateName, namespace } = (object?.metadata ?? {}) as Readonly<Record<string, unknown>>;
  const groups: unknown = request.userInfo?.groups;
  return {
    operation: text(request.operation),
    apiVersion: text(object?.apiVersion),
    kind: text(object?.kind),
    namespace: text(request.namespace, namespace),
    name: text(request.name, name, generateName),
    user: text(request.userInfo?.username),
    groups: Array.isArray(groups) ? groups.map((group) => text(group)) : [],
    dryRun: request.dryRun === true,
    request: text(request.uid),
  };
}

/** The first of them that is a text and not empty, cut to a sensible length: whoever reaches the port may send a review. */
function text(...values: readonly unknown[]): string {
  const found = values.find((value): value is string => typeof value === "string" && value !== "");
  return (found ?? "").slice(0, MAX_TEXT);
}

function callerFields({ identity, podName, podUid, clusterId, by }: Caller): Readonly<Record<string, unknown>> {
  return {
    identity: spiffeId(identity),
    by,
    ...(podName === undefined ? {} : { pod: podName }),
    ...(podUid === undefined ? {} : { podUid }),
    ...(clusterId === undefined ? {} : { cluster: clusterId }),
  };
}

function certificateFields(pem: string): Readonly<Record<string, unknown>> {
  const { serial, notBefore, notAfter } = readCertificate(pem);
  return { serial, notBefore: notBefore.toISOString(), notAfter: notAfter.toISOString() };
}

/** Fields below metadata's labels and annotations, and below the rest, that differ: `spec.rules`. Values are not told. */
function changedPaths({ object, oldObject }: AdmissionRequest): readonly string[] {
  const [before, after] = [sections(oldObject), sections(object)];
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => !sameContent(before.get(path), after.get(path))).slice(0, MAX_PATHS);
}

function sections(object: KubeObject | null | undefined): ReadonlyMap<string, unknown> {
  const out = new Map<string, unknown>();
  if (object === null || object === undefined) return out;
  const parts = {
    spec: object["spec"],
    "metadata.labels": object.metadata.labels,
    "metadata.annotations": object.metadata.annotations,
  };
  for (const [part, value] of Object.entries(parts))
    if (typeof value === "object" && value !== null)
      for (const [key, field] of Object.entries(value)) out.set(text(`${part}.${key}`), field);
  return out;
}

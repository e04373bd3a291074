import type { CheckContext, ProxyFacts, ShownCertificate, UsedCertificate } from "../../src/checks/facts.ts";
import type { Finding } from "../../src/diagnostics/finding.ts";
import { createRoot } from "../../src/pki/ca.ts";

/** Any object, to be changed at will. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Loose = any;

/** What makes a check fail: one real cause in a mesh that is otherwise as it should be. */
export type Cause = (mesh: Mesh) => void | Promise<void>;

/** The moment of the test. */
export const NOW = new Date("2026-11-21T12:00:00Z");
const DAY = 24 * 3600_000;
export const base64 = (text: string): string => Buffer.from(text).toString("base64");
export const later = (days: number): Date => new Date(NOW.getTime() + days * DAY);

/** A certificate authority that begins a day ago. */
export function root(days = 3650, trustDomain = "cluster.local"): ReturnType<typeof createRoot> {
  return createRoot(trustDomain, { notBefore: later(-1), notAfter: later(days) });
}

/** A cluster with a mesh in which everything is as it should be, to be broken by one cause at a time. */
export interface Mesh {
  readonly objects: Map<string, Loose>;
  proxies: ProxyFacts[];
  findings: Finding[];
  totals: Map<string, number>;
  serving: UsedCertificate[];
  workloads: UsedCertificate[];
  /** By what stands before the gateway between networks. */
  shown: ShownCertificate;
  forbidden: string[];
  unserved: string[];
  gitVersion: string;
  time: Date;
  context: Partial<CheckContext>;
  broken: boolean;
  set(object: Loose): void;
  /** Changes one object. */
  edit(kind: string, name: string, change: (object: Loose) => void): void;
  remove(kind: string, name: string): void;
}

export function service(ns: string, name: string, spec: object = {}, labels: object = {}): Loose {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: ns, labels },
    spec: { selector: { app: name }, ports: [{ port: 443 }], ...spec },
  };
}

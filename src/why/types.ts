import type { X509Certificate } from "node:crypto";
import type { AccessLogRecord } from "../base/access-log-line.ts";
import type { FieldPath, SourcePosition } from "../diagnostics/finding.ts";
import type { ObjectRef } from "../ir/refs.ts";
import type { MeshService } from "../ir/service.ts";
import type { Model } from "../model/model.ts";
import type { Pod } from "../resources/core.ts";
import type { Outcome } from "../simulate/outcome.ts";
import type { ChosenRoute } from "../simulate/route.ts";
import type { Messages } from "../wire/codec.ts";

/** What went wrong, as a proxy wrote it down; `walk`: as it would write it, for a request that nobody sent; `counter`: only a number grew. */
export interface Symptom extends AccessLogRecord {
  readonly from: "line" | "walk" | "counter";
  /** The line, or what stands for it, for people. */
  readonly text: string;
}

/** What a proxy runs: what Envoy says it has, else what the control plane would send. */
export interface RunningConfig {
  /** Whether Envoy was asked. */
  readonly live: boolean;
  listeners(): readonly Messages["envoy.config.listener.v3.Listener"][];
  routes(name: string): Messages["envoy.config.route.v3.RouteConfiguration"] | undefined;
  cluster(name: string): Messages["envoy.config.cluster.v3.Cluster"] | undefined;
  endpoints(cluster: string): Messages["envoy.config.endpoint.v3.ClusterLoadAssignment"] | undefined;
}

/** One address that a proxy knows behind a cluster. */
export interface HostFacts {
  /** `10.1.2.3:8080` */
  readonly address: string;
  /** Envoy's reasons not to use it: `failed_outlier_check`, `failed_eds_health` … */
  readonly unhealthy: readonly string[];
}

/** A certificate that a proxy shows others. */
export interface CertificateFacts {
  readonly identity: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The leaf first. */
  readonly chain: readonly X509Certificate[];
}

/** A proxy, as far as it can be asked. */
export interface ProxyFacts {
  /** `web-6d5f.shop` */
  readonly name: string;
  readonly pod: ObjectRef;
  readonly type: "sidecar" | "router";
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly config: RunningConfig;
  readonly hosts: (cluster: string) => readonly HostFacts[];
  readonly certificates: readonly CertificateFacts[];
  /** Names of the secrets that it holds; undefined: it was not asked. */
  readonly secrets: ReadonlySet<string> | undefined;
  /** Whether its roots vouch for a certificate; undefined: it tells no roots. */
  readonly trusts: (certificate: CertificateFacts) => boolean | undefined;
  /** Sum of the counters whose name the pattern matches. */
  readonly count: (pattern: RegExp) => number;
  /** Their names. */
  readonly counters: (pattern: RegExp) => readonly string[];
  /** Names of filters in whose place a rule stands that refuses everything: their modules are not there. */
  readonly refusing: readonly string[];
  /** What it, or the control plane about it, says of configuration that it did not take. */
  readonly refusals: readonly string[];
}

/** The cluster that the request was for. */
export interface ClusterFacts {
  readonly name: string;
  readonly direction: "outbound" | "inbound" | "other";
  readonly port: number;
  readonly subset: string;
  readonly host: string;
  /** The service of that host, whoever may see it. */
  readonly service: MeshService | undefined;
  readonly message: Messages["envoy.config.cluster.v3.Cluster"] | undefined;
}

/** What an application does with a connection: `refused`, or what it speaks; `first`: it speaks before the client; `other`: bytes that are none of these; `closed`, `silent`. */
export type Speech = "refused" | "tls" | "http1" | "http2" | "first" | "other" | "closed" | "silent";

/** Where the request ended, or would have. */
export interface ServerFacts {
  readonly address: string;
  readonly port: number;
  readonly pod: Pod | undefined;
  /** Its proxy, where it has one that answers. */
  readonly proxy: ProxyFacts | undefined;
  /** What the application says to a connection that is forwarded to it; undefined: not asked. */
  readonly speaks: Speech | undefined;
}

/** The way of the request through the proxy's routes. */
export interface Way {
  readonly table: string;
  readonly chosen: ChosenRoute;
  readonly outcome: Outcome;
}

/** What one rule of an AuthorizationPolicy says to the call. */
export interface PolicyVerdict {
  /** `AuthorizationPolicy shop/viewer` */
  readonly policy: string;
  /** `spec.rules[0]` */
  readonly field: string;
  readonly action: string;
  readonly matches: boolean;
  readonly dryRun?: boolean;
  readonly missed: readonly {
    readonly part: string;
    readonly attribute: string;
    readonly wanted?: readonly string[];
    readonly unwanted?: readonly string[];
    readonly got?: string;
  }[];
}

/** Something that was changed a while ago. */
export interface Change {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly type: "set" | "delete";
  /** ISO time. */
  readonly time: string;
  readonly generation?: number;
  readonly user?: string;
}

/** All that is known about one failure at one proxy. */
export interface Facts {
  readonly symptom: Symptom;
  readonly proxy: ProxyFacts;
  readonly model: Model;
  readonly positionOf: (object: ObjectRef, path: FieldPath) => SourcePosition | undefined;
  readonly way: Way | undefined;
  readonly cluster: ClusterFacts | undefined;
  readonly server: ServerFacts | undefined;
  readonly policies: readonly PolicyVerdict[];
  /** The same request at the proxy of the server. */
  readonly behind: Facts | undefined;
  readonly changes: readonly Change[];
  /** What analysis says of objects: `Kind namespace/name` -> messages. */
  readonly findings: (object: string) => readonly string[];
  readonly now: Date;
}

/** One thing that speaks for a cause, and who says it. */
export interface Evidence {
  readonly from: string;
  readonly says: string;
}

/** What a hypothesis makes of the facts. */
export interface Guess {
  readonly code: string;
  readonly object: ObjectRef;
  /** The field of the object, as users write it. */
  readonly field?: string;
  readonly says: string;
  readonly evidence: readonly Evidence[];
  readonly fix: string;
  /** 90 and more: nothing else would look like this; 60: it fits, and nothing speaks against it; below 40: possible. */
  readonly weight: number;
}

/** A family of causes: which facts speak for them. */
export interface Hypothesis {
  readonly name: string;
  /** Codes of its causes. */
  readonly codes: readonly string[];
  readonly guess: (facts: Facts) => readonly Guess[];
}

/** A cause with its place in the files, and all that speaks for it. */
export interface Cause extends Omit<Guess, "object"> {
  /** `Kind namespace/name` */
  readonly object: string;
  readonly file?: string;
  readonly line?: number;
  readonly certainty: "certain" | "likely" | "possible";
  /** The proxy at which the cause is seen. */
  readonly proxy: string;
}

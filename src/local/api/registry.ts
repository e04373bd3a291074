import { kubeResourcesJson } from "../../gen/kube-types.ts";
import type { Schema } from "./schema.ts";
import { builtinSchema } from "./schema.ts";

/** A printed column of a custom resource. */
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly priority: number;
  readonly jsonPath: string;
  readonly description: string;
}

/** A path below an object: `pods/log`, `deployments/scale`. `kind` is what it speaks. */
export interface Subresource {
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly verbs: readonly string[];
}

/** One resource in one version, as discovery shows it and as requests find it. */
export interface ResourceInfo {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly singular: string;
  readonly kind: string;
  readonly listKind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: ReadonlyMap<string, Subresource>;
  /** Where its objects are stored: `group/resource`, shared by all versions. */
  readonly collection: string;
  /** Schema of the whole object. */
  readonly schema: Schema | undefined;
  /** What only a custom resource has. */
  readonly custom?: CustomInfo;
}

/** The parts of a CRD version that requests need. */
export interface CustomInfo {
  readonly columns: readonly Column[];
  readonly selectableFields: readonly string[];
  /** Paths of the scale subresource, e.g. `.spec.replicas`. */
  readonly scale:
    | { readonly specReplicasPath: string; readonly statusReplicasPath: string; readonly labelSelectorPath?: string }
    | undefined;
  /** The version objects are stored in; others are the same fields under another apiVersion. */
  readonly storageVersion: string;
}

interface RawResource {
  readonly groupVersion: string;
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

/** `v1` or `apps/v1`. */
export function apiVersionOf(info: { readonly group: string; readonly version: string }): string {
  return info.group === "" ? info.version : `${info.group}/${info.version}`;
}

/** The two parts of an apiVersion; the core group is "". */
export function splitApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf("/");
  if (slash < 0) return { group: "", version: apiVersion };
  return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

function builtins(): ResourceInfo[] {
  const raw = JSON.parse(kubeResourcesJson) as RawResource[];
  return raw
    .filter((entry) => !entry.name.includes("/"))
    .map((entry) => {
      const { group, version } = splitApiVersion(entry.groupVersion);
      const subresources = raw
        .filter((other) => other.groupVersion === entry.groupVersion && other.name.startsWith(`${entry.name}/`))
        .map((other): [string, Subresource] => {
          const name = other.name.slice(entry.name.length + 1);
          const speaks = { group: other.group ?? group, version: other.version ?? version, kind: other.kind };
          return [name, { name, ...speaks, verbs: other.verbs }];
        });
      return {
        group,
        version,
        resource: entry.name,
        singular: entry.singularName,
        kind: entry.kind,
        listKind: `${entry.kind}List`,
        namespaced: entry.namespaced,
        verbs: entry.verbs,
        shortNames: entry.shortNames ?? [],
        categories: entry.categories ?? [],
        subresources: new Map(subresources),
        // Events have two faces (core and events.k8s.io) over one collection; events.ts translates.
        collection: entry.name === "events" ? "/events" : `${group}/${entry.name}`,
        schema: builtinSchema(group, version, entry.kind),
      };
    });
}

function keyOf(group: string, version: string, resource: string): string {
  return `${group}/${version}/${resource}`;
}

/** All resources that are served: the built-in ones and those of CRDs, which come and go. */
export class Registry {
  private readonly resources = new Map<string, ResourceInfo>();
  private readonly byCrd = new Map<string, readonly ResourceInfo[]>();
  /** Changes with every CRD: the ETag of discovery. */
  revision = 0;

  constructor() {
    for (const info of builtins()) this.resources.set(keyOf(info.group, info.version, info.resource), info);
  }

  find(group: string, version: string, resource: string): ResourceInfo | undefined {
    return this.resources.get(keyOf(group, version, resource));
  }

  findKind(group: string, version: string, kind: string): ResourceInfo | undefined {
    return this.all().find((info) => info.group === group && info.version === version && info.kind === kind);
  }

  all(): ResourceInfo[] {
    return [...this.resources.values()];
  }

  /** Versions of a group in order of preference. */
  versions(group: string): string[] {
    return [...new Set(this.all().flatMap((info) => (info.group === group ? [info.version] : [])))].sort(
      comparePriority,
    );
  }

  /** Serves the versions of a CRD, in place of what it served before. */
  setCrd(name: string, infos: readonly ResourceInfo[]): void {
    this.removeCrd(name);
    this.byCrd.set(name, infos);
    for (const info of infos) this.resources.set(keyOf(info.group, info.version, info.resource), info);
    this.revision++;
  }

  removeCrd(name: string): void {
    for (const info of this.byCrd.get(name) ?? []) {
      this.resources.delete(keyOf(info.group, info.version, info.resource));
    }
    this.byCrd.delete(name);
    this.revision++;
  }
}

/** Kubernetes' order of versions: v2 before v1, v1 before v1beta2 before v1beta1 before v1alpha1, others last. */
export function comparePriority(left: string, right: string): number {
  const a = rank(left);
  const b = rank(right);
  if (a.kind !== b.kind) return b.kind - a.kind;
  if (a.major !== b.major) return b.major - a.major;
  if (a.minor !== b.minor) return b.minor - a.minor;
  return left < right ? -1 : 1;
}

function rank(version: string): { kind: number; major: number; minor: number } {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (match === null) return { kind: 0, major: 0, minor: 0 };
  const kind = match[2] === undefined ? 3 : match[2] === "beta" ? 2 : 1;
  return { kind, major: Number(match[1]), minor: Number(match[3] ?? 0) };
}

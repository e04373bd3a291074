import { gunzipSync, gzipSync } from "node:zlib";
import { revisionSuffix } from "../base/revision.ts";
import type { ClusterReader } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import { MANAGED_LABELS, type RenderedComponent } from "./render.ts";
import type { SettingsRequest } from "./settings.ts";

/** One state of an installation, as it is recorded in the cluster: what `rollback` brings back. */
export interface Recorded {
  /** Version of the program that applied it. */
  readonly version: string;
  readonly profile: string;
  /** ISO time. */
  readonly appliedAt: string;
  /** What was asked for: `upgrade` without flags asks for it again. */
  readonly request: SettingsRequest;
  /** Without CRDs: they only ever grow, and users' objects hang on them. */
  readonly components: readonly RenderedComponent[];
}

/** The record of a revision: ConfigMap `meshctl-record[-REVISION]` beside the control plane. */
export interface InstallRecord {
  readonly current: Recorded | undefined;
  readonly previous: Recorded | undefined;
  /** An installation began to change the cluster and has not said that it ended: the cluster is between two states. */
  readonly isOpen: boolean;
}

/** Where a record is kept. */
export interface RecordPlace {
  readonly namespace: string;
  readonly revision: string;
}

/** Reads the record of a revision; of one that was never recorded everything is undefined. */
export async function readRecord(cluster: ClusterReader, place: RecordPlace): Promise<InstallRecord> {
  const live = await cluster.get({
    apiVersion: "v1",
    kind: "ConfigMap",
    namespace: place.namespace,
    name: nameOf(place),
  });
  const packed = (live?.["binaryData"] ?? {}) as Readonly<Record<string, string | undefined>>;
  const data = (live?.["data"] ?? {}) as Readonly<Record<string, string | undefined>>;
  return {
    current: unpack(packed["current"]),
    previous: unpack(packed["previous"]),
    isOpen: data["state"] === "installing",
  };
}

/** The object that keeps a record, for server-side apply. */
export function recordObject(place: RecordPlace, { current, previous, isOpen }: InstallRecord): KubeObject {
  const packed = {
    ...(current === undefined ? {} : { current: pack(current) }),
    ...(previous === undefined ? {} : { previous: pack(previous) }),
  };
  const labels = {
    ...MANAGED_LABELS,
    "install.operator.istio.io/owning-resource-namespace": place.namespace,
    "istio.io/rev": place.revision,
    "meshctl.io/record": "installation",
  };
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: nameOf(place), namespace: place.namespace, labels },
    data: { state: isOpen ? "installing" : "installed" },
    binaryData: packed,
  };
}

/** Components as they are recorded. */
export function withoutCrds(components: readonly RenderedComponent[]): readonly RenderedComponent[] {
  return components
    .map(({ component, objects }) => ({
      component,
      objects: objects.filter(({ kind }) => kind !== "CustomResourceDefinition"),
    }))
    .filter(({ objects }) => objects.length > 0);
}

function nameOf({ revision }: RecordPlace): string {
  return `meshctl-record${revisionSuffix(revision)}`;
}

function pack(state: Recorded): string {
  return gzipSync(JSON.stringify(state)).toString("base64");
}

function unpack(text: string | undefined): Recorded | undefined {
  if (text === undefined) return undefined;
  return JSON.parse(gunzipSync(Buffer.from(text, "base64")).toString()) as Recorded;
}

import type { Container, DataObject, EnvFrom, EnvVar, KeyRef, Pod } from "../shapes.ts";
import { type PodFacts, fieldValue, resourceValue } from "./downward.ts";
import { expand } from "./expand.ts";

/** A container cannot start until its pod spec, or something it names, changes: `CreateContainerConfigError`. */
export class ContainerConfigError extends Error {}

/** Reads of ConfigMaps and Secrets in the pod's namespace. */
export interface DataLookup {
  configMap(name: string): DataObject | undefined;
  secret(name: string): DataObject | undefined;
}

/** A Service as its clients in one pod reach it. */
export interface ServiceLink {
  readonly name: string;
  readonly host: string;
  readonly ports: readonly ServiceLinkPort[];
}

export interface ServiceLinkPort {
  readonly name: string | undefined;
  readonly port: number;
  /** The port that is dialled; another one where the node maps ports. */
  readonly realPort: number;
  readonly protocol: string;
}

export interface EnvSources {
  readonly pod: Pod;
  readonly facts: PodFacts;
  readonly data: DataLookup;
  readonly services: readonly ServiceLink[];
  /** Set by the node before anything else: PATH, HOME, HOSTNAME. */
  readonly base: Readonly<Record<string, string>>;
  /** Set by the node whatever the pod says: how this node's network differs. */
  readonly forced: Readonly<Record<string, string>>;
}

/** The environment of a container: what its spec says over service links over a small base, and nothing of ours. */
export function containerEnv(container: Container, sources: EnvSources): ReadonlyMap<string, string> {
  const variables = new Map(Object.entries(sources.base));
  const setAll = (entries: Iterable<readonly [string, string]>): void => {
    for (const [name, value] of entries) variables.set(name, value);
  };
  for (const link of sources.services) setAll(linkVariables(link));
  for (const from of container.envFrom ?? []) setAll(variablesFrom(from, sources.data));
  for (const variable of container.env ?? []) {
    const value = valueOf(variable, container, sources);
    if (value !== undefined) variables.set(variable.name, expand(value, variables));
  }
  setAll(Object.entries(sources.forced));
  return variables;
}

function variablesFrom({ prefix = "", configMapRef, secretRef }: EnvFrom, data: DataLookup): [string, string][] {
  const ref = configMapRef ?? secretRef ?? {};
  const name = ref.name ?? "";
  const found =
    configMapRef === undefined ? textData(data.secret(name), "base64") : textData(data.configMap(name), "text");
  if (found === undefined && ref.optional !== true) {
    throw missing(configMapRef === undefined ? "secret" : "configmap", name);
  }
  return Object.entries(found ?? {}).map(([key, value]) => [prefix + key, value]);
}

function missing(kind: string, name: string | undefined): ContainerConfigError {
  return new ContainerConfigError(`${kind} "${name ?? ""}" not found`);
}

/** Undefined for an optional reference to nothing. */
function valueOf(variable: EnvVar, container: Container, sources: EnvSources): string | undefined {
  const from = variable.valueFrom;
  if (from === undefined) return variable.value ?? "";
  const { data } = sources;
  const { configMapKeyRef, secretKeyRef } = from;
  if (configMapKeyRef !== undefined) {
    return keyOf(textData(data.configMap(configMapKeyRef.name ?? ""), "text"), "configmap", configMapKeyRef);
  }
  if (secretKeyRef !== undefined) {
    return keyOf(textData(data.secret(secretKeyRef.name ?? ""), "base64"), "secret", secretKeyRef);
  }
  const value = ownValue(from, container, sources);
  if (value !== undefined) return value;
  throw new ContainerConfigError(`env ${variable.name}: unsupported valueFrom ${JSON.stringify(from)}`);
}

/** What the pod knows of itself. */
function ownValue(
  { fieldRef, resourceFieldRef }: NonNullable<EnvVar["valueFrom"]>,
  container: Container,
  { pod, facts }: EnvSources,
): string | undefined {
  if (fieldRef !== undefined) return fieldValue(pod, fieldRef.fieldPath, facts);
  if (resourceFieldRef === undefined) return undefined;
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  return resourceValue(containers, container.name, resourceFieldRef);
}

function keyOf(data: Readonly<Record<string, string>> | undefined, kind: string, ref: KeyRef): string | undefined {
  const value = data?.[ref.key];
  if (value !== undefined || ref.optional === true) return value;
  if (data === undefined) throw missing(kind, ref.name);
  throw new ContainerConfigError(`couldn't find key ${ref.key} in ${kind} ${ref.name ?? ""}`);
}

function textData(object: DataObject | undefined, form: "text" | "base64"): Record<string, string> | undefined {
  if (object === undefined) return undefined;
  if (form === "text") return { ...object.data };
  return Object.fromEntries(
    Object.entries(object.data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]),
  );
}

/** `WEB_SERVICE_HOST` and the rest, as Kubernetes and Docker links name them. */
function linkVariables({ name, host, ports }: ServiceLink): readonly (readonly [string, string])[] {
  const prefix = upper(name);
  const first = ports[0];
  if (first === undefined) return [];
  const url = ({ protocol, realPort }: ServiceLinkPort): string => `${protocol.toLowerCase()}://${host}:${realPort}`;
  return [
    [`${prefix}_SERVICE_HOST`, host],
    [`${prefix}_SERVICE_PORT`, String(first.realPort)],
    [`${prefix}_PORT`, url(first)],
    ...ports.flatMap((port): [string, string][] => {
      const link = `${prefix}_PORT_${port.port}_${port.protocol.toUpperCase()}`;
      const named =
        port.name === undefined || port.name === "" ? undefined : `${prefix}_SERVICE_PORT_${upper(port.name)}`;
      return [
        ...(named === undefined ? [] : [[named, String(port.realPort)] as [string, string]]),
        [link, url(port)],
        [`${link}_PROTO`, port.protocol.toLowerCase()],
        [`${link}_PORT`, String(port.realPort)],
        [`${link}_ADDR`, host],
      ];
    }),
  ];
}

function upper(name: string): string {
  return name.toUpperCase().replaceAll("-", "_");
}

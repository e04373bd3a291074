import type { Container, DataObject, EnvVar, KeyRef, Pod } from "../shapes.ts";
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
  for (const link of sources.services) for (const [name, value] of linkVariables(link)) variables.set(name, value);
  for (const from of container.envFrom ?? []) {
    const { prefix = "", configMapRef, secretRef } = from;
    const found =
      configMapRef !== undefined
        ? textData(sources.data.configMap(configMapRef.name ?? ""), "text")
        : textData(sources.data.secret(secretRef?.name ?? ""), "base64");
    const ref = configMapRef ?? secretRef;
    if (found === undefined && ref?.optional !== true) throw missing(configMapRef ? "configmap" : "secret", ref?.name);
    for (const [key, value] of Object.entries(found ?? {})) variables.set(prefix + key, value);
  }
  for (const variable of container.env ?? []) {
    const value = valueOf(variable, container, sources);
    if (value !== undefined) variables.set(variable.name, expand(value, variables));
  }
  for (const [name, value] of Object.entries(sources.forced)) variables.set(name, value);
  return variables;
}

function missing(kind: string, name: string | undefined): ContainerConfigError {
  return new ContainerConfigError(`${kind} "${name ?? ""}" not found`);
}

function valueOf(variable: EnvVar, container: Container, sources: EnvSources): string | undefined {
  const from = variable.valueFrom;
  if (from === undefined) return variable.value ?? "";
  const { pod, facts, data } = sources;
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  if (from.configMapKeyRef !== undefined) {
    return keyOf(textData(data.configMap(from.configMapKeyRef.name ?? ""), "text"), "configmap", from.configMapKeyRef);
  }
  if (from.secretKeyRef !== undefined) {
    return keyOf(textData(data.secret(from.secretKeyRef.name ?? ""), "base64"), "secret", from.secretKeyRef);
  }
  const value =
    from.fieldRef !== undefined
      ? fieldValue(pod, from.fieldRef.fieldPath, facts)
      : from.resourceFieldRef !== undefined
        ? resourceValue(containers, container.name, from.resourceFieldRef)
        : undefined;
  if (value === undefined)
    throw new ContainerConfigError(`env ${variable.name}: unsupported valueFrom ${JSON.stringify(from)}`);
  return value;
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

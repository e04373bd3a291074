import { chmod, mkdir, rm, symlink } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import type { Container, DataObject, KeyToPath, Pod, Volume, VolumeSource } from "../shapes.ts";
import { type VolumeFile, writeAtomicDir } from "./atomic-dir.ts";
import { type PodFacts, fieldValue, resourceValue } from "./downward.ts";
import { ContainerConfigError, type DataLookup } from "./env.ts";

const DEFAULT_MODE = 0o644;
const TOKEN_SECONDS = 3607;

/** Issues a token of the pod's service account. */
export type IssueToken = (audience: string | undefined, expirationSeconds: number) => Promise<string>;

export interface VolumeContext {
  readonly pod: Pod;
  readonly facts: PodFacts;
  readonly data: DataLookup;
  readonly token: IssueToken;
  readonly now: () => Date;
}

/** Keeps the content of one pod's volumes below `directory`, each in a folder of its name. */
export class PodVolumes {
  private readonly tokens = new Map<string, { token: string; refreshAt: number }>();
  private readonly directory: string;
  private readonly group: number | undefined;

  constructor(directory: string, group: number | undefined) {
    this.directory = directory;
    this.group = group;
  }

  pathOf(volume: string): string {
    return join(this.directory, volume);
  }

  /** Writes what changed. Throws ContainerConfigError when something it needs does not exist (yet). */
  async sync(context: VolumeContext): Promise<void> {
    for (const volume of context.pod.spec?.volumes ?? []) {
      if (volume.emptyDir !== undefined || Object.keys(volume).length === 1) {
        await mkdir(this.pathOf(volume.name), { recursive: true });
        await chmod(this.pathOf(volume.name), 0o1777);
      } else {
        const files = await this.filesOf(volume, context);
        await writeAtomicDir(this.pathOf(volume.name), files, this.group);
      }
    }
  }

  /** Milliseconds until a token should be renewed; undefined when there is none. */
  msToRefresh(now: Date): number | undefined {
    const times = [...this.tokens.values()].map(({ refreshAt }) => refreshAt - now.getTime());
    return times.length === 0 ? undefined : Math.max(0, Math.min(...times));
  }

  private async filesOf(volume: Volume, context: VolumeContext): Promise<Map<string, VolumeFile>> {
    const files = new Map<string, VolumeFile>();
    const mode = defaultMode(volume);
    for (const source of volume.projected?.sources ?? [volume]) {
      for (const [path, file] of await this.sourceFiles(source, volume.name, context)) {
        files.set(safePath(path), { content: file.content, mode: file.mode === 0 ? mode : file.mode });
      }
    }
    return files;
  }

  private async sourceFiles(
    source: VolumeSource,
    volume: string,
    context: VolumeContext,
  ): Promise<ReadonlyMap<string, VolumeFile>> {
    const { configMap, secret, downwardAPI, serviceAccountToken } = source;
    if (configMap !== undefined) {
      const name = configMap.name ?? "";
      return keyFiles(context.data.configMap(name), { ...configMap, kind: "configmap", name });
    }
    if (secret !== undefined) {
      const name = secret.secretName ?? secret.name ?? "";
      return keyFiles(context.data.secret(name), { ...secret, kind: "secret", name });
    }
    if (downwardAPI !== undefined) return downwardFiles(downwardAPI, context);
    if (serviceAccountToken === undefined) return new Map();
    const { audience, path, expirationSeconds = TOKEN_SECONDS } = serviceAccountToken;
    const key = `${volume}/${path}`;
    const now = context.now().getTime();
    let known = this.tokens.get(key);
    if (known === undefined || known.refreshAt <= now) {
      const token = await context.token(audience, expirationSeconds);
      known = { token, refreshAt: now + expirationSeconds * 800 };
      this.tokens.set(key, known);
    }
    return new Map([[path, { content: Buffer.from(known.token), mode: 0 }]]);
  }
}

/** Permission bits of a volume's files. Throws ContainerConfigError for a volume that is none of files. */
function defaultMode({ name, projected, configMap, secret, downwardAPI, ...others }: Volume): number {
  const source = projected ?? configMap ?? secret ?? downwardAPI;
  if (source !== undefined) return source.defaultMode ?? DEFAULT_MODE;
  const kind = Object.keys(others)[0] ?? "";
  throw new ContainerConfigError(`volume ${name}: the local node does not offer ${kind} volumes`);
}

/** Mode 0 stands for the volume's default. */
function keyFiles(
  object: DataObject | undefined,
  wanted: { kind: string; name: string; items?: readonly KeyToPath[]; optional?: boolean },
): ReadonlyMap<string, VolumeFile> {
  const { kind, name, items, optional = false } = wanted;
  if (object === undefined) {
    if (optional) return new Map();
    throw new ContainerConfigError(`${kind} "${name}" not found`);
  }
  const content = contentOf(object, kind === "secret" ? "base64" : "utf8");
  const files = new Map<string, VolumeFile>();
  for (const { key, path, mode = 0 } of items ?? [...content.keys()].map((key): KeyToPath => ({ key, path: key }))) {
    const value = content.get(key);
    if (value !== undefined) files.set(path, { content: value, mode });
    else if (!optional) throw new ContainerConfigError(`${kind} "${name}" has no key ${key}`);
  }
  return files;
}

function contentOf(object: DataObject, encoding: "base64" | "utf8"): ReadonlyMap<string, Buffer> {
  const content = new Map<string, Buffer>();
  for (const [key, value] of Object.entries(object.data ?? {})) content.set(key, Buffer.from(value, encoding));
  for (const [key, value] of Object.entries(object.binaryData ?? {})) content.set(key, Buffer.from(value, "base64"));
  return content;
}

function downwardFiles(
  { items = [] }: NonNullable<VolumeSource["downwardAPI"]>,
  { pod, facts }: VolumeContext,
): ReadonlyMap<string, VolumeFile> {
  const files = new Map<string, VolumeFile>();
  for (const { path, fieldRef, resourceFieldRef, mode = 0 } of items) {
    const value =
      fieldRef !== undefined
        ? fieldValue(pod, fieldRef.fieldPath, facts)
        : resourceFieldRef !== undefined
          ? resourceValue(
              [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])],
              resourceFieldRef.containerName ?? "",
              resourceFieldRef,
            )
          : undefined;
    if (value === undefined) throw new ContainerConfigError(`downwardAPI: unsupported item ${path}`);
    files.set(path, { content: Buffer.from(value), mode });
  }
  return files;
}

function safePath(path: string): string {
  const clean = normalize(path);
  if (clean.startsWith("/") || clean.startsWith(".."))
    throw new ContainerConfigError(`volume path ${path} leaves the volume`);
  return clean;
}

/** Makes a container's root directory: every mountPath is a symlink to the volume, shortest path first. */
export async function linkMounts(root: string, container: Container, volumes: PodVolumes): Promise<void> {
  await mkdir(root, { recursive: true });
  const mounts = [...(container.volumeMounts ?? [])].sort((a, b) => a.mountPath.length - b.mountPath.length);
  for (const { name, mountPath, subPath } of mounts) {
    const link = join(root, normalize(mountPath).replace(/\/+$/, ""));
    const volume = volumes.pathOf(name);
    if (link === root) continue;
    await mkdir(dirname(link), { recursive: true });
    await rm(link, { recursive: true, force: true });
    await symlink(subPath === undefined ? volume : join(volume, safePath(subPath)), link);
  }
}

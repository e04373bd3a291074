import { resolve } from "node:path";
import { compact } from "../base/compact.ts";
import { ClusterError, MeshError } from "../base/errors.ts";
import { revisionSuffix } from "../base/revision.ts";
import { InjectionError } from "../inject/config.ts";
import { type InjectorSettings, readInjectorSettings } from "../inject/context.ts";
import type { ConfigMap } from "../resources/core.ts";
import { globalOptions, switchOption, textOption } from "./input.ts";
import type { CommandInput, Io } from "./io.ts";
import { readTextFile } from "./sources.ts";

/** Where the settings of injection come from, as flags say; istioctl's names. */
export interface SettingsFlags {
  readonly istioNamespace: string;
  readonly useCluster: boolean;
  /** Revision of a control plane in the cluster. */
  readonly revision?: string;
  /** Files in the place of the keys `mesh` of ConfigMap istio, `values` and `config` of ConfigMap istio-sidecar-injector. */
  readonly meshConfigFile?: string;
  readonly valuesFile?: string;
  readonly injectConfigFile?: string;
  readonly meshConfigMapName?: string;
  readonly injectConfigMapName?: string;
}

/** Settings, and where each part of them is from. */
export interface LoadedSettings {
  readonly settings: InjectorSettings;
  readonly revision: string;
  readonly source: SettingsSource;
  /** What the cluster's own webhook would write; offline the form that every cluster takes. */
  readonly nativeSidecars: boolean;
}

/** `bundled`: a default install's. */
export interface SettingsSource {
  readonly mesh: string;
  readonly values: string;
  readonly config: string;
}

/** Reads the flags of SettingsFlags. */
export function settingsFlags(input: CommandInput): SettingsFlags {
  const { istioNamespace } = globalOptions(input);
  const names = [
    "revision",
    "meshConfigFile",
    "valuesFile",
    "injectConfigFile",
    "meshConfigMapName",
    "injectConfigMapName",
  ];
  return {
    ...(compact(Object.fromEntries(names.map((name) => [name, textOption(input, name)]))) as Partial<SettingsFlags>),
    istioNamespace,
    useCluster: switchOption(input, "useCluster"),
  };
}

/** The settings of a revision's injector: files first, then the cluster's where one is asked for, else those of a default install. */
export async function loadSettings(flags: SettingsFlags, io: Io): Promise<LoadedSettings> {
  const { meshConfigFile, valuesFile, injectConfigFile } = flags;
  if (!isLive(flags) && [meshConfigFile, valuesFile, injectConfigFile].every((file) => file === undefined))
    return ready();
  const needsMore = [meshConfigFile, valuesFile, injectConfigFile].includes(undefined);
  const base = !needsMore ? undefined : isLive(flags) ? await fromCluster(flags, io) : await bundled();
  const mesh = await part(io, meshConfigFile, base?.mesh);
  const values = await part(io, valuesFile, base?.values);
  const config = await part(io, injectConfigFile, base?.config);
  const map = (name: string, data: Readonly<Record<string, string>>): ConfigMap => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name },
    data,
  });
  try {
    const settings = readInjectorSettings({
      mesh: map(mesh.where, { mesh: mesh.text }),
      injector: map([...new Set([config.where, values.where])].join(" and "), {
        config: config.text,
        values: values.text,
      }),
    });
    const source = { mesh: mesh.where, values: values.where, config: config.where };
    return { settings, revision: flags.revision ?? "default", source, nativeSidecars: await nativeSidecars(flags, io) };
  } catch (error) {
    if (!(error instanceof InjectionError)) throw error;
    throw notUsable(error);
  }
}

/** An InjectionError in the settings as the command tells it. */
function notUsable(error: InjectionError): MeshError {
  const { hint = "Repair the configuration of the injector." } = error.problem;
  return new MeshError("bad-injector-config", error.message, { hint });
}

interface Part {
  readonly text: string;
  /** What messages call it. */
  readonly where: string;
}

async function part(io: Io, file: string | undefined, base: Part | undefined): Promise<Part> {
  if (file !== undefined) return { text: await readTextFile(resolve(io.cwd, file), file), where: file };
  return base ?? { text: "", where: "" };
}

interface Parts {
  readonly mesh: Part;
  readonly values: Part;
  readonly config: Part;
}

/** The bundled settings, read when the program was made: half of the time that one file takes would go into them. */
async function ready(): Promise<LoadedSettings> {
  const { injectorSettings } = await import("../gen/injector-settings.ts");
  const settings = JSON.parse(injectorSettings) as InjectorSettings;
  const source = { mesh: "bundled", values: "bundled", config: "bundled" };
  return { settings, revision: "default", source, nativeSidecars: false };
}

/** What `install` would write into the ConfigMaps by default; made by `npm run gen`. */
async function bundled(): Promise<Parts> {
  const { injectorDefaults } = await import("../gen/injector-defaults.ts");
  const where = "bundled";
  const { mesh, values, config } = injectorDefaults;
  return { mesh: { text: mesh, where }, values: { text: values, where }, config: { text: config, where } };
}

async function nativeSidecars(flags: SettingsFlags, io: Io): Promise<boolean> {
  if (!isLive(flags)) return false;
  const { clusterNativeSidecars } = await import("./inject-native.ts");
  const name = `istiod${revisionSuffix(flags.revision ?? "default")}`;
  return clusterNativeSidecars(await io.cluster(), { namespace: flags.istioNamespace, name });
}

/** Whether a cluster is asked at all. */
function isLive({ useCluster, revision }: SettingsFlags): boolean {
  return useCluster || revision !== undefined;
}

async function fromCluster(flags: SettingsFlags, io: Io): Promise<Parts> {
  const { istioNamespace: namespace, revision = "default", meshConfigMapName, injectConfigMapName } = flags;
  const cluster = await io.cluster();
  const suffix = revisionSuffix(revision);
  const read = async (name: string): Promise<ConfigMap> => {
    const map = await cluster.get({ apiVersion: "v1", kind: "ConfigMap", namespace, name });
    if (map !== undefined) return map as ConfigMap;
    throw new ClusterError("no-injector", `there is no ConfigMap ${namespace}/${name} in the cluster`, {
      hint: "List revisions with meshctl inject list, or leave --use-cluster out to use the bundled configuration.",
    });
  };
  const [mesh, injector] = await Promise.all([
    read(meshConfigMapName ?? `istio${suffix}`),
    read(injectConfigMapName ?? `istio-sidecar-injector${suffix}`),
  ]);
  const key = (map: ConfigMap, name: string): Part => {
    const where = `${namespace}/${map.metadata.name}`;
    const text = map.data?.[name];
    if (text === undefined) throw notUsable(new InjectionError(`ConfigMap ${where} has no key ${name}`));
    return { text, where };
  };
  return { mesh: key(mesh, "mesh"), values: key(injector, "values"), config: key(injector, "config") };
}

import type { ConfigMap } from "../resources/core.ts";
import { parseYaml } from "../resources/yaml-plain.ts";
import { YamlSyntaxError } from "../resources/yaml-values.ts";
import {
  type InjectContext,
  InjectionError,
  type InjectorConfig,
  type InjectorMeshConfig,
  type InjectorValues,
} from "./config.ts";

/** The two ConfigMaps that hold what injection needs, as install wrote them and a user may have changed them. */
export interface InjectorConfigMaps {
  /** `istio`, key `mesh` */
  readonly mesh: ConfigMap;
  /** `istio-sidecar-injector`, keys `config` and `values` */
  readonly injector: ConfigMap;
}

/** What the ConfigMaps say; a context is this plus where the pod is. */
export type InjectorSettings = Pick<InjectContext, "config" | "values" | "meshConfig">;

/** Reads the injector's configuration. Throws InjectionError that names the ConfigMap and key that cannot be used. */
export function readInjectorSettings({ mesh, injector }: InjectorConfigMaps): InjectorSettings {
  const config = readKey(injector, "config") as Partial<InjectorConfig>;
  const values = readKey(injector, "values") as Partial<InjectorValues>;
  if (values.global?.proxy === undefined)
    throw new InjectionError(`ConfigMap ${injector.metadata.name}: key values has no global.proxy`);
  return {
    config: {
      policy: "enabled",
      defaultTemplates: ["sidecar"],
      templates: {},
      ...config,
    },
    values: values as InjectorValues,
    meshConfig: readKey(mesh, "mesh") as InjectorMeshConfig,
  };
}

function readKey(map: ConfigMap, key: string): object {
  const text = map.data?.[key];
  const where = `key ${key} of ConfigMap ${map.metadata.name}`;
  if (text === undefined) throw new InjectionError(`there is no ${where}`);
  const data = readText(text, where);
  if (data === null || data === undefined) return {};
  if (typeof data !== "object" || Array.isArray(data)) throw new InjectionError(`${where}: expected a map`);
  return data;
}

function readText(text: string, where: string): unknown {
  try {
    return parseYaml(text);
  } catch (error) {
    if (!(error instanceof YamlSyntaxError)) throw error;
    throw new InjectionError(`${where} is no YAML: ${error.message}`);
  }
}

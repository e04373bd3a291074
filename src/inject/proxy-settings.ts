import { compact } from "../base/compact.ts";
import { effectiveProxyConfig } from "../model/proxy-config.ts";
import { parseYaml } from "../resources/yaml-plain.ts";
import { proxyImageName } from "../model/proxy-image.ts";
import { statusPort } from "./capture.ts";
import { type InjectContext, InjectionError, type InjectorValues } from "./config.ts";

type Annotations = Readonly<Record<string, string>>;
type Fields = Readonly<Record<string, unknown>>;

/** Address of the control plane's service of this revision, without a port. */
export function istiod({ revision, values }: InjectContext): string {
  const service = revision === "default" ? "istiod" : `istiod-${revision}`;
  return `${service}.${values.global.istioNamespace}.svc`;
}

/** The settings of this pod's proxy; the annotations that set a single field of them are in it. */
export function proxyConfigOf(annotations: Annotations, labels: Annotations, context: InjectContext): Fields {
  const { meshConfig, values, namespace } = context;
  const discovery = annotations["sidecar.istio.io/discoveryAddress"];
  const effective = effectiveProxyConfig({
    mesh: { discoveryAddress: `${istiod(context)}:15012`, ...meshConfig.defaultConfig },
    resources: context.proxyConfigs ?? [],
    rootNamespace: meshConfig.rootNamespace ?? values.global.istioNamespace,
    namespace,
    labels,
    annotation: { ...compact({ discoveryAddress: discovery }), ...annotated(annotations) },
  });
  const port = annotations["status.sidecar.istio.io/port"];
  return port === undefined ? effective : { ...effective, statusPort: Number(port) };
}

function annotated(annotations: Annotations): Fields {
  const own = annotations["proxy.istio.io/config"];
  const parsed = own === undefined ? {} : (parseYaml(own) ?? {});
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw new InjectionError(`annotation proxy.istio.io/config: expected YAML of a ProxyConfig, got "${own}"`);
  return parsed as Fields;
}

/** Image of the proxy: the annotation, else the installation's, with the variant that pod, ProxyConfig or installation ask for. */
export function proxyImage(annotations: Annotations, { global }: InjectorValues, proxyConfig: Fields): string {
  const configured = (proxyConfig["image"] as { readonly imageType?: string } | undefined)?.imageType;
  return proxyImageName(global, {
    image: annotations["sidecar.istio.io/proxyImage"],
    variant: annotations["sidecar.istio.io/proxyImageType"] ?? configured,
  });
}

/** Any of the four annotations drops all defaults, as in Istio: a limit below a default request would not start. */
export function proxyResources(annotations: Annotations, { global }: InjectorValues): unknown {
  const amount = (name: string): string | undefined => annotations[`sidecar.istio.io/${name}`];
  const requests = compact({ cpu: amount("proxyCPU"), memory: amount("proxyMemory") });
  const limits = compact({ cpu: amount("proxyCPULimit"), memory: amount("proxyMemoryLimit") });
  const isAsked = Object.keys(requests).length + Object.keys(limits).length > 0;
  if (!isAsked) return global.proxy.resources;
  return {
    ...(Object.keys(requests).length > 0 ? { requests } : {}),
    ...(Object.keys(limits).length > 0 ? { limits } : {}),
  };
}

/** Levels of Envoy, of its components and of the agent. */
export function logLevels(annotations: Annotations, { global }: InjectorValues): Fields {
  const asked = (name: string, fallback: string): string => annotations[`sidecar.istio.io/${name}`] ?? fallback;
  return {
    envoy: asked("logLevel", global.proxy.logLevel),
    envoyComponents: asked("componentLogLevel", global.proxy.componentLogLevel),
    agent: asked("agentLogLevel", global.logging?.level ?? "default:info"),
    flags: [
      ...(global.logAsJson === true ? ["--log_as_json"] : []),
      ...((global.proxy.outlierLogPath ?? "") === "" ? [] : [`--outlierLogPath=${global.proxy.outlierLogPath}`]),
    ],
  };
}

/** When the kubelet asks the proxy how it is. */
export function probeSettings(annotations: Annotations, values: InjectorValues): Fields {
  const { proxy } = values.global;
  const asked = (name: string, fallback: number): number =>
    Number(annotations[`readiness.status.sidecar.istio.io/${name}`] ?? fallback);
  const isOn = statusPort({ annotations, values }) !== 0;
  return {
    readiness: isOn,
    startup: isOn && proxy.startupProbe.enabled,
    initialDelaySeconds: asked("initialDelaySeconds", proxy.readinessInitialDelaySeconds),
    periodSeconds: asked("periodSeconds", proxy.readinessPeriodSeconds),
    failureThreshold: asked("failureThreshold", proxy.readinessFailureThreshold),
  };
}

/** Whether the application waits for the proxy. */
export function holdsApplication(proxyConfig: Fields, { global }: InjectorValues): boolean {
  return (
    proxyConfig["holdApplicationUntilProxyStarts"] === true || global.proxy.holdApplicationUntilProxyStarts === true
  );
}

/** What the facts below are about. */
export interface LifecycleFacts {
  readonly annotations: Annotations;
  readonly values: InjectorValues;
  readonly isNative: boolean;
  readonly holds: boolean;
}

/** Hooks of the proxy: as configured, else the application is held back or a native sidecar begins to drain in time. */
export function lifecycleOf({ annotations, values, isNative, holds }: LifecycleFacts): unknown {
  const configured = values.global.proxy.lifecycle ?? {};
  if (Object.keys(configured).length > 0) return configured;
  if (isNative) {
    const port = statusPort({ annotations, values });
    const drain = ["mesh-agent", "request", `--debug-port=${port === 0 ? 15020 : port}`, "POST", "drain"];
    return { preStop: { exec: { command: drain } } };
  }
  return holds ? { postStart: { exec: { command: ["mesh-agent", "wait"] } } } : undefined;
}

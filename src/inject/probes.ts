import type { Container, PodSpec } from "../resources/core.ts";

/** Where the agent answers for the application, on its status port. */
const PROBES = { livenessProbe: "livez", readinessProbe: "readyz", startupProbe: "startupz" } as const;
const HOOKS = { preStop: "prestopz", postStart: "poststartz" } as const;

type Handler = Readonly<Record<string, unknown>>;

/** A pod whose probes ask the agent, and the originals by path for it (`ISTIO_KUBE_APP_PROBERS`). */
export interface RewrittenProbes {
  readonly spec: PodSpec;
  readonly probers: Readonly<Record<string, Handler>>;
}

/**
 * Probes of the application reach it through the agent: the kubelet has no certificate, so under mutual TLS it could not ask
 * itself. HTTP, TCP and gRPC probes and HTTP and TCP lifecycle hooks become HTTP GETs of the agent's status port; exec stays.
 */
export function rewriteProbes(spec: PodSpec, statusPort: number): RewrittenProbes {
  const probers: Record<string, Handler> = {};
  const each = (list: readonly Container[]): Container[] =>
    list.map((one) => rewriteContainer(one, statusPort, probers));
  const containers = each(spec.containers);
  const init = spec.initContainers === undefined ? {} : { initContainers: each(spec.initContainers) };
  return { spec: { ...spec, ...init, containers }, probers };
}

function rewriteContainer(container: Container, statusPort: number, probers: Record<string, Handler>): Container {
  if (container.name === "istio-proxy") return container;
  const rewritten: Record<string, unknown> = { ...container };
  for (const [field, word] of Object.entries(PROBES)) {
    const probe = container[field];
    if (isRecord(probe)) rewritten[field] = rewrite(probe, `/app-health/${container.name}/${word}`);
  }
  const { lifecycle } = container;
  if (isRecord(lifecycle)) {
    const hooks: Record<string, unknown> = { ...lifecycle };
    for (const [field, word] of Object.entries(HOOKS)) {
      const hook = lifecycle[field];
      if (isRecord(hook)) hooks[field] = rewrite(hook, `/app-lifecycle/${container.name}/${word}`);
    }
    rewritten["lifecycle"] = hooks;
  }
  return rewritten as Container;

  function rewrite(handler: Handler, path: string): Handler {
    const { httpGet, tcpSocket, grpc, ...rest } = handler;
    const action = original({ httpGet, tcpSocket, grpc }, container, statusPort);
    if (action === undefined) return handler;
    const timeout = handler["timeoutSeconds"];
    probers[path] = { ...action, ...(timeout === undefined ? {} : { timeoutSeconds: timeout }) };
    return { ...rest, httpGet: { path, port: statusPort } };
  }
}

/** The containers with their own probes again: undoes rewriteProbes where Istio injected, which writes down nothing else. */
export function restoreProbes(
  containers: readonly Container[],
  probers: Readonly<Record<string, unknown>>,
): Container[] {
  return containers.map((container) => {
    const restored: Record<string, unknown> = { ...container };
    for (const [field, word] of Object.entries(PROBES)) {
      restored[field] = restore(container[field], probers[`/app-health/${container.name}/${word}`]);
      if (restored[field] === undefined) delete restored[field];
    }
    const lifecycle = container["lifecycle"];
    if (isRecord(lifecycle)) {
      const hooks = Object.entries(lifecycle).map(([field, hook]) => {
        const word = HOOKS[field as keyof typeof HOOKS];
        return [field, restore(hook, probers[`/app-lifecycle/${container.name}/${word}`])];
      });
      restored["lifecycle"] = Object.fromEntries(hooks);
    }
    return restored as Container;
  });
}

function restore(handler: unknown, prober: unknown): unknown {
  if (!isRecord(handler) || !isRecord(prober)) return handler;
  const { httpGet: _, ...rest } = handler;
  const { timeoutSeconds: __, ...action } = prober;
  return { ...rest, ...action };
}

/** The probe's action with a named port resolved, for the agent knows no names; undefined for exec and for what asks the agent. */
function original(
  actions: Readonly<Record<string, unknown>>,
  container: Container,
  statusPort: number,
): Handler | undefined {
  for (const [kind, action] of Object.entries(actions)) {
    if (!isRecord(action)) continue;
    const port = typeof action["port"] === "string" ? namedPort(action["port"], container) : action["port"];
    if (port === undefined || port === statusPort) return undefined;
    return { [kind]: { ...action, port } };
  }
  return undefined;
}

function namedPort(name: string, container: Container): number | undefined {
  if (/^\d+$/.test(name)) return Number(name);
  return container.ports?.find((port) => port.name === name)?.containerPort;
}

function isRecord(value: unknown): value is Handler {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

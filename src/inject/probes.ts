import type { Container, PodSpec } from "../resources/core.ts";

/** Where the agent answers for the application, on its status port. */
const PROBES = { livenessProbe: "livez", readinessProbe: "readyz", startupProbe: "startupz" } as const;
const HOOKS = { preStop: "prestopz", postStart: "poststartz" } as const;

type Handler = Readonly<Record<string, unknown>>;

/** Rewritten containers, and the originals by path for the agent (`ISTIO_KUBE_APP_PROBERS`). */
export interface RewrittenProbes {
  readonly containers: readonly Container[];
  readonly probers: Readonly<Record<string, Handler>>;
}

/**
 * Probes of the application reach it through the agent: the kubelet has no certificate, so under mutual TLS it could not ask
 * itself. HTTP, TCP and gRPC probes and HTTP and TCP lifecycle hooks become HTTP GETs of the agent's status port; exec stays.
 */
export function rewriteProbes(spec: PodSpec, statusPort: number): RewrittenProbes {
  const probers: Record<string, Handler> = {};
  const containers = spec.containers.map((container) => {
    if (container.name === "istio-proxy") return container;
    const rewritten: Record<string, unknown> = { ...container };
    for (const [field, word] of Object.entries(PROBES)) {
      const probe = container[field];
      if (isRecord(probe)) rewritten[field] = rewrite(probe, `/app-health/${container.name}/${word}`, container);
    }
    if (isRecord(container["lifecycle"])) rewritten["lifecycle"] = rewriteHooks(container["lifecycle"], container);
    return rewritten as Container;
  });
  return { containers, probers };

  function rewriteHooks(lifecycle: Handler, container: Container): Handler {
    const hooks: Record<string, unknown> = { ...lifecycle };
    for (const [field, word] of Object.entries(HOOKS)) {
      const hook = lifecycle[field];
      if (isRecord(hook)) hooks[field] = rewrite(hook, `/app-lifecycle/${container.name}/${word}`, container);
    }
    return hooks;
  }

  function rewrite(handler: Handler, path: string, container: Container): Handler {
    const { httpGet, tcpSocket, grpc, ...rest } = handler;
    const action = original({ httpGet, tcpSocket, grpc }, container);
    if (action === undefined) return handler;
    const timeout = handler["timeoutSeconds"];
    probers[path] = { ...action, ...(timeout === undefined ? {} : { timeoutSeconds: timeout }) };
    return { ...rest, httpGet: { path, port: statusPort } };
  }
}

/** The containers with their own probes again: undoes rewriteProbes before a pod is injected a second time. */
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

/** The probe's action with a named port resolved, for the agent knows no names; undefined for exec. */
function original(actions: Readonly<Record<string, unknown>>, container: Container): Handler | undefined {
  for (const [kind, action] of Object.entries(actions)) {
    if (!isRecord(action)) continue;
    const port = typeof action["port"] === "string" ? namedPort(action["port"], container) : action["port"];
    if (port === undefined) return undefined;
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

import { request as httpRequest } from "node:http";
import type { Duplex } from "node:stream";
import { CALLER_PORT, DIALLED_FROM, NOT_DIALLED } from "../../base/caller.ts";
import { delay } from "../../base/delay.ts";
import { ClusterError, EnvironmentError, errorText } from "../../base/errors.ts";
import type { Cluster } from "../../resources/cluster.ts";

/** How long a container may take to start, with its image there already. */
const START_MS = 60_000;
/** How long its program may take from there to its port. */
const LISTEN_MS = 15_000;
const POLL_MS = 200;

/** Containers of ours in other people's pods begin with this. */
const NAME = "meshctl-caller-";

/** Of nobody: not the proxy's, whose connections nothing captures. */
const USER = 65_532;

/** A connection that was made inside of a pod, and the address that it has there. */
export interface Dialled {
  readonly stream: Duplex;
  readonly from: string;
}

/** Why a connection that was tried inside of a pod did not come about. */
export interface NotDialled {
  readonly error: string;
}

/** What a caller in a pod needs. */
export interface CallerDeps {
  readonly cluster: Cluster;
  /** Whether a container may be put into the pod, which stays in its spec as long as it lives. */
  readonly agreed: () => Promise<boolean>;
  /** Tells people what was done. */
  readonly tell: (text: string) => void;
  readonly signal: AbortSignal;
}

interface PodRef {
  readonly namespace: string;
  readonly name: string;
}

interface Container {
  readonly name: string;
  readonly image?: string;
}

interface Status {
  readonly name: string;
  readonly state?: {
    readonly running?: unknown;
    readonly terminated?: { readonly message?: string; readonly reason?: string };
    readonly waiting?: { readonly reason?: string; readonly message?: string };
  };
}

/** Of a pod, what decides where connections can be made in it. */
interface PodView {
  readonly spec: {
    readonly initContainers?: readonly Container[];
    readonly containers?: readonly Container[];
    readonly ephemeralContainers?: readonly Container[];
  };
  readonly ephemeral: readonly Status[];
}

/**
 * A way to make connections inside of a pod as its application does: through a container that runs there already, or one that is put
 * there (an ephemeral container with the proxy's image and a user of its own). Throws EnvironmentError when nobody agrees to that, or
 * when it does not start; ClusterError when the cluster refuses it.
 */
export async function callerIn(
  deps: CallerDeps,
  pod: PodRef,
): Promise<(host: string, port: number) => Promise<Dialled | NotDialled>> {
  const name = standingIn(await podView(deps.cluster, pod)) ?? (await put(deps, pod));
  await started(deps, pod, name);
  return (host, port) => dial(deps, pod, { host, port });
}

/** A caller that runs in the pod, or is about to. */
function standingIn(view: PodView): string | undefined {
  return callersOf(view).find(({ name }) => mayRun(statusOf(view, name)))?.name;
}

async function podView(cluster: Cluster, { namespace, name }: PodRef): Promise<PodView> {
  const pod = await cluster.get({ apiVersion: "v1", kind: "Pod", namespace, name });
  if (pod === undefined) throw new EnvironmentError("no-pod", `pod ${namespace}/${name} is not there any more`);
  const { ephemeralContainerStatuses: ephemeral = [] } = (pod.status ?? {}) as {
    readonly ephemeralContainerStatuses?: readonly Status[];
  };
  return { spec: (pod.spec ?? {}) as PodView["spec"], ephemeral };
}

function callersOf({ spec }: PodView): readonly Container[] {
  return (spec.ephemeralContainers ?? []).filter(({ name }) => name.startsWith(NAME));
}

function statusOf({ ephemeral }: PodView, wanted: string): Status | undefined {
  return ephemeral.find(({ name }) => name === wanted);
}

/** One that nobody has told of yet may be about to start. */
function mayRun(status: Status | undefined): boolean {
  return status?.state?.terminated === undefined;
}

/** Puts one there and tells its name. */
async function put(deps: CallerDeps, pod: PodRef): Promise<string> {
  const where = `${pod.namespace}/${pod.name}`;
  if (!(await deps.agreed()))
    throw new EnvironmentError("not-agreed", `nothing was put into pod ${where}, and nothing was sent`);
  const view = await podView(deps.cluster, pod);
  const { ephemeralContainers: given = [], containers = [], initContainers = [] } = view.spec;
  const image = [...containers, ...initContainers].find(({ name }) => name === "istio-proxy")?.image;
  if (image === undefined)
    throw new EnvironmentError("no-way-in", `pod ${where} has no proxy whose image could be used`);
  const name = `${NAME}${callersOf(view).length + 1}`;
  try {
    await deps.cluster.mergePatch(
      { apiVersion: "v1", kind: "Pod", namespace: pod.namespace, name: pod.name },
      { spec: { ephemeralContainers: [...given, containerOf(name, image)] } },
      { subresource: "ephemeralcontainers" },
    );
  } catch (error) {
    // somebody else was quicker: what he put there may not be taken away again
    const other = error instanceof ClusterError ? standingIn(await podView(deps.cluster, pod)) : undefined;
    if (other === undefined) throw error;
    return other;
  }
  deps.tell(
    `Container ${name} was put into pod ${where}: it ends by itself, and stays in the pod's spec as long as the pod lives.\n`,
  );
  return name;
}

/** It may nothing but make connections, so that it is let into namespaces with restricted pods. */
function containerOf(name: string, image: string): unknown {
  return {
    name,
    image,
    imagePullPolicy: "IfNotPresent",
    args: ["caller"],
    securityContext: {
      runAsUser: USER,
      runAsGroup: USER,
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    },
  };
}

async function started({ cluster, signal }: CallerDeps, pod: PodRef, name: string): Promise<void> {
  const until = Date.now() + START_MS;
  let state: Status["state"];
  while (Date.now() < until && !signal.aborted) {
    state = statusOf(await podView(cluster, pod), name)?.state ?? state;
    if (state?.running !== undefined) return;
    if (state !== undefined && isHopeless(state)) break;
    await delay(POLL_MS, signal);
  }
  throw notStarted(pod, name, await whyNot(cluster, { pod, name, state }));
}

/** It has ended, or cannot begin: its image cannot be had, or its settings are refused. */
function isHopeless({ terminated, waiting }: NonNullable<Status["state"]>): boolean {
  return terminated !== undefined || /Err|BackOff|Invalid/.test(waiting?.reason ?? "");
}

/** What a container wrote before it ended, or what is said of one that waits. */
async function whyNot(
  cluster: Cluster,
  { pod, name, state }: { readonly pod: PodRef; readonly name: string; readonly state: Status["state"] },
): Promise<string> {
  const { terminated, waiting } = state ?? {};
  if (terminated === undefined) return waiting?.message ?? waiting?.reason ?? "nothing is known of it yet";
  const target = { namespace: pod.namespace, pod: pod.name, container: name, tailLines: 3 };
  const said = await cluster.logs(target).catch(() => "");
  return said.trim() || (terminated.message ?? terminated.reason ?? "it has ended");
}

function notStarted(pod: PodRef, name: string, why: string): EnvironmentError {
  return new EnvironmentError(
    "no-caller",
    `container ${name} of pod ${pod.namespace}/${pod.name} does not run: ${why}`,
  );
}

/** One that was just started may not listen yet. */
async function dial(
  { cluster, signal }: CallerDeps,
  pod: PodRef,
  to: { readonly host: string; readonly port: number },
): Promise<Dialled | NotDialled> {
  const until = Date.now() + LISTEN_MS;
  for (;;) {
    try {
      return await connectThrough(
        await cluster.portForward({ namespace: pod.namespace, pod: pod.name, port: CALLER_PORT }),
        to,
      );
    } catch (error) {
      if (Date.now() > until || signal.aborted)
        throw new ClusterError("port-forward", `nobody makes connections in pod ${pod.name}: ${errorText(error)}`);
    }
    await delay(POLL_MS, signal);
  }
}

function connectThrough(
  stream: Duplex,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Dialled | NotDialled> {
  return new Promise((resolve, reject) => {
    const bracketed = host.includes(":") ? `[${host}]` : host;
    const asked = httpRequest({
      method: "CONNECT",
      path: `${bracketed}:${port}`,
      createConnection: () => stream as never,
    });
    asked.on("error", reject);
    asked.on("connect", ({ statusCode, headers }, _, head) => {
      if (statusCode === 200) {
        if (head.length > 0) stream.unshift(head);
        resolve({ stream, from: String(headers[DIALLED_FROM] ?? "") });
        return;
      }
      stream.destroy();
      resolve({ error: String(headers[NOT_DIALLED] ?? `status ${statusCode ?? 0}`) });
    });
    asked.end();
  });
}

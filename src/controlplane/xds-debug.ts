import { errorText } from "../base/errors.ts";
import type { DeltaRequest, SotwRequest, XdsAcceptor, XdsConnection, XdsHandler } from "../grpc/ads-server.ts";
import type { Peer } from "../grpc/server.ts";
import { VERSION } from "../gen/version.ts";
import { encodedAny, encodeMessage, type TypedAny } from "../wire/codec.ts";
import type { Caller } from "./caller.ts";
import { clientStatusResources, CLIENT_STATUS_TYPES } from "./client-status.ts";
import { answerDebugQuestion, type MonitoringDeps, namespaceSeenBy } from "./debug.ts";

/** Type of a question to the control plane itself, asked in place of a proxy's resources; Istio's name. The one resource name is the question. */
export const DEBUG_TYPE = "istio.io/debug";

/** Everything that is asked of the control plane itself. */
const TYPES: readonly string[] = [DEBUG_TYPE, ...Object.values(CLIENT_STATUS_TYPES)];

/** Questions of one stream that may wait. */
const MAX_WAITING = 16;

export interface XdsDebugDeps {
  readonly authenticate: (peer: Peer) => Promise<Caller | undefined>;
  readonly questions: MonitoringDeps;
  readonly instance: string;
  readonly onFault: (error: unknown) => void;
}

/**
 * Answers debug questions on streams of their own: a stream whose first request is one never becomes a proxy's. Who may ask what is
 * as on the monitoring port; an answer of another status than 200 begins with `{"statusCode":"404"}`, as Istio's do.
 */
export function withDebug(acceptor: XdsAcceptor, deps: XdsDebugDeps): XdsAcceptor {
  return {
    sotw: (connection) =>
      either(acceptor.sotw(connection), {
        deps,
        connection,
        ask: ({ resource_names = [], response_nonce = "" }: SotwRequest) => ({ names: resource_names, response_nonce }),
        write: (answer) => sotwResponse(deps, answer),
      }),
    delta: (connection) =>
      either(acceptor.delta(connection), {
        deps,
        connection,
        ask: ({ resource_names_subscribe = [], response_nonce = "" }: DeltaRequest) => ({
          names: resource_names_subscribe,
          response_nonce,
        }),
        write: (answer) => deltaResponse(deps, answer),
      }),
  };
}

interface Speech<Request> {
  readonly deps: XdsDebugDeps;
  readonly connection: XdsConnection;
  readonly ask: (request: Request) => { readonly names: readonly string[]; readonly response_nonce: string };
  readonly write: (answer: Answered) => Uint8Array;
}

/** One answer, of the type that was asked for. */
interface Answered {
  readonly typeUrl: string;
  readonly name: string;
  readonly version: string;
  readonly resources: readonly TypedAny[];
}

/** The proxy's handler until the first request says that nobody is a proxy here. */
function either<Request extends { readonly type_url?: string }>(
  proxy: XdsHandler<Request>,
  speech: Speech<Request>,
): XdsHandler<Request> {
  let handler: XdsHandler<Request> | undefined;
  return {
    request(request) {
      if (handler === undefined && TYPES.includes(request.type_url ?? "")) {
        proxy.closed();
        handler = debugStream(speech);
      }
      handler ??= proxy;
      handler.request(request);
    },
    drained: () => (handler ?? proxy).drained(),
    closed: () => (handler ?? proxy).closed(),
  };
}

/** One question after the other; a confirmation of an answer is none. */
function debugStream<Request extends { readonly type_url?: string }>(speech: Speech<Request>): XdsHandler<Request> {
  const { connection, deps } = speech;
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  let asked = 0;
  let isOpen = true;
  const answer = async (typeUrl: string, names: readonly string[]): Promise<void> => {
    const resources = await answerTo(deps, connection.peer, typeUrl, names);
    if (!isOpen) return;
    if (resources === undefined)
      connection.end({ status: "UNAUTHENTICATED", details: "expected a bearer token for audience istio-ca" });
    else connection.send(speech.write({ typeUrl, name: names[0] ?? "", version: String(asked), resources }));
  };
  return {
    request(request) {
      const { names, response_nonce } = speech.ask(request);
      // istioctl's first request has a nonce too, which nobody sent
      const isConfirmation = /^\d+$/.test(response_nonce) && Number(response_nonce) <= asked;
      const { type_url: typeUrl = "" } = request;
      if (!TYPES.includes(typeUrl) || isConfirmation) return;
      if (typeUrl === DEBUG_TYPE && names.length !== 1)
        return connection.end({ status: "INVALID_ARGUMENT", details: "expected one debug question as resource name" });
      waiting += 1;
      asked += 1;
      if (waiting > MAX_WAITING) return connection.end({ status: "RESOURCE_EXHAUSTED", details: "too many questions" });
      last = last
        .then(() => answer(typeUrl, names))
        .catch((error: unknown) => {
          deps.onFault(error);
          connection.end({ status: "UNAVAILABLE", details: "the control plane cannot answer now" });
        })
        .finally(() => {
          waiting -= 1;
        });
    },
    drained: () => undefined,
    closed() {
      isOpen = false;
    },
  };
}

/** Undefined: nobody knows who asks. */
async function answerTo(
  { authenticate, questions }: XdsDebugDeps,
  peer: Peer,
  typeUrl: string,
  names: readonly string[],
): Promise<readonly TypedAny[] | undefined> {
  const caller = await authenticate(peer);
  if (caller === undefined) return undefined;
  const viewer = namespaceSeenBy(questions, caller);
  const visible = [...questions.streams].filter(({ claim }) => viewer === "*" || claim.namespace === viewer);
  const standing = clientStatusResources(typeUrl, names, visible);
  if (standing !== undefined) return standing;
  const { status, body } = await answered(questions, names[0] ?? "", viewer);
  const text = typeof body === "string" ? Buffer.from(body) : body;
  const isFine = status === 200;
  const bytes = isFine ? text : Buffer.concat([Buffer.from(JSON.stringify({ statusCode: String(status) })), text]);
  return [encodedAny(DEBUG_TYPE, bytes)];
}

async function answered(
  questions: MonitoringDeps,
  name: string,
  viewer: string,
): ReturnType<typeof answerDebugQuestion> {
  try {
    return await answerDebugQuestion(questions, new URL(`/debug/${name}`, "http://localhost"), viewer);
  } catch (error) {
    return { status: 400, body: `${errorText(error)}\n` };
  }
}

/** Who answers, as Istio's clients read it. */
const controlPlane = ({ instance }: XdsDebugDeps): { readonly identifier: string } => ({
  identifier: JSON.stringify({ Component: "istiod", ID: instance, Info: { version: VERSION } }),
});

function sotwResponse(deps: XdsDebugDeps, { typeUrl, version, resources }: Answered): Uint8Array {
  return encodeMessage("envoy.service.discovery.v3.DiscoveryResponse", {
    type_url: typeUrl,
    version_info: version,
    nonce: version,
    resources,
    control_plane: controlPlane(deps),
  });
}

function deltaResponse(deps: XdsDebugDeps, { typeUrl, name, version, resources }: Answered): Uint8Array {
  return encodeMessage("envoy.service.discovery.v3.DeltaDiscoveryResponse", {
    type_url: typeUrl,
    nonce: version,
    resources: resources.map((resource) => ({ name, version, resource })),
    control_plane: controlPlane(deps),
  });
}

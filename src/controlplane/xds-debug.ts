import { errorText } from "../base/errors.ts";
import type { DeltaRequest, SotwRequest, XdsAcceptor, XdsConnection, XdsHandler } from "../grpc/ads-server.ts";
import type { Peer } from "../grpc/server.ts";
import { VERSION } from "../gen/version.ts";
import { encodedAny, encodeMessage } from "../wire/codec.ts";
import type { Caller } from "./caller.ts";
import { answerDebugQuestion, type MonitoringDeps, namespaceSeenBy } from "./debug.ts";

/** Type of a question to the control plane itself, asked in place of a proxy's resources; Istio's name. The one resource name is the question. */
export const DEBUG_TYPE = "istio.io/debug";

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
        write: (name, version, bytes) => sotwResponse(deps, version, bytes),
      }),
    delta: (connection) =>
      either(acceptor.delta(connection), {
        deps,
        connection,
        ask: ({ resource_names_subscribe = [], response_nonce = "" }: DeltaRequest) => ({
          names: resource_names_subscribe,
          response_nonce,
        }),
        write: (name, version, bytes) => deltaResponse(deps, name, version, bytes),
      }),
  };
}

interface Speech<Request> {
  readonly deps: XdsDebugDeps;
  readonly connection: XdsConnection;
  readonly ask: (request: Request) => { readonly names: readonly string[]; readonly response_nonce: string };
  readonly write: (name: string, version: string, bytes: Uint8Array) => Uint8Array;
}

/** The proxy's handler until the first request says that nobody is a proxy here. */
function either<Request extends { readonly type_url?: string }>(
  proxy: XdsHandler<Request>,
  speech: Speech<Request>,
): XdsHandler<Request> {
  let handler: XdsHandler<Request> | undefined;
  return {
    request(request) {
      if (handler === undefined && request.type_url === DEBUG_TYPE) {
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
  const answer = async (name: string): Promise<void> => {
    const bytes = await answerTo(deps, connection.peer, name);
    if (!isOpen) return;
    if (bytes === undefined)
      connection.end({ status: "UNAUTHENTICATED", details: "expected a bearer token for audience istio-ca" });
    else connection.send(speech.write(name, String(asked), bytes));
  };
  return {
    request(request) {
      const { names, response_nonce } = speech.ask(request);
      // istioctl's first request has a nonce too, which nobody sent
      const isConfirmation = /^\d+$/.test(response_nonce) && Number(response_nonce) <= asked;
      if (request.type_url !== DEBUG_TYPE || isConfirmation) return;
      const [name, ...more] = names;
      if (name === undefined || more.length > 0)
        return connection.end({ status: "INVALID_ARGUMENT", details: "expected one debug question as resource name" });
      waiting += 1;
      asked += 1;
      if (waiting > MAX_WAITING) return connection.end({ status: "RESOURCE_EXHAUSTED", details: "too many questions" });
      last = last
        .then(() => answer(name))
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
  name: string,
): Promise<Uint8Array | undefined> {
  const caller = await authenticate(peer);
  if (caller === undefined) return undefined;
  const { status, body } = await answered(questions, name, namespaceSeenBy(questions, caller));
  const text = typeof body === "string" ? Buffer.from(body) : body;
  return status === 200 ? text : Buffer.concat([Buffer.from(JSON.stringify({ statusCode: String(status) })), text]);
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

function sotwResponse(deps: XdsDebugDeps, version: string, bytes: Uint8Array): Uint8Array {
  return encodeMessage("envoy.service.discovery.v3.DiscoveryResponse", {
    type_url: DEBUG_TYPE,
    version_info: version,
    nonce: version,
    resources: [encodedAny(DEBUG_TYPE, bytes)],
    control_plane: controlPlane(deps),
  });
}

function deltaResponse(deps: XdsDebugDeps, name: string, version: string, bytes: Uint8Array): Uint8Array {
  return encodeMessage("envoy.service.discovery.v3.DeltaDiscoveryResponse", {
    type_url: DEBUG_TYPE,
    nonce: version,
    resources: [{ name, version, resource: encodedAny(DEBUG_TYPE, bytes) }],
    control_plane: controlPlane(deps),
  });
}

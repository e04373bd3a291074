import type { KubeObject } from "../../../src/resources/object.ts";
import type { Authorizer } from "./authorizer.ts";

/** The object with each `$NAME` in its texts replaced by what the words have for it. */
export function withWords<T>(value: T, words: Readonly<Record<string, string>>): T {
  if (typeof value === "string") {
    const text = Object.entries(words).reduce(
      (left, [name, word]) => left.replaceAll(`$${name}`, word),
      value as string,
    );
    return text as T;
  }
  if (Array.isArray(value)) return value.map((item: unknown) => withWords(item, words)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withWords(item as unknown, words)])) as T;
}

/** The mesh configuration with the external authorizers, and the services they are; `lost` is one that nobody serves. */
export function authorizerObjects(
  { grpcPort, httpPort }: Authorizer,
  more: Readonly<Record<string, unknown>> = {},
): readonly KubeObject[] {
  const common = { includeRequestHeadersInCheck: ["x-authorize", "x-own*"] };
  const providers = [
    { name: "grpc", envoyExtAuthzGrpc: { service: "grpc.authorizer.example", port: grpcPort, timeout: "2s" } },
    {
      name: "http",
      envoyExtAuthzHttp: {
        service: "http.authorizer.example",
        port: httpPort,
        timeout: "2s",
        pathPrefix: "/check",
        statusOnError: "503",
        headersToUpstreamOnAllow: ["x-authorized-by", "x-checked"],
        headersToDownstreamOnDeny: ["x-reason"],
        includeAdditionalHeadersInCheck: { "x-added": "by-the-mesh" },
        ...common,
      },
    },
    {
      name: "small",
      envoyExtAuthzHttp: {
        service: "http.authorizer.example",
        port: httpPort,
        includeRequestBodyInCheck: { maxRequestBytes: 16 },
        ...common,
      },
    },
    { name: "lost", envoyExtAuthzGrpc: { service: "nobody.authorizer.example", port: 1 } },
  ];
  const mesh = JSON.stringify({ extensionProviders: providers, ingressSelector: "gateway", ...more });
  return [
    { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "istio-system", name: "istio" }, data: { mesh } },
    entry("grpc", grpcPort, "GRPC"),
    entry("http", httpPort, "HTTP"),
  ] as unknown as readonly KubeObject[];
}

function entry(name: string, number: number, protocol: string): unknown {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { namespace: "guarded", name: `authorizer-${name}` },
    spec: {
      hosts: [`${name}.authorizer.example`],
      ports: [{ number, name, protocol }],
      resolution: "STATIC",
      endpoints: [{ address: "127.0.0.1" }],
      exportTo: ["guarded", "traffic"],
    },
  };
}

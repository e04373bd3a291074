import { Agent, createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Headers, SimulatedRequest } from "../../../src/simulate/request.ts";
import { type Messages, typed } from "../../../src/wire/codec.ts";
import { type RunningEnvoy, runEnvoy } from "../envoy/run-envoy.ts";
import { CLUSTERS } from "./random-tables.ts";

type RouteConfiguration = Messages["envoy.config.route.v3.RouteConfiguration"];

/** One route table in a listener of its own, and the scheme its requests have. */
export interface TableUnderTest {
  readonly table: RouteConfiguration;
  readonly scheme: "http" | "https";
  /** Clusters that the table names; absent: those of random tables. */
  readonly clusters?: readonly string[];
}

/** What a real Envoy did with a request. */
export interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly route: string | undefined;
  readonly cluster: string | undefined;
  readonly body: string;
}

/** The request as it reached the application, in the body of its answers. */
export interface Arrived {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly headers: Headers;
}

export interface RoutingEnvoy {
  ask(index: number, request: SimulatedRequest): Promise<Answer>;
  stop(): Promise<void>;
}

/** One Envoy with all tables, and one application behind all clusters. */
export async function startRoutingEnvoy(
  binary: string,
  folder: string,
  tables: readonly TableUnderTest[],
): Promise<RoutingEnvoy> {
  const app = createServer((request, response) => {
    const pairs: (readonly [string, string])[] = [];
    for (let at = 0; at < request.rawHeaders.length; at += 2)
      pairs.push([request.rawHeaders[at]?.toLowerCase() ?? "", request.rawHeaders[at + 1] ?? ""]);
    const { method = "", url: path = "" } = request;
    const authority = request.headers.host ?? "";
    request.resume();
    response.end(JSON.stringify({ method, path, authority, headers: pairs } satisfies Arrived));
  });
  await new Promise<void>((resolve) => {
    app.listen(0, "127.0.0.1", resolve);
  });
  const { port } = app.address() as AddressInfo;
  const envoy: RunningEnvoy = await runEnvoy(binary, bootstrap(folder, tables, port), { folder });
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  return {
    ask: (index, request) => ask(agent, join(folder, `s${index}`), request),
    async stop() {
      agent.destroy();
      await envoy.stop();
      app.closeAllConnections();
      app.close();
    },
  };
}

function bootstrap(folder: string, tables: readonly TableUnderTest[], port: number): Readonly<Record<string, unknown>> {
  return {
    static_resources: {
      clusters: [...new Set(tables.flatMap(({ clusters = CLUSTERS }) => clusters))].map((name) => ({
        name,
        type: "STATIC",
        load_assignment: {
          cluster_name: name,
          endpoints: [
            {
              lb_endpoints: [{ endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: port } } } }],
            },
          ],
        },
      })),
      listeners: tables.map(({ table, scheme }, index) => ({
        name: `l${index}`,
        address: { pipe: { path: join(folder, `s${index}`), mode: 0o666 } },
        filter_chains: [{ filters: [{ name: "hcm", typed_config: connectionManager(table, scheme) }] }],
      })),
    },
  };
}

function connectionManager(table: RouteConfiguration, scheme: "http" | "https"): unknown {
  return typed("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", {
    stat_prefix: "test",
    route_config: table,
    scheme_header_transformation: { scheme_to_overwrite: scheme },
    http_filters: [{ name: "router", typed_config: typed("envoy.extensions.filters.http.router.v3.Router", {}) }],
  });
}

function ask(agent: Agent, socketPath: string, request: SimulatedRequest): Promise<Answer> {
  const { method, path, authority, headers, scheme } = request;
  return new Promise((resolve, reject) => {
    const flat = ["host", authority, "x-forwarded-proto", scheme, ...headers.flat()];
    const sent = httpRequest({ socketPath, agent, method, path, headers: flat, setHost: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("error", reject);
      response.on("end", () => {
        const one = (name: string): string | undefined => [response.headers[name]].flat()[0];
        resolve({
          status: response.statusCode ?? 0,
          location: one("location"),
          route: one("seen-route"),
          cluster: one("seen-cluster"),
          body,
        });
      });
    });
    sent.on("error", reject);
    sent.end();
  });
}

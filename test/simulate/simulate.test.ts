import { expect, test } from "vitest";
import { chooseChain } from "../../src/simulate/filter-chain.ts";
import { chooseListener } from "../../src/simulate/listener.ts";
import type { SimulatedConnection, SimulatedRequest } from "../../src/simulate/request.ts";
import { chooseRoute } from "../../src/simulate/route.ts";
import { routeCheck } from "../../src/simulate/route-match.ts";

// What the comparison with a real Envoy does not ask (test/e2e/envoy/simulate.test.ts): listeners, chains, metadata, CONNECT, words.

const connection: SimulatedConnection = {
  destination: { address: "10.0.0.9", port: 8443 },
  source: { address: "10.0.0.1", port: 5000 },
  transport: "tls",
  serverName: "a.shop.example",
  applicationProtocols: ["h2", "http/1.1"],
};

const request: SimulatedRequest = {
  method: "GET",
  scheme: "http",
  authority: "web.shop",
  path: "/api?x=1",
  headers: [["x-user", "ann"]],
};

const listener = {
  name: "gateway",
  filter_chains: [
    { name: "port", filter_chain_match: { destination_port: 9443, server_names: ["a.shop.example"] } },
    { name: "exact", filter_chain_match: { server_names: ["a.shop.example"], application_protocols: ["istio"] } },
    { name: "wild", filter_chain_match: { server_names: ["*.shop.example"], transport_protocol: "tls" } },
    { name: "wider", filter_chain_match: { server_names: ["*.example"] } },
    { name: "near", filter_chain_match: { prefix_ranges: [{ address_prefix: "10.1.0.0", prefix_len: 16 }] } },
    { name: "any" },
  ],
  default_filter_chain: { name: "default" },
};

test("a chain is chosen criterion by criterion, and never again by a less exact one", () => {
  const chosen = (change: Partial<SimulatedConnection>): string | undefined =>
    chooseChain(listener, { ...connection, ...change }).chain?.name;
  expect(chosen({ serverName: "b.shop.example" })).toBe("wild");
  expect(chosen({ serverName: "b.c.shop.example" })).toBe("wild");
  expect(chosen({ serverName: "x.example" })).toBe("wider");
  expect(chosen({ serverName: "other" })).toBe("any");
  expect(chosen({ serverName: undefined, transport: "raw_buffer" })).toBe("any");
  // the exact name wins before protocols are asked; its protocol is missed and nobody goes back to the wildcard
  expect(chosen({})).toBe("default");
  expect(chosen({ applicationProtocols: ["h2", "istio"] })).toBe("exact");
  expect(chosen({ serverName: "b.shop.example", transport: "raw_buffer" })).toBe("default");
  expect(chosen({ destination: { address: "10.1.2.3", port: 1 }, serverName: "other" })).toBe("near");
  expect(chosen({ destination: { address: "10.0.0.9", port: 9443 }, serverName: "other" })).toBe("default");
});

test("what lost says the criterion and what it saw", () => {
  const { rejected, isDefault } = chooseChain(listener, connection);
  expect(isDefault).toBe(true);
  expect(rejected.find(({ name }) => name === "exact")?.miss).toEqual({
    condition: "application protocol",
    wanted: "istio",
    got: "h2, http/1.1",
  });
  expect(rejected.find(({ name }) => name === "port")?.miss).toEqual({
    condition: "destination port",
    wanted: "9443",
    got: "8443",
  });
});

test("source types, ranges and ports", () => {
  const local = { name: "local", filter_chain_match: { source_type: "SAME_IP_OR_LOOPBACK" as const } };
  const outside = { name: "outside", filter_chain_match: { source_type: "EXTERNAL" as const } };
  const ports = { name: "ports", filter_chain_match: { source_ports: [5000] } };
  const range = {
    name: "range",
    filter_chain_match: { source_prefix_ranges: [{ address_prefix: "10.0.0.0", prefix_len: 8 }] },
  };
  const chosen = (chains: readonly { readonly name: string }[], address: string, port = 1): string | undefined =>
    chooseChain({ filter_chains: chains }, { ...connection, source: { address, port } }).chain?.name;
  expect(chosen([local, outside], "10.0.0.9")).toBe("local");
  expect(chosen([local, outside], "127.0.0.6")).toBe("local");
  expect(chosen([local, outside], "10.0.0.1")).toBe("outside");
  expect(chosen([ports], "10.0.0.1", 5000)).toBe("ports");
  expect(chosen([ports], "10.0.0.1")).toBeUndefined();
  expect(chosen([range], "10.9.9.9")).toBe("range");
  expect(chosen([range], "fd00::1")).toBeUndefined();
});

test("a captured connection goes to its address, then to its port, then stays", () => {
  const at = (name: string, address: string, port: number): { name: string; address: object } => ({
    name,
    address: { socket_address: { address, port_value: port } },
  });
  const listeners = [at("virtualOutbound", "0.0.0.0", 15001), at("vip", "10.0.0.9", 80), at("port", "0.0.0.0", 80)];
  const chosen = (address: string, port: number): string | undefined =>
    chooseListener(listeners, ({ name }) => name === "virtualOutbound", { address, port })?.name;
  expect(chosen("10.0.0.9", 80)).toBe("vip");
  expect(chosen("10.0.0.8", 80)).toBe("port");
  expect(chosen("10.0.0.8", 81)).toBe("virtualOutbound");
  // nobody reaches the capturing listener's own port through it
  expect(chosen("10.0.0.8", 15001)).toBe("virtualOutbound");
});

test("metadata that filters left decides, lists by one of their items", () => {
  const claim = (value: object): object => ({
    prefix: "/",
    dynamic_metadata: [
      { filter: "envoy.filters.http.jwt_authn", path: [{ key: "payload" }, { key: "groups" }], value },
    ],
  });
  const metadata = { "envoy.filters.http.jwt_authn": { payload: { groups: ["staff", "night"] } } };
  const wanted = (exact: string): object => claim({ list_match: { one_of: { string_match: { exact } } } });
  expect(routeCheck(wanted("night"), { ...request, metadata })).toBeUndefined();
  expect(routeCheck(wanted("day"), { ...request, metadata })).toMatchObject({ got: '["staff","night"]' });
  expect(routeCheck(wanted("night"), request)).toMatchObject({ got: undefined });
  expect(routeCheck(claim({ present_match: false }), request)).toBeUndefined();
});

test("CONNECT has a condition of its own", () => {
  expect(routeCheck({ connect_matcher: {} }, { ...request, method: "CONNECT" })).toBeUndefined();
  expect(routeCheck({ connect_matcher: {} }, request)).toEqual({
    condition: "method",
    wanted: "CONNECT",
    got: "GET",
  });
});

test("routes that lost say which condition they missed", () => {
  const table = {
    virtual_hosts: [
      { name: "other", domains: ["other"], routes: [] },
      {
        name: "web",
        domains: ["web.shop"],
        routes: [
          { name: "first", match: { path: "/api/v1" }, direct_response: { status: 200 } },
          {
            name: "second",
            match: { prefix: "/", headers: [{ name: "x-user", string_match: { exact: "bob" } }] },
            direct_response: { status: 200 },
          },
          { match: { prefix: "/", query_parameters: [{ name: "x", string_match: { exact: "2" } }] } },
          { name: "last", match: { prefix: "/" }, direct_response: { status: 200 } },
        ],
      },
    ],
  };
  const chosen = chooseRoute(table, request);
  expect(chosen.route?.name).toBe("last");
  expect(chosen.hostsRejected).toEqual([
    { name: "other", miss: { condition: "domain", wanted: "other", got: "web.shop" } },
  ]);
  expect(chosen.routesRejected).toEqual([
    { name: "first", miss: { condition: "path", wanted: 'exact "/api/v1"', got: "/api" } },
    { name: "second", miss: { condition: "header x-user", wanted: 'exact "bob"', got: "ann" } },
    { name: "#2", miss: { condition: "query parameter x", wanted: 'exact "2"', got: "1" } },
  ]);
});

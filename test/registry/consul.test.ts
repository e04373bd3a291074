import { expect, test } from "vitest";
import { serviceEntry } from "../../src/registry/consul-entry.ts";
import { validateForAdmission } from "../../src/validation/index.ts";
import { startPlayedConsul } from "../support/consul/consul.ts";
import { consulSuite } from "../support/consul/suite.ts";

consulSuite(startPlayedConsul);

const instance = (Address: string, Port: number, rest: object = {}) => ({
  Node: { Address: "10.0.0.9", Datacenter: "dc1" },
  Service: { Address, Port, ...rest },
});

test("a service's port is what most instances have; others say their own", () => {
  const { metadata, spec } = serviceEntry("Web_API", "consul", [
    instance("10.0.0.1", 8080, { Tags: ["version=v1", "blue"], Meta: { team: "a", protocol: "grpc" } }),
    instance("", 9090, { Weights: { Passing: 3 } }),
    instance("10.0.0.2", 8080, { Tags: null, Meta: null }),
  ]);
  expect(metadata).toMatchObject({ name: "consul-web-api", namespace: "consul" });
  expect(spec).toEqual({
    hosts: ["web_api.service.consul"],
    location: "MESH_INTERNAL",
    resolution: "STATIC",
    ports: [{ number: 8080, name: "main", protocol: "GRPC" }],
    endpoints: [
      { address: "10.0.0.1", labels: { protocol: "grpc", team: "a", version: "v1" }, locality: "dc1" },
      { address: "10.0.0.2", locality: "dc1" },
      { address: "10.0.0.9", ports: { main: 9090 }, locality: "dc1", weight: 3 },
    ],
  });
});

test("what is made is a valid ServiceEntry, with instances and without", () => {
  for (const instances of [[], [instance("10.0.0.1", 80)]])
    expect(validateForAdmission(serviceEntry("web", "consul", instances))).toMatchObject({ allowed: true });
});

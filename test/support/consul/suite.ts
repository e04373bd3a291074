import { afterAll, beforeAll, expect, test } from "vitest";
import { silentLogger } from "../../../src/base/logger.ts";
import { createRegistries, type Registries } from "../../../src/controlplane/registries.ts";
import { createModel, type Model } from "../../../src/model/model.ts";
import { consulRegistry } from "../../../src/registry/consul.ts";
import { createWorldStore } from "../../../src/resources/world-store.ts";
import { waitFor } from "../wait.ts";
import type { TestConsul } from "./consul.ts";

/** What the mesh makes of a Consul catalog: the same against a real one and a played one. */
export function consulSuite(start: () => Promise<TestConsul>): void {
  const world = createWorldStore();
  const model: Model = createModel(world);
  let consul: TestConsul;
  let registries: Registries;
  let isStopped = false;

  const endpoints = (host: string): readonly string[] | undefined => {
    const service = model.services.visible("shop", host);
    const port = service?.ports[0]?.number;
    if (service === undefined || port === undefined) return undefined;
    return model.endpoints.of(service, port).map((one) => `${one.address}:${one.port}`);
  };
  const has = (host: string, ...wanted: readonly string[]): Promise<unknown> =>
    waitFor(() => JSON.stringify(endpoints(host)) === JSON.stringify(wanted), {
      what: `${host} at ${wanted.join(", ")}`,
    });

  beforeAll(async () => {
    consul = await start();
    await consul.register({ id: "web-1", name: "web", address: "10.1.0.1", port: 8080, tags: ["version=v1", "plain"] });
    await consul.health("web-1", true);
    registries = createRegistries({
      registries: [consulRegistry({ url: consul.url, token: undefined, namespace: "consul", log: silentLogger })],
      world,
      apply: (changes) => world.apply(changes),
      log: silentLogger,
    });
    await registries.start();
  }, 1_800_000);
  afterAll(async () => {
    await registries?.close();
    if (!isStopped) await consul?.stop();
  });

  test("what was registered before is there when the start is over", () => {
    expect(endpoints("web.service.consul")).toEqual(["10.1.0.1:8080"]);
    const service = model.services.visible("shop", "web.service.consul");
    expect(service?.meshExternal).toBe(false);
    expect(model.services.visible("shop", "consul.service.consul")).toBeUndefined();
    const [endpoint] = service === undefined ? [] : model.endpoints.of(service, 8080);
    expect(endpoint?.labels).toMatchObject({ version: "v1" });
    expect(endpoint?.locality.region).toBe("dc1");
  });

  test("an instance takes traffic once it is healthy, and no more when it is not", async () => {
    await consul.register({ id: "web-2", name: "web", address: "10.1.0.2", port: 8081, meta: { protocol: "http" } });
    await consul.register({ id: "db-1", name: "db", address: "10.1.0.3", port: 5432, meta: { protocol: "tcp" } });
    // the service is there before anyone is healthy; so web-2 was seen, and was not taken
    await waitFor(() => model.services.visible("shop", "db.service.consul") !== undefined, { what: "db" });
    expect(endpoints("web.service.consul")).toEqual(["10.1.0.1:8080"]);
    await consul.health("web-2", true);
    await has("web.service.consul", "10.1.0.1:8080", "10.1.0.2:8081");
    await consul.health("db-1", true);
    await has("db.service.consul", "10.1.0.3:5432");
    expect(model.services.visible("shop", "db.service.consul")?.ports[0]?.protocol).toBe("tcp");
    await consul.health("web-1", false);
    await has("web.service.consul", "10.1.0.2:8081");
  });

  test("a service goes with its last instance", async () => {
    await consul.deregister("web-1");
    await consul.deregister("web-2");
    await waitFor(() => model.services.visible("shop", "web.service.consul") === undefined, { what: "web to go" });
    expect(endpoints("db.service.consul")).toEqual(["10.1.0.3:5432"]);
  });

  test("while Consul is away the last answers stay", async () => {
    await consul.stop();
    isStopped = true;
    expect(endpoints("db.service.consul")).toEqual(["10.1.0.3:5432"]);
  });
}

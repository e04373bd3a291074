import { expect, test } from "vitest";
import { readConfig } from "../../src/agent/config.ts";
import { hostEnv } from "../../src/agent/host-env.ts";

const mesh = {
  defaultConfig: {
    discoveryAddress: "istiod.istio-system.svc:15012",
    proxyMetadata: {
      ISTIO_META_AUTO_REGISTER_GROUP: "db",
      ISTIO_METAJSON_LABELS: '{"app":"db"}',
      SERVICE_ACCOUNT: "db",
    },
    readinessProbe: { tcpSocket: { port: 5432 } },
  },
};
const facts = { hostname: "vm-1", addresses: ["fd00::2", "10.9.0.2"], mesh };

test("a host's agent is configured by the mesh file and by the host", () => {
  const env = hostEnv({ ISTIO_NAMESPACE: "shop", PATH: "/bin" }, facts);
  const config = readConfig({ args: ["sidecar"], env, readFile: () => undefined, version: "0" });
  expect(config.nodeId).toBe("sidecar~10.9.0.2~vm-1.shop~shop.svc.cluster.local");
  expect(config.metadata).toMatchObject({ AUTO_REGISTER_GROUP: "db", LABELS: { app: "db" }, SERVICE_ACCOUNT: "db" });
  expect(config.readinessProbe).toEqual({ tcpSocket: { port: 5432 } });
});

test("what the environment says comes first", () => {
  const env = hostEnv(
    { ISTIO_NAMESPACE: "shop", ISTIO_SVC_IP: "203.0.113.9", POD_NAME: "db-7", PROXY_CONFIG: "{}" },
    facts,
  );
  expect(env).toMatchObject({ INSTANCE_IP: "203.0.113.9", POD_NAME: "db-7", PROXY_CONFIG: "{}" });
});

test.each([[undefined], ["words"], [{ defaultConfig: 7 }]])(
  "a mesh file that is %j is an error that names it",
  (bad) => {
    expect(() => hostEnv({}, { ...facts, mesh: bad })).toThrow(
      "./etc/istio/config/mesh: expected a mapping with defaultConfig",
    );
  },
);

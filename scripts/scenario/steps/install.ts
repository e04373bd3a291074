import { must, type Scenario } from "../context.ts";
import { deleteNamespace, until } from "../kubectl.ts";
import { inventory } from "../objects.ts";
import { CLIENTS, SHOP } from "./shop.ts";

const before = new WeakMap<Scenario, readonly string[]>();

/** precheck, then install; the objects that were there before are remembered for the end. */
export const install = {
  title: "Install the mesh from the bundled manifests",
  async run(scenario: Scenario): Promise<void> {
    before.set(scenario, await inventory(scenario.cluster));
    await scenario.meshctl(["precheck"]);
    await scenario.meshctl(["install", "--set", "profile=demo", "-y"]);
  },
};

/** uninstall --purge, then the cluster holds exactly what it held before. */
export const uninstall = {
  title: "Uninstall: the cluster is as it was",
  async run(scenario: Scenario): Promise<void> {
    // Kubernetes asks each namespace anew only half a minute after its pods were told to go
    await Promise.all([SHOP, CLIENTS].map((namespace) => deleteNamespace(scenario, namespace)));
    await scenario.meshctl(["uninstall", "--purge", "-y"]);
    const expected = before.get(scenario);
    if (expected === undefined) return;
    const left = async (): Promise<readonly string[]> => {
      const now = await inventory(scenario.cluster);
      const known = new Set(expected);
      return [
        ...now.filter((name) => !known.has(name)),
        ...expected.filter((name) => !now.includes(name)).map((name) => `missing: ${name}`),
      ];
    };
    await until(60_000, "the cluster to be as it was", async () => (await left()).length === 0).catch(() => undefined);
    const rest = await left();
    must(rest.length === 0, `uninstall left: ${rest.join(", ")}`);
    scenario.say(`  ${expected.length} objects, the same as before the install`);
  },
};

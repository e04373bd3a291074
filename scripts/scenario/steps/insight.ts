import { podOf } from "../ask.ts";
import { must, type Scenario } from "../context.ts";
import { SHOP } from "./shop.ts";

/** What the tool tells: sync state, what a proxy holds, findings in files, injected YAML. */
export const insight = {
  title: "Look into the mesh, and check files before they get there",
  async run(scenario: Scenario): Promise<void> {
    const status = await scenario.meshctl(["proxy-status", "--wait"]);
    must(!/STALE|NACK|ERROR/.test(status.stdout), "a proxy is not in sync");
    const pod = (await podOf(scenario, SHOP, "web")).metadata.name;
    const clusters = await scenario.meshctl(["proxy-config", "clusters", `${pod}.${SHOP}`], { quiet: true });
    must(
      /catalog\.shop\.svc\.cluster\.local\s+8000\s+v1/.test(clusters.stdout),
      `no subset v1 of catalog in:\n${clusters.stdout}`,
    );
    const endpoints = await scenario.meshctl(["proxy-config", "endpoints", `${pod}.${SHOP}`], { quiet: true });
    must(
      /HEALTHY.*outbound\|8000\|v1\|catalog/.test(endpoints.stdout),
      `no endpoint of catalog v1 in:\n${endpoints.stdout}`,
    );
    scenario.say(
      `  ${clusters.stdout.trim().split("\n").length - 1} clusters, ${endpoints.stdout.trim().split("\n").length - 1} endpoints`,
    );

    const good = ["shop.yaml", "strict-mtls.yaml", "canary-50-50.yaml"].flatMap((file) => [
      "-f",
      `samples/shop/${file}`,
    ]);
    await scenario.meshctl(["analyze", "-n", SHOP, ...good]);
    const bad = await scenario.meshctl(["analyze", "-n", SHOP, "-f", "samples/shop/broken/missing-host.yaml"], {
      expect: 1,
    });
    must(/\[IST0101\] .*missing-host\.yaml:13:13/.test(bad.stdout), `no file, line and code in:\n${bad.stdout}`);

    const live = await scenario.meshctl(["analyze", "-n", SHOP, "--live-status", "-o", "json"], { quiet: true });
    must(Array.isArray(JSON.parse(live.stdout)), `the control plane told no findings:\n${live.stdout}`);
    const told = JSON.parse(live.stdout) as readonly { readonly level: string }[];
    must(
      !told.some(({ level }) => level === "Error"),
      `the control plane finds errors in a good mesh:\n${live.stdout}`,
    );

    const injected = await scenario.meshctl(["inject", "-f", "samples/getting-started/app.yaml"], { quiet: true });
    must(injected.stdout.includes("name: istio-proxy"), "inject printed no sidecar");
    scenario.say(`  the injected YAML has ${injected.stdout.split("\n").length} lines`);
  },
};

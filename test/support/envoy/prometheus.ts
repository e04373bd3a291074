import { waitFor } from "../wait.ts";
import type { RunningEnvoy } from "./run-envoy.ts";

/** One line of Prometheus text. */
interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The samples of a Prometheus text exposition. */
function parsePrometheus(text: string): Sample[] {
  return text.split("\n").flatMap((line) => {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match === null) return [];
    const labels = [...(match[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, value]) => [key, value]);
    return [
      { name: match[1] ?? "", labels: Object.fromEntries(labels) as Record<string, string>, value: Number(match[3]) },
    ];
  });
}

/** All series of a metric that Envoy shows now. */
export async function samples(envoy: Pick<RunningEnvoy, "admin">, name: string): Promise<Sample[]> {
  return parsePrometheus(await envoy.admin("/stats/prometheus")).filter((sample) => sample.name === name);
}

/** The first series of a metric with these labels, waited for. */
export function findSample(
  envoy: Pick<RunningEnvoy, "admin">,
  name: string,
  wanted: Readonly<Record<string, string>>,
): Promise<Sample> {
  return waitFor(
    async () =>
      (await samples(envoy, name)).find((sample) =>
        Object.entries(wanted).every(([key, value]) => sample.labels[key] === value),
      ),
    { what: `${name} with ${JSON.stringify(wanted)}` },
  );
}

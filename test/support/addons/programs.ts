import { execFile } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, existsSync, linkSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Programs that are built from published Go modules: minutes each, the first time. */
const NAMES = ["jaeger", "collector", "kiali", "grafana"] as const;
type Name = (typeof NAMES)[number];

/** Why they cannot be built on this machine; undefined when they can. */
export function missingBuilder(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(":");
  const absent = ["go", "flock", "cc"].filter(
    (program) => !folders.some((folder) => existsSync(join(folder, program))),
  );
  return absent.length === 0 ? undefined : `${absent.join(", ")} missing`;
}

/** Real programs, where any user may run them. */
export interface AddonPrograms {
  readonly kiali: string;
  /** Values of `meshctl up --map`: what runs for the addons' images on a local node. */
  readonly mappings: readonly string[];
  remove(): void;
}

/** Builds one unless the cache has it; its path there. */
export async function setUp(name: Name): Promise<string> {
  const { stdout } = await run(join(import.meta.dirname, "setup-addons.sh"), [name], { maxBuffer: 1 << 26 });
  return stdout.trim().split("\n").at(-1) ?? "";
}

/** Builds what the cache does not have. */
export async function addonPrograms(): Promise<AddonPrograms> {
  const built = new Map<Name, string>();
  // one after the other: each takes what cores there are
  for (const name of NAMES) built.set(name, await setUp(name));
  const folder = mkdtempSync(join(tmpdir(), "meshctl-addons-"));
  chmodSync(folder, 0o755);
  const place = (file: string, name: string): string => {
    const target = join(folder, name);
    try {
      linkSync(file, target);
    } catch {
      copyFileSync(file, target);
    }
    chmodSync(target, 0o755);
    return target;
  };
  const program = (name: Name): string => place(built.get(name) ?? "", name);
  const pod = place(join(import.meta.dirname, "pod.sh"), "pod.sh");
  const grafana = built.get("grafana") ?? "";
  cpSync(join(dirname(grafana), "conf"), join(folder, "conf"), { recursive: true });
  cpSync(join(dirname(grafana), "public"), join(folder, "public"), { recursive: true });
  return {
    kiali: program("kiali"),
    mappings: [
      `jaegertracing/jaeger=${pod} ${program("jaeger")}`,
      `otel/opentelemetry-collector-contrib=${pod} ${program("collector")}`,
      `grafana/grafana=${place(join(import.meta.dirname, "grafana-pod.sh"), "grafana-pod.sh")} ${program("grafana")} ${folder}`,
    ],
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

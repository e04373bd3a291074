import type { Proxy } from "../../ir/proxy.ts";
import { textOption } from "../input.ts";
import type { CommandInput, Io } from "../io.ts";
import type { OfflineMesh } from "../offline/mesh.ts";
import { adminPort } from "../proxy-config/source.ts";
import { NO_WORDS } from "../why/control-plane.ts";
import { createGatherer } from "../why/gather.ts";
import { readerFor } from "../why/lines.ts";
import { foresee } from "../why/walked.ts";
import { sendLive } from "./live.ts";
import type { Asked, Trace } from "./types.ts";

/** What is walked. */
export interface LiveWalk {
  readonly mesh: OfflineMesh;
  readonly client: Proxy;
  readonly asked: Asked;
}

/** What the proxies really run, walked, and the request sent. */
export async function walkLive(input: CommandInput, io: Io, { mesh, client, asked }: LiveWalk): Promise<Trace> {
  const cluster = await io.cluster();
  const read = readerFor(mesh.mesh.model);
  const sources = {
    offline: mesh,
    cluster,
    adminPort: adminPort(input),
    words: NO_WORDS,
    read,
    probes: false,
    now: io.now(),
  };
  const gatherer = createGatherer(sources);
  const { trace: walked, proxies } = await foresee(sources, gatherer, { from: client, asked });
  const [from = client, ...others] = proxies;
  const deps = { cluster, model: mesh.mesh.model, read, requestId: textOption(input, "requestId"), signal: io.signal };
  return { ...walked, live: await sendLive(deps, { from, others }, asked, walked) };
}

import type { RequestOptions } from "node:https";
import { Duplex } from "node:stream";
import type { KubeConfig } from "@kubernetes/client-node";
import { WebSocket } from "ws";
import { ClusterError, errorText } from "../base/errors.ts";
import { query } from "./paths.ts";

const DATA = 0;
const ERROR = 1;
/** What the kubelet speaks on a websocket: binary frames whose first byte is the channel. */
const PROTOCOL = "v4.channel.k8s.io";

/**
 * A byte stream to a port of a pod over the API server's websocket. Each of the two channels starts with the port number in
 * two bytes; words on the error channel end the stream. Throws ClusterError `port-forward`.
 */
export async function openPortForward(
  config: KubeConfig,
  target: { readonly namespace: string; readonly pod: string; readonly port: number },
): Promise<Duplex> {
  const server = (config.getCurrentCluster()?.server ?? "").replace(/^http/, "ws").replace(/\/+$/, "");
  const path = `/api/v1/namespaces/${encodeURIComponent(target.namespace)}/pods/${encodeURIComponent(target.pod)}/portforward`;
  const options: RequestOptions = { headers: {} };
  await config.applyToHTTPSOptions(options);
  const names = `pod ${target.namespace}/${target.pod} port ${target.port}`;
  const socket = new WebSocket(`${server}${path}${query({ ports: target.port })}`, [PROTOCOL], {
    ...(options as object),
    perMessageDeflate: false,
  });
  const stream = wrap(socket, names);
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", (error) => {
      reject(
        new ClusterError("port-forward", `cannot forward to ${names}: ${errorText(error)}`, {
          hint: "check that the pod runs and that you may create pods/portforward",
          cause: error,
        }),
      );
    });
  });
  return stream;
}

function wrap(socket: WebSocket, names: string): Duplex {
  const started = new Set<number>();
  let open = false;
  const stream = new Duplex({
    read() {
      if (socket.isPaused) socket.resume();
    },
    write(chunk: Buffer, _encoding, done) {
      socket.send(Buffer.concat([Buffer.from([DATA]), chunk]), done);
    },
    final(done) {
      // The protocol knows no half close: the end of our side is the end of the stream.
      socket.close();
      done();
    },
    destroy(error, done) {
      socket.close();
      done(error);
    },
  });
  // One that comes before somebody reads, or after, must not end the program: whoever reads finds the stream destroyed, with the error.
  stream.on("error", () => undefined);
  socket.on("open", () => {
    open = true;
  });
  socket.on("close", () => stream.push(null));
  socket.on("error", (error) => {
    if (open) stream.destroy(error);
  });
  socket.on("message", (message: Buffer) => {
    const channel = message[0] ?? ERROR;
    const data = message.subarray(started.has(channel) ? 1 : 3);
    started.add(channel);
    if (data.length === 0) return;
    if (channel === DATA && !stream.push(data)) socket.pause();
    if (channel === ERROR)
      stream.destroy(
        new ClusterError("port-forward", `${names}: ${data.toString("utf8").trim()}`, {
          hint: `look whether the pod runs and is ready: kubectl get pods, kubectl logs`,
        }),
      );
  });
  return stream;
}

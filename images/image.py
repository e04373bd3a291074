#!/usr/bin/env python3
"""Write a container image (an OCI layout in a tar) without a container engine: Python's standard library only.

  image.py --out IMAGE.tar --name docker.io/meshctl/x:1
           [--base ROOTFS.tar ...]               a root file system, a layer each: what the layers before it lack
           [--part SRC:DST[:MODE] ...]           a file or a directory tree, a layer each; in the order given, between the bases
           [--add SRC:DST[:MODE] ...]            a file or a directory tree; all of them make the last layer
           [--dir DST[:MODE[:UID:GID]] ...]      an empty directory
           [--passwd NAME:UID:GID ...]           a user and group of that name
           [--entrypoint A ...] [--env K=V ...] [--label K=V ...] [--user U:G] [--workdir D]
           [--sbom FILE.json]                    a CycloneDX list of materials, attached as an artifact that refers to the image
           [--layer-cache DIR]                   compressed layers are kept there by their content

Import with `ctr -n k8s.io images import IMAGE.tar`. The same input gives the same bytes, whatever modes the sources have
beyond being executable; compressed bytes depend on the version of zlib.
"""
import argparse
import hashlib
import io
import json
import os
import platform
import stat
import sys
import tarfile
import zlib

OCI = "application/vnd.oci.image"
SBOM = "application/vnd.cyclonedx+json"


class InOrder(argparse.Action):
    """Bases and parts are layers in the order of the command line."""

    def __call__(self, parser, args, value, option=None):
        args.layers.append((option.lstrip("-"), value))


def arguments():
    parser = argparse.ArgumentParser()
    parser.set_defaults(layers=[])
    parser.add_argument("--out", required=True)
    parser.add_argument("--name", required=True)
    for option in ("base", "part"):
        parser.add_argument("--" + option, action=InOrder)
    for option in ("add", "dir", "passwd", "entrypoint", "env", "label"):
        parser.add_argument("--" + option, action="append", default=[])
    parser.add_argument("--user")
    parser.add_argument("--workdir", default="/")
    parser.add_argument("--sbom")
    parser.add_argument("--layer-cache")
    return parser.parse_args()


class Layer:
    """One layer: a tar with fixed times and a stable order. `known` are directories that a layer below has already."""

    def __init__(self, known):
        self.buffer = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.buffer, mode="w", format=tarfile.GNU_FORMAT)
        self.known = set(known)

    def entry(self, name, mode, uid, gid, kind=tarfile.REGTYPE):
        info = tarfile.TarInfo(name.strip("/"))
        info.mode, info.uid, info.gid, info.type, info.mtime = mode, uid, gid, kind, 0
        return info

    def directory(self, path, mode=0o755, uid=0, gid=0):
        name = path.strip("/")
        if not name or name in self.known:
            return
        self.directory(os.path.dirname(name))
        self.known.add(name)
        self.tar.addfile(self.entry(name, mode, uid, gid, tarfile.DIRTYPE))

    def data(self, path, content, mode):
        self.directory(os.path.dirname(path.strip("/")))
        info = self.entry(path, mode, 0, 0)
        info.size = len(content)
        self.tar.addfile(info, io.BytesIO(content))

    def tree(self, source, path, mode=None):
        if os.path.isdir(source):
            self.directory(path)
            for name in sorted(os.listdir(source)):
                self.tree(os.path.join(source, name), path.rstrip("/") + "/" + name, mode)
            return
        with open(source, "rb") as file:
            # not the source's own mode: it depends on the umask of whoever made it
            executable = os.stat(source).st_mode & stat.S_IXUSR
            self.data(path, file.read(), mode if mode is not None else 0o755 if executable else 0o644)

    def bytes(self):
        self.tar.close()
        return self.buffer.getvalue()


class Below:
    """What the layers so far hold: directories, user tables, and what each name of a base is."""

    def __init__(self):
        self.directories, self.users, self.entries = set(), {}, {}


def base_layer(path, below):
    """A root file system's tar, without what a base before it has the same."""
    layer = Layer(())
    with tarfile.open(path) as tar:
        for member in tar:
            name = member.name.removeprefix("./").strip("/")
            content = tar.extractfile(member).read() if member.isfile() else b""
            if member.isdir() or member.issym():
                below.directories.add(name)
            if name in ("etc/passwd", "etc/group") and member.isfile():
                below.users[name] = content
            entry = (member.type, member.mode, member.linkname, hashlib.sha256(content).digest())
            if name in ("", ".") or below.entries.get(name) == entry:
                continue
            below.entries[name] = entry
            layer.tar.addfile(member, io.BytesIO(content) if member.isfile() else None)
    return layer.bytes()


def part_layer(spec, below):
    source, path, mode = (spec.split(":") + [None])[:3]
    layer = Layer(below.directories)
    layer.tree(source, path, int(mode, 8) if mode else None)
    below.directories |= layer.known
    return layer.bytes()


def layer_of(kind, value, below):
    return base_layer(value, below) if kind == "base" else part_layer(value, below)


def own_layer(args, below):
    layer, users = Layer(below.directories), below.users
    passwd = users.get("etc/passwd", b"root:x:0:0:root:/root:/sbin/nologin\n")
    group = users.get("etc/group", b"root:x:0:\n")
    for spec in args.passwd:
        name, uid, gid = spec.split(":")
        passwd += f"{name}:x:{uid}:{gid}:{name}:/:/sbin/nologin\n".encode()
        group += f"{name}:x:{gid}:\n".encode()
    layer.data("/etc/passwd", passwd, 0o644)
    layer.data("/etc/group", group, 0o644)
    for spec in args.dir:
        parts = spec.split(":")
        path, mode, uid, gid = parts + ["755", "0", "0"][len(parts) - 1 :]
        layer.directory(path, int(mode, 8), int(uid), int(gid))
    for spec in sorted(args.add, key=lambda spec: spec.split(":")[1]):
        source, path, mode = (spec.split(":") + [None])[:3]
        layer.tree(source, path, int(mode, 8) if mode else None)
    return layer.bytes()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def gzip(data, cache):
    """Compressed; with a cache only once for the same bytes."""
    kept = cache and os.path.join(cache, f"{hashlib.sha256(data).hexdigest()}-{zlib.ZLIB_RUNTIME_VERSION}-{LEVEL}.gz")
    if kept and os.path.exists(kept):
        with open(kept, "rb") as file:
            return file.read()
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
    packed = compressor.compress(data) + compressor.flush()
    if kept:
        os.makedirs(cache, exist_ok=True)
        temporary = f"{kept}.{os.getpid()}"
        with open(temporary, "wb") as file:
            file.write(packed)
        os.replace(temporary, kept)
    return packed


LEVEL = 6


def as_json(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def main():
    args = arguments()
    below = Below()
    layers = [layer_of(kind, value, below) for kind, value in args.layers]
    layers.append(own_layer(args, below))
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    blobs = {}

    def blob(data, media_type):
        blobs[digest(data)] = data
        return {"mediaType": media_type, "digest": digest(data), "size": len(data)}

    layer_descriptors = [blob(gzip(layer, args.layer_cache), f"{OCI}.layer.v1.tar+gzip") for layer in layers]
    settings = {
        "Entrypoint": args.entrypoint,
        "Env": ["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", *args.env],
        "User": args.user,
        "WorkingDir": args.workdir,
        "Labels": dict(label.split("=", 1) for label in args.label),
    }
    kinds = [f"--{kind}" for kind, _ in args.layers] + ["--add"]
    config = {
        "architecture": architecture,
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {key: value for key, value in settings.items() if value},
        "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in layers]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": f"image.py {kind}"} for kind in kinds],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": blob(as_json(config), f"{OCI}.config.v1+json"),
        "layers": layer_descriptors,
    }
    descriptor = blob(as_json(manifest), f"{OCI}.manifest.v1+json")
    manifests = [descriptor]
    if args.sbom:
        manifests.append(sbom_artifact(args.sbom, descriptor, blob))
    # after what refers to it: a reference has none of these
    descriptor["platform"] = {"architecture": architecture, "os": "linux"}
    descriptor["annotations"] = {
        "io.containerd.image.name": args.name,
        "org.opencontainers.image.ref.name": args.name.rsplit(":", 1)[-1],
    }
    index = {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": manifests}
    write_layout(args.out, as_json(index), blobs)
    print(f"{args.name} {descriptor['digest']} {os.path.getsize(args.out)} bytes", file=sys.stderr)


def sbom_artifact(path, subject, blob):
    """The list of materials as a manifest of its own that names the image's: OCI 1.1's way to attach things."""
    with open(path, "rb") as file:
        content = file.read()
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "artifactType": SBOM,
        "config": blob(b"{}", "application/vnd.oci.empty.v1+json"),
        "layers": [blob(content, SBOM)],
        "subject": dict(subject),
    }
    return {**blob(as_json(manifest), f"{OCI}.manifest.v1+json"), "artifactType": SBOM}


def write_layout(out, index, blobs):
    temporary = f"{out}.{os.getpid()}.tmp"
    with tarfile.open(temporary, "w") as tar:

        def put(name, data):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o644
            tar.addfile(info, io.BytesIO(data))

        put("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        put("index.json", index)
        for name, data in blobs.items():
            put("blobs/" + name.replace(":", "/"), data)
    os.replace(temporary, out)


main()

#!/usr/bin/env python3
"""Write a container image (an OCI layout in a tar) without a container engine: Python's standard library only.

  image.py --out IMAGE.tar --name docker.io/meshctl/x:1
           [--base ROOTFS.tar ...]               a root file system, one layer each, in order
           [--add SRC:DST[:MODE] ...]            a file or a directory tree; all of them make one layer
           [--dir DST[:MODE[:UID:GID]] ...]      an empty directory
           [--passwd NAME:UID:GID ...]           a user and group of that name
           [--entrypoint A ...] [--env K=V ...] [--user U:G] [--workdir D]

Import with `ctr -n k8s.io images import IMAGE.tar`. The same input gives the same bytes.
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


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--name", required=True)
    for option in ("base", "add", "dir", "passwd", "entrypoint", "env"):
        parser.add_argument("--" + option, action="append", default=[])
    parser.add_argument("--user")
    parser.add_argument("--workdir", default="/")
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
            self.data(path, file.read(), mode if mode is not None else stat.S_IMODE(os.stat(source).st_mode))

    def bytes(self):
        self.tar.close()
        return self.buffer.getvalue()


def read_bases(paths):
    """The uncompressed bytes of the base layers, the directories they hold, and their user tables."""
    layers, known, users = [], set(), {}
    for path in paths:
        with tarfile.open(path) as tar:
            for member in tar:
                name = member.name.lstrip("./")
                if member.isdir() or member.issym():
                    known.add(name)
                if name in ("etc/passwd", "etc/group") and member.isfile():
                    users[name] = tar.extractfile(member).read()
        with open(path, "rb") as file:
            layers.append(file.read())
    return layers, known, users


def own_layer(args, known, users):
    layer = Layer(known)
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
    for spec in args.add:
        source, path, mode = (spec.split(":") + [None])[:3]
        layer.tree(source, path, int(mode, 8) if mode else None)
    return layer.bytes()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def gzip(data):
    compressor = zlib.compressobj(1, zlib.DEFLATED, 31)
    return compressor.compress(data) + compressor.flush()


def main():
    args = arguments()
    layers, known, users = read_bases(args.base)
    layers.append(own_layer(args, known, users))
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    blobs = {}

    def blob(data, media_type):
        blobs[digest(data)] = data
        return {"mediaType": media_type, "digest": digest(data), "size": len(data)}

    layer_descriptors = [blob(gzip(layer), f"{OCI}.layer.v1.tar+gzip") for layer in layers]
    settings = {
        "Entrypoint": args.entrypoint,
        "Env": ["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", *args.env],
        "User": args.user,
        "WorkingDir": args.workdir,
    }
    config = {
        "architecture": architecture,
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {key: value for key, value in settings.items() if value},
        "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in layers]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "images/image.py"} for _ in layers],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": blob(json.dumps(config, sort_keys=True).encode(), f"{OCI}.config.v1+json"),
        "layers": layer_descriptors,
    }
    descriptor = blob(json.dumps(manifest, sort_keys=True).encode(), f"{OCI}.manifest.v1+json")
    descriptor["platform"] = {"architecture": architecture, "os": "linux"}
    descriptor["annotations"] = {
        "io.containerd.image.name": args.name,
        "org.opencontainers.image.ref.name": args.name.rsplit(":", 1)[-1],
    }
    index = {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": [descriptor]}
    write_layout(args.out, json.dumps(index).encode(), blobs)
    print(f"{args.name} {descriptor['digest']} {os.path.getsize(args.out)} bytes", file=sys.stderr)


def write_layout(out, index, blobs):
    temporary = out + ".tmp"
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

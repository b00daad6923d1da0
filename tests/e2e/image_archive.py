#!/usr/bin/env python3
"""Writes image archives that no build makes: any number of layers, in the forms of two generations of tools.

usage: image_archive.py FILE NAME [--layers N] [--form oci|docker] [--gzip] [--architecture ARCH[/VARIANT]]... [--size MIB]

Several architectures make an index, with an attestation beside each image.  `docker`: as docker 20.10 saves it, which every
engine loads.  A layer holds one small file; with --size the last one is that large, of bytes that do not compress.
"""
import argparse
import gzip
import hashlib
import io
import json
import random
import tarfile

OCI = 'application/vnd.oci.image.'


def digest(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


def tar(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.USTAR_FORMAT) as archive:
        for name, data in files:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def layers_of(options):
    layers = [tar([(f'file-{number}', f'{options.name} {number}\n'.encode())]) for number in range(options.layers)]
    if options.size:
        layers[-1] = tar([('large', random.Random(1).randbytes(options.size << 20))])
    return layers


def config_of(layers, platform):
    architecture, _, variant = platform.partition('/')
    config = {'architecture': architecture, 'os': 'linux', 'config': {'Env': ['PATH=/bin', 'A=1'], 'Cmd': ['/file-0'],
              'Labels': {'io.crategate.test': 'sources'}},
              'rootfs': {'type': 'layers', 'diff_ids': [digest(layer) for layer in layers]},
              'history': [{'created_by': f'ADD file-{number}'} for number in range(len(layers))]}
    if variant:
        config['variant'] = variant
    return json.dumps(config).encode()


class Blobs:
    def __init__(self):
        self.files = {}

    def add(self, media_type, data, **more):
        self.files['blobs/sha256/' + hashlib.sha256(data).hexdigest()] = data
        return {'mediaType': media_type, 'digest': digest(data), 'size': len(data), **more}


def image(blobs, layers, platform, compressed):
    stored = [gzip.compress(layer, mtime=0) if compressed else layer for layer in layers]
    kind = OCI + 'layer.v1.tar' + ('+gzip' if compressed else '')
    manifest = {'schemaVersion': 2, 'mediaType': OCI + 'manifest.v1+json',
                'config': blobs.add(OCI + 'config.v1+json', config_of(layers, platform)),
                'layers': [blobs.add(kind, layer) for layer in stored]}
    architecture, _, variant = platform.partition('/')
    where = {'os': 'linux', 'architecture': architecture, **({'variant': variant} if variant else {})}
    return blobs.add(OCI + 'manifest.v1+json', json.dumps(manifest).encode(), platform=where)


def attestation(blobs, about):
    statement = blobs.add('application/vnd.in-toto+json', json.dumps({'subject': about['digest']}).encode())
    config = json.dumps({'architecture': 'unknown', 'os': 'unknown', 'rootfs': {'type': 'layers', 'diff_ids': [statement['digest']]}})
    manifest = {'schemaVersion': 2, 'mediaType': OCI + 'manifest.v1+json',
                'config': blobs.add(OCI + 'config.v1+json', config.encode()), 'layers': [statement]}
    return blobs.add(OCI + 'manifest.v1+json', json.dumps(manifest).encode(),
                     platform={'os': 'unknown', 'architecture': 'unknown'},
                     annotations={'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': about['digest']})


def oci_files(layers, options):
    blobs = Blobs()
    images = [image(blobs, layers, platform, options.gzip) for platform in options.architecture]
    top = images[0]
    if len(images) > 1:
        entries = images + [attestation(blobs, each) for each in images]
        index = {'schemaVersion': 2, 'mediaType': OCI + 'index.v1+json', 'manifests': entries}
        top = blobs.add(OCI + 'index.v1+json', json.dumps(index).encode())
    top = {**top, 'annotations': {'org.opencontainers.image.ref.name': options.name.rpartition(':')[2],
                                  'io.containerd.image.name': 'docker.io/library/' + options.name}}
    index = {'schemaVersion': 2, 'mediaType': OCI + 'index.v1+json', 'manifests': [top]}
    return [*blobs.files.items(), ('index.json', json.dumps(index).encode()), ('oci-layout', b'{"imageLayoutVersion":"1.0.0"}')]


def docker_files(layers, options):
    config = config_of(layers, options.architecture[0])
    name = hashlib.sha256(config).hexdigest() + '.json'
    files = [(hashlib.sha256(f'{number}'.encode()).hexdigest() + '/layer.tar', layer) for number, layer in enumerate(layers)]
    listed = [{'Config': name, 'RepoTags': [options.name], 'Layers': [path for path, _ in files]}]
    return [*files, (name, config), ('manifest.json', json.dumps(listed).encode())]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('file')
    parser.add_argument('name')
    parser.add_argument('--layers', type=int, default=2)
    parser.add_argument('--form', choices=['oci', 'docker'], default='docker')
    parser.add_argument('--gzip', action='store_true')
    parser.add_argument('--architecture', action='append')
    parser.add_argument('--size', type=int, default=0)
    options = parser.parse_args()
    options.architecture = options.architecture or ['amd64']
    layers = layers_of(options)
    with open(options.file, 'wb') as out:
        out.write(tar((oci_files if options.form == 'oci' else docker_files)(layers, options)))


if __name__ == '__main__':
    main()

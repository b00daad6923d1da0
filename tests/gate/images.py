"""Images that were tampered with: configuration, layers, kinds of manifests, cells and platforms.

Not here: records alone (records), the registry (registries).
"""
import copy
import gzip
import json

from cases import ADMITTED, add, case
from stand import CONFIG, INDEX, LAYER, MANIFEST, SECRET, SIGNED, VARIABLE, digest_of, layer, zstd

DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'


# --- A87: each configuration key changed, added, removed ------------------------------------------------------------------

def more_labels(labels):
    return {**(labels or {}), 'org.example.more': '1'}


CHANGES = {
    'Env': (lambda v: ['LD_PRELOAD=/evil.so' if entry.startswith('COLOR=') else entry for entry in v], lambda v: [*(v or []), 'LD_PRELOAD=/evil.so']),
    'Entrypoint': (lambda v: ['/bin/evil'], lambda v: [*(v or []), '-x']),
    'Cmd': (lambda v: ['-c', 'false'], lambda v: [*(v or []), 'more']),
    'User': (lambda v: '0', lambda v: '0'),
    'WorkingDir': (lambda v: '/', lambda v: '/evil'),
    'Labels': (lambda v: {**v, 'org.example.team': 'evil'}, more_labels),
    'ExposedPorts': (lambda v: {'81/tcp': {}, '443/tcp': {}}, lambda v: {**(v or {}), '22/tcp': {}}),
    'Volumes': (lambda v: {'/evil': {}}, lambda v: {**(v or {}), '/more': {}}),
    'StopSignal': (lambda v: 'SIGKILL', lambda v: 'SIGKILL'),
    'Healthcheck': (lambda v: {**v, 'Interval': v['Interval'] + 1}, lambda v: {**(v or {'Test': ['NONE']}), 'Retries': 7}),
    'Shell': (lambda v: ['/bin/evil', '-c'], lambda v: [*(v or ['/bin/sh']), '-x']),
    'OnBuild': (lambda v: ['RUN evil'], lambda v: [*(v or []), 'RUN evil']),
}
# What `one` does not have is added there, so that a key comes where there was none.
ABSENT_IN_ONE = ('Entrypoint', 'User', 'ExposedPorts', 'Volumes', 'StopSignal', 'Healthcheck', 'Shell', 'OnBuild')


def change_key(key, how):
    def act(s):
        cell = 'one' if how == 'added' and key in ABSENT_IN_ONE else 'app'
        manifest, config = s.image(cell)
        value = config['config'].get(key)
        if how == 'removed':
            assert value, key
            del config['config'][key]
        else:
            assert bool(value) == (cell == 'app' or key not in ABSENT_IN_ONE), (cell, key, value)
            config['config'][key] = CHANGES[key][how == 'added'](copy.deepcopy(value))
        s.forge(manifest, config, 3, cell)
    return act


for key in CHANGES:
    for how in ('changed', 'added', 'removed'):
        cell = 'one' if how == 'added' and key in ABSENT_IN_ONE else 'app'
        add(f'config: {key} {how}, record forged but for the fingerprint', change_key(key, how), {cell: {'config-differs'}})
def at_depth(s, key, depth):
    manifest, config = s.image()
    config['config'][key] = CHANGES[key][0](config['config'][key])
    s.forge(manifest, config, depth)


for key in ('Env', 'Entrypoint', 'User'):
    for depth, named, wanted in ((1, 'manifest', {'candidate-swapped', 'config-differs'}), (2, 'candidate', {'config-differs'})):
        add(f'config: {key} changed, the record names the {named}', (lambda k, d: lambda s: at_depth(s, k, d))(key, depth), wanted,
            says=(f'config.{key}', 'docs/gate.md#config-differs'))


@case('config: history and time of creation alone', {'config-differs'})
def _(s):
    manifest, config = s.image()
    config['created'], config['history'][0]['created_by'] = '2030-01-01T00:00:00Z', 'evil'
    s.forge(manifest, config, 2)


@case('config: not JSON', {'candidate-swapped'})
def _(s):
    s.forge(s.image()[0], b'\x7fELF', 3)


@case('config: an empty object, as attestations have', {'candidate-swapped'})
def _(s):
    s.forge(s.image()[0], b'{}', 3)


@case('config: cut off after a hundred bytes', {'candidate-swapped'})
def _(s):
    manifest = s.image()[0]
    s.forge(manifest, s.blob(manifest['config']['digest'])[:100], 3)


@case('config: 100 MB', {'candidate-swapped'})
def _(s):
    s.forge(s.image()[0], b'{"x":"' + b'a' * 100_000_000 + b'"}', 3)


@case('config: 5 MB, which the manifest calls 5 kB', 25)
def _(s):
    manifest = s.image()[0]
    manifest['config'] = {**manifest['config'], 'digest': s.put_blob(b'{"x":"' + b'a' * 5_000_000 + b'"}'), 'size': 5000}
    s.forge(manifest, None, 3)


# --- each layer position --------------------------------------------------------------------------------------------------

def change_layer(position, how, depth=3):
    def act(s):
        manifest, config = s.image()
        layers, diff_ids = manifest['layers'], config['rootfs']['diff_ids']
        at = {'first': 0, 'middle': len(layers) // 2, 'last': len(layers) - 1}[position]
        if how in ('replaced', 'added'):
            descriptor, data, diff_id = layer(f'{position} {how}'.encode())
            s.put_blob(data)
            place = slice(at, at + 1) if how == 'replaced' else slice(at + (position == 'last'), at + (position == 'last'))
            layers[place], diff_ids[place] = [descriptor], [diff_id]
        elif how == 'removed':
            del layers[at], diff_ids[at]
        elif how == 'duplicated':
            layers.insert(at, layers[at])
            diff_ids.insert(at, diff_ids[at])
        else:
            other = at - 1 if position == 'last' else at + 1
            for items in (layers, diff_ids):
                items[at], items[other] = items[other], items[at]
        s.forge(manifest, config, depth)
    return act


for position in ('first', 'middle', 'last'):
    for how in ('replaced', 'removed', 'added', 'reordered', 'duplicated'):
        add(f'layers: {position} {how}, record forged but for the layers', change_layer(position, how), {'layer-differs'})
add('layers: middle replaced, the record names the manifest alone', change_layer('middle', 'replaced', 1),
    {'candidate-swapped', 'layer-differs'}, says=('layer 3 (COPY src/b', 'docs/gate.md#layer-differs'))
add('layers: middle replaced, record forged but for the fingerprint', change_layer('middle', 'replaced', 4), {'config-differs'})


@case('layers: one less in the manifest than in the configuration', {'layer-differs'})
def _(s):
    manifest, config = s.image()
    del manifest['layers'][1]
    s.forge(manifest, config, 3)


@case('layers: one less in the configuration than in the manifest', {'layer-differs'})
def _(s):
    manifest, config = s.image()
    del config['rootfs']['diff_ids'][1]
    s.forge(manifest, config, 3)


@case('layers: a layer and the environment', {'layer-differs', 'config-differs'})
def _(s):
    manifest, config = s.image()
    del manifest['layers'][1], config['rootfs']['diff_ids'][1]
    config['config']['Env'].append('LD_PRELOAD=/evil.so')
    s.forge(manifest, config, 3)


def with_layers(count, depth=3):
    def act(s):
        manifest, config = s.image()
        manifest['layers'], config['rootfs']['diff_ids'] = [], []
        for number in range(count):
            descriptor, data, diff_id = layer(f'{count} {number}'.encode())
            s.put_blob(data)
            manifest['layers'].append(descriptor)
            config['rootfs']['diff_ids'].append(diff_id)
        s.forge(manifest, config, depth)
    return act


for count in (1, 127):
    add(f'layers: {count} others', with_layers(count), {'layer-differs'})
add('layers: none in the image', with_layers(0), {'layer-differs'})
add('layers: none in image and record', with_layers(0, 4), {'layer-differs', 'empty-evidence', 'config-differs'})


@case('layers: app names the image of one layer', {'candidate-missing'})
def _(s):
    manifest = s.record('one')['manifest_digest']
    s.edit(manifest_digest=manifest)


# --- layers and manifests of other kinds ------------------------------------------------------------------------------------

def of_layer_type(media_type, depth, **more):
    def act(s):
        manifest, _ = s.image()
        manifest['layers'][1] = {**manifest['layers'][1], 'mediaType': media_type, **more}
        s.serve(manifest, depth)
    return act


for media_type in ('application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'):
    add(f'foreign layer: {media_type.rpartition("application/")[2]}, forged throughout',
        of_layer_type(media_type, 3, urls=['https://evil.example/layer']), {'candidate-swapped'})
add('foreign layer: urls beside a usual type', of_layer_type(LAYER, 1, urls=['https://evil.example/layer']), {'candidate-swapped'})


def recompress(s, depth, way='zstd'):
    manifest, config = s.image()
    for place, descriptor in enumerate(manifest['layers']):
        plain = s.blob(descriptor['digest'])
        plain = gzip.decompress(plain) if plain.startswith(b'\x1f\x8b') else plain
        assert digest_of(plain) == config['rootfs']['diff_ids'][place]
        data = {'zstd': zstd, 'plain': bytes, 'gzip': lambda data: gzip.compress(data, 1)}[way](plain)
        kind = {'zstd': LAYER.replace('gzip', 'zstd'), 'plain': LAYER.removesuffix('+gzip'), 'gzip': LAYER}[way]
        manifest['layers'][place] = {'mediaType': kind, 'digest': s.put_blob(data), 'size': len(data)}
    manifest['mediaType'] = MANIFEST
    manifest['config']['mediaType'] = CONFIG
    s.forge(manifest, None, depth)


for way in ('zstd', 'plain', 'gzip'):
    add(f'{way} copy of the same layers: another candidate, the same fingerprint', (lambda w: lambda s: recompress(s, 1, w))(way), {'candidate-swapped'})
add('zstd copy, forged throughout: only a signature tells', lambda s: recompress(s, 3), ADMITTED)
add('zstd copy, forged throughout, signatures demanded', lambda s: recompress(s, 3), {'signature-invalid'}, kept='signed',
    options=SIGNED, environment={VARIABLE: SECRET})


def as_docker(s, depth):
    manifest, _ = s.image()
    manifest['mediaType'] = DOCKER_MANIFEST if manifest['mediaType'] == MANIFEST else MANIFEST
    manifest['config']['mediaType'] = 'application/vnd.docker.container.image.v1+json'
    for descriptor in manifest['layers']:
        descriptor['mediaType'] = 'application/vnd.docker.image.rootfs.diff.tar.gzip'
    s.forge(manifest, None, depth)


add('manifest of the other kind (docker schema 2, OCI)', lambda s: as_docker(s, 1), {'candidate-swapped'})


def index_of(s, media_type=INDEX):
    record = s.record()
    return {'schemaVersion': 2, 'mediaType': media_type,
            'manifests': [{'mediaType': s.manifest()[1]['mediaType'], 'digest': record['manifest_digest'], 'size': record['manifest_size'],
                           'platform': {'os': 'linux', 'architecture': 'amd64'}}]}


for kind, media_type in {'OCI index': INDEX, 'docker list': 'application/vnd.docker.distribution.manifest.list.v2+json'}.items():
    for depth in (1, 2):
        add(f're-tag through an index ({kind}), {"manifest" if depth == 1 else "manifest and candidate"} in the record',
        (lambda d, m: lambda s: s.name(*s.put_manifest(index_of(s, m)), d))(depth, media_type), {'candidate-swapped'})


def attestation(s):
    statement = json.dumps({'_type': 'https://in-toto.io/Statement/v0.1'}).encode()
    config = json.dumps({'architecture': 'unknown', 'os': 'unknown', 'config': {}, 'rootfs': {'type': 'layers', 'diff_ids': [digest_of(statement)]}}).encode()
    return {'schemaVersion': 2, 'mediaType': MANIFEST, 'config': {'mediaType': CONFIG, 'digest': s.put_blob(config), 'size': len(config)},
            'layers': [{'mediaType': 'application/vnd.in-toto+json', 'digest': s.put_blob(statement), 'size': len(statement),
                        'annotations': {'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v0.2'}}]}


add('an attestation instead of the image', lambda s: s.forge(attestation(s), None, 3), {'platform-differs', 'layer-differs', 'config-differs'})


@case('an index of an attestation alone', {'candidate-swapped'})
def _(s):
    digest, size = s.put_manifest(attestation(s))
    s.name(*s.put_manifest({'schemaVersion': 2, 'mediaType': INDEX, 'manifests': [
        {'mediaType': MANIFEST, 'digest': digest, 'size': size, 'platform': {'os': 'unknown', 'architecture': 'unknown'}}]}), 2)


@case('annotations more in the manifest', {'candidate-swapped'})
def _(s):
    manifest, _ = s.image()
    manifest['annotations'] = {'org.example.evil': '1'}
    s.forge(manifest, None, 1)


# --- swapped cells and platforms --------------------------------------------------------------------------------------------

def swap(name):
    """App's with one's, whose image has other layers."""
    def act(s):
        pair = [path(cell) for path in ((s.record_path, s.text_path) if name == 'both' else (getattr(s, name),)) for cell in ('app', 'one')]
        for first, second in zip(pair[::2], pair[1::2]):
            first_bytes, second_bytes = first.read_bytes(), second.read_bytes()
            first.write_bytes(second_bytes)
            second.write_bytes(first_bytes)
    return act


def as_app(s):
    record = {**s.record('twin'), 'cell': 'app', 'tests': {**s.record('twin')['tests'], 'cell': 'app'}}
    s.write(record)
    s.text_path().write_text(record['layer_text'] + '\n')


SWAPPED = {'record-foreign', 'candidate-missing'}
case('cells: records swapped', {'app': SWAPPED | {'digest-text-differs'}, 'one': SWAPPED | {'digest-text-differs'}})(swap('record_path'))
case('cells: records swapped with their text values', {'app': SWAPPED, 'one': SWAPPED})(swap('both'))
case('cells: text values swapped', {'app': {'digest-text-differs'}, 'one': {'digest-text-differs'}})(swap('text_path'))
case("cells: twin's record under app's name", {'candidate-missing'})(as_app)


@case("cells: twin's image in app's repository, its record under app's name", {'candidate-swapped'})
def _(s):
    twin, _ = s.image('twin')
    for blob in [twin['config'], *twin['layers']]:
        s.put_blob(s.blob(blob['digest'], 'twin'))
    as_app(s)
    digest, size = s.put_manifest({**twin, 'annotations': {'org.example.of': 'app'}})  # so that no other case finds it
    s.edit(manifest_digest=digest, manifest_size=size)


@case("cells: app's candidate is the one in twin's repository", {'candidate-swapped'})
def _(s):
    record = s.record()
    s.edit(candidate=record['candidate'].replace('/app@', '/twin@'))


for platform in ('linux/arm64', 'linux/386', 'windows/amd64', 'linux/amd64/v3'):
    add(f'platform: {platform} in the record', (lambda p: lambda s: s.edit(platform=p))(platform), {'platform-differs'})


def of_platform(architecture, os_name='linux', variant=None, in_record=False):
    def act(s):
        manifest, config = s.image()
        config.update(architecture=architecture, os=os_name, **({'variant': variant} if variant else {}))
        s.forge(manifest, config, 3)
        if in_record:
            s.edit(platform=f'{os_name}/{architecture}')
    return act


case('platform: arm64 in the image', {'platform-differs'})(of_platform('arm64'))
case('platform: windows in the image', {'platform-differs'})(of_platform('amd64', 'windows'))
case('platform: amd64/v3 in the image', {'platform-differs'})(of_platform('amd64', variant='v3'))
case('platform: arm64 in image and record', {'platform-differs', 'config-differs'})(of_platform('arm64', in_record=True))
case('platform: no such text', {'record-unreadable'})(lambda s: s.edit(platform='amd64'))

"""What the tamper suite stands on: four tested images of one image store, a real registry, a proxy, and a forger.

The evidence is what the commands leave: plan, build, test and digest with a real engine. The forger knows the formats from
their specifications alone.
Not here: what is tampered with, and what the gate has to say (tamper).
"""
import copy
import gzip
import hashlib
import http.client
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT / 'tests/release'))
from parts import Proxy, Registry, scratch  # noqa: E402,F401

MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
INDEX = 'application/vnd.oci.image.index.v1+json'
CONFIG = 'application/vnd.oci.image.config.v1+json'
LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip'
SECRET, OTHER_SECRET = 'a3' * 32, '5c' * 32
VARIABLE = 'TAMPER_SUITE_SECRET'
SIGNED = [f'--gate-hmac-secret-env={VARIABLE}']
RUN, ATTEMPT = '4711', '2'

CONFIGURATION = '''version: {file: VERSION}
axes: {kind: {app: {}, twin: {}, one: {}, deep: {}}}
cell: "{kind}"
image: "tamper/{cell}"
generate: {output: "Dockerfile.{cell}"}
test: {run: [sh, /work/tests/run.sh], source: mounted, mounts: ["tests:/work/tests:ro"], workdir: /work, log: "tests/logs/{kind}.log", timeout: 2m}
gate: {ignore-labels: [org.opencontainers.image.created, org.example.volatile]}
'''
APP = '''FROM crategate/busybox:1
COPY src/a /opt/a
COPY src/b /opt/b
COPY src/c /opt/c
ENV MODE={mode} COLOR=blue
ENTRYPOINT ["/bin/sh"]
CMD ["-c", "true"]
USER 1000
WORKDIR /opt
LABEL org.example.team=gate org.example.volatile=1
EXPOSE 80/tcp 443/tcp
VOLUME /data
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s CMD true
SHELL ["/bin/sh", "-ec"]
ONBUILD RUN true
'''


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(',', ':'), ensure_ascii=False)


def digest_of(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


def layer_text(diff_ids):
    return hashlib.sha256(('[' + ' '.join(diff_ids) + ']\n').encode()).hexdigest()


def layer(content):
    """A gzipped archive of one file; its descriptor, bytes and diff ID."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode='w') as archive:
        entry = tarfile.TarInfo('opt/evil')
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    data = gzip.compress(raw.getvalue(), mtime=0)
    return {'mediaType': LAYER, 'digest': digest_of(data), 'size': len(data)}, data, digest_of(raw.getvalue())


def zstd(data):
    """A frame of blocks that are stored as they are (RFC 8878)."""
    blocks = [data[start:start + (128 << 10)] for start in range(0, len(data), 128 << 10)] or [b'']
    frame = bytes.fromhex('28b52ffda0') + len(data).to_bytes(4, 'little')
    return frame + b''.join((len(block) << 3 | (number + 1 == len(blocks))).to_bytes(3, 'little') + block for number, block in enumerate(blocks))


class Engine:
    """The engine of the tests with that image store."""

    def __init__(self, store):
        text = subprocess.run([ROOT / 'tools/engine', 'env', '--store', store], check=True, capture_output=True, text=True).stdout
        names = ('DOCKER_HOST', 'DOCKER_CONFIG', 'PATH')
        command = text + ''.join(f'printf "%s\\0" "${name}"\n' for name in names)
        values = subprocess.run(['bash', '-c', command], check=True, capture_output=True, text=True).stdout.split('\0')
        self.environment = dict(zip(names, values))


class Scene:
    """One project, tested with one image store; what is done to it is undone by `put_back`."""

    def __init__(self, work, crategate, store, make):
        self.store, self.crategate, self.root = store, crategate, work / store
        self.root.mkdir()
        self.registry = Registry(self.root, make)
        self.proxy = Proxy(self.registry.port)
        self.project = self.root / 'project'
        self.engine = Engine(store)
        self.images = []

    # --- the evidence

    def prepare(self, deep):
        self.project.mkdir()
        for name in ('src', 'tests'):
            (self.project / name).mkdir()
        for name in 'abc':
            (self.project / 'src' / name).write_text(f'{name} {self.root}\n')
        (self.project / 'tests/run.sh').write_text('echo "Ran 3 tests in 0.1s"\necho OK\n')
        (self.project / 'crategate.yml').write_text(CONFIGURATION)
        (self.project / '.gitignore').write_text('.crategate/\ntests/logs/\n')
        (self.project / 'VERSION').write_text('v1.0.0\n')
        copies = ''.join(f'COPY src/a /opt/a{number}\n' for number in range(deep - 1))
        for cell, text in {'app': APP.replace('{mode}', 'app'), 'twin': APP.replace('{mode}', 'twin'),
                           'one': 'FROM crategate/busybox:1\nENV ONE=1\n', 'deep': 'FROM crategate/busybox:1\n' + copies}.items():
            (self.project / f'Dockerfile.{cell}').write_text(text)
        self.git('init', '--quiet', '--initial-branch', 'main')
        self.commit('first')
        self.must(self.plan_command())
        self.cells = [cell['key'] for cell in self.read_plan()['cells']]
        for cell in self.cells:
            self.make(cell)
        self.keep('plain')
        # Records of the same images by other jobs, as those write them.
        self.variants = {name: self.recorded(environment) for name, environment in {
            'another run': {'GITHUB_RUN_ID': '4710'}, 'a later attempt': {'GITHUB_RUN_ATTEMPT': '3'},
            'an earlier attempt': {'GITHUB_RUN_ATTEMPT': '1'}, 'no run': {'GITHUB_RUN_ID': '', 'GITHUB_RUN_ATTEMPT': ''}}.items()}
        for cell in self.cells:
            self.must(['digest', '--cell', cell, *SIGNED], {VARIABLE: SECRET})
        self.keep('signed')
        self.signed_otherwise = self.recorded({VARIABLE: OTHER_SECRET}, SIGNED)
        self.put_back()

    def plan_command(self):
        return ['plan', '--to', f'localhost:{self.proxy.port}', '--event', 'push', '--ref', 'refs/tags/v1.0.0']

    def make(self, cell):
        for stage in ('build', 'test', 'digest'):
            self.must([stage, '--cell', cell])
        name = f'localhost:{self.proxy.port}/tamper/{cell}:v1.0.0'
        found = subprocess.run(['docker', 'image', 'inspect', '--format', '{{.Id}}', name], env=self.environment(), check=True,
                               capture_output=True, text=True)
        self.images.append(found.stdout.strip())

    def recorded(self, environment, options=()):
        self.must(['digest', '--cell', 'app', *options], environment)
        return self.record('app')

    def replayed(self):
        """The plan and app's evidence of another commit; twin's tests are of the old one."""
        (self.project / 'NEWS').write_text('more\n')
        self.commit('second')
        self.must(self.plan_command())
        self.make('app')

    def commit(self, message):
        self.git('add', '--all')
        self.git('commit', '--quiet', '--message', message)
        self.git('tag', '--force', 'v1.0.0')

    def git(self, *arguments):
        subprocess.run(['git', '-c', 'user.name=T', '-c', 'user.email=t@example.org', *arguments], cwd=self.project, check=True,
                       env=self.environment(), stdout=subprocess.DEVNULL)

    # --- running

    def environment(self, more=None):
        given = {**self.engine.environment, 'HOME': str(self.root), 'NO_COLOR': '1', 'GIT_CONFIG_GLOBAL': '/dev/null',
                 'GIT_CONFIG_NOSYSTEM': '1', 'GITHUB_RUN_ID': RUN, 'GITHUB_RUN_ATTEMPT': ATTEMPT, **(more or {})}
        if 'TMPDIR' in os.environ:
            given['TMPDIR'] = os.environ['TMPDIR']
        return {name: value for name, value in given.items() if value}

    def run(self, arguments, environment=None):
        done = subprocess.run([self.crategate, *arguments], cwd=self.project, env=self.environment(environment), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=300)
        return done.returncode, done.stdout, done.stderr

    def must(self, arguments, environment=None):
        code, out, err = self.run(arguments, environment)
        if code != 0:
            sys.exit(f'tamper: {self.store}: crategate {" ".join(arguments)} ended with {code}\n{out}{err}')
        return out

    def tags(self):
        return {cell: self.ask('GET', f'/v2/tamper/{cell}/tags/list')[1] for cell in self.cells}

    # --- state

    def state(self):
        return self.project / '.crategate'

    def keep(self, name):
        shutil.copytree(self.state(), self.root / name)

    def put_back(self, name='plain'):
        self.proxy.rule = None
        shutil.rmtree(self.state())
        shutil.copytree(self.root / name, self.state())

    def stop(self):
        if self.images:
            subprocess.run(['docker', 'image', 'rm', '--force', *self.images], env=self.environment(), stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        self.proxy.server.shutdown()
        self.registry.stop()

    # --- the forger's hands

    def read_plan(self):
        return json.loads((self.state() / 'plan.json').read_text())

    def record_path(self, cell='app'):
        return self.state() / 'records' / cell / 'record.json'

    def text_path(self, cell='app'):
        return self.state() / 'records' / cell / f'digest-{cell}.txt'

    def record(self, cell='app'):
        return json.loads(self.record_path(cell).read_text())

    def write(self, record, cell='app'):
        self.record_path(cell).write_text(canonical(record) + '\n')

    def edit(self, **members):
        """App's record. `tests__failed=1` is a member of a member; None removes one."""
        record = self.record()
        for name, value in members.items():
            *outer, last = name.split('__')
            place = record
            for part in outer:
                place = place[part]
            if value is None:
                place.pop(last, None)
            else:
                place[last] = value
        self.write(record)

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection('127.0.0.1', self.registry.port, timeout=30)
        connection.request(method, path, body, {name.replace('_', '-'): value for name, value in headers.items()})
        answer = connection.getresponse()
        data, found = answer.read(), dict((name.lower(), value) for name, value in answer.getheaders())
        connection.close()
        return answer.status, data, found

    def blob(self, digest, cell='app'):
        status, data, _ = self.ask('GET', f'/v2/tamper/{cell}/blobs/{digest}')
        assert status == 200, (status, digest)
        return data

    def manifest(self, cell='app'):
        """Bytes and document of the candidate's manifest."""
        status, data, _ = self.ask('GET', f'/v2/tamper/{cell}/manifests/{self.record(cell)["manifest_digest"]}',
                                   Accept=f'{MANIFEST}, application/vnd.docker.distribution.manifest.v2+json')
        assert status == 200, status
        return data, json.loads(data)

    def image(self, cell='app'):
        """Copies of the candidate's manifest and configuration, to be changed."""
        manifest = self.manifest(cell)[1]
        return copy.deepcopy(manifest), json.loads(self.blob(manifest['config']['digest'], cell))

    def put_blob(self, data, cell='app'):
        digest = digest_of(data)
        status, _, headers = self.ask('POST', f'/v2/tamper/{cell}/blobs/uploads/', b'')
        assert status == 202, status
        place = headers['location'].split(str(self.registry.port), 1)[-1]
        status, text, _ = self.ask('PUT', f'{place}{"&" if "?" in place else "?"}digest={digest}', data,
                                   Content_Type='application/octet-stream')
        assert status == 201, (status, text)
        return digest

    def put_manifest(self, document, media_type=None, cell='app'):
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        media_type = media_type or document.get('mediaType', MANIFEST)
        status, text, _ = self.ask('PUT', f'/v2/tamper/{cell}/manifests/{digest_of(data)}', data, Content_Type=media_type)
        assert status == 201, (status, text)
        return digest_of(data), len(data)

    def forge(self, manifest, config, depth, cell='app'):
        """Puts an image beside the candidate, and makes the record name it: 1 its manifest, 2 the candidate as well, 3 the
        configuration of record, tests and scan, 4 layers and text value, 5 the fingerprint given as `fingerprint`."""
        if config is not None:
            data = config if isinstance(config, bytes) else json.dumps(config).encode()
            manifest['config'] = {**manifest['config'], 'digest': self.put_blob(data, cell), 'size': len(data)}
        digest, size = self.put_manifest(manifest, cell=cell)
        self.name(digest, size, depth, manifest['config']['digest'], config, cell)
        return digest

    def name(self, digest, size, depth, config_digest=None, config=None, cell='app'):
        record = self.record(cell)
        record.update(manifest_digest=digest, manifest_size=size)
        if depth >= 2:
            record['candidate'] = record['candidate'].split('@')[0] + '@' + digest
        if depth >= 3 and config_digest:
            record['config_digest'] = record['tests']['config_digest'] = config_digest
        if depth >= 4:
            record['diff_ids'] = config['rootfs']['diff_ids']
            record['layer_text'] = layer_text(record['diff_ids'])
            self.text_path(cell).write_text(record['layer_text'] + '\n')
        self.write(record, cell)

    def serve(self, document, depth):
        """A forged manifest that this registry would not take, from one that takes everything."""
        data = json.dumps(document).encode()
        digest, media_type = digest_of(data), document.get('mediaType', MANIFEST)
        self.name(digest, len(data), depth, document['config']['digest'])
        headers = [('Content-Type', media_type), ('Docker-Content-Digest', digest)]
        self.lie(lambda request: request.path.endswith(f'/manifests/{digest}'), lambda *_: (200, headers, data))

    # --- lies of the registry

    def lie(self, wanted, answer):
        """What `wanted(request)` picks is answered by `answer(status, headers, body)` of the registry's true answer."""
        def do(handler, body):
            handler.answer(*answer(*handler.forward(body)))
        self.proxy.rule = lambda handler: do if wanted(handler.entry) else None

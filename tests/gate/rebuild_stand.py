"""What the rebuild sweep stands on: a project of real packages, its checkouts, and a judge that reads layers by itself.

The project is tested on one engine by the real commands. Each checkout is a fresh clone with the plan and the records of those
tests, as the job that publishes has it; what it builds begins with an empty BuildKit.
Not here: what is tried, and what the gate has to say (converge).
"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import time

from stand import ROOT, Engine

sys.path.append(str(ROOT / 'tests/release'))
from parts import Registry  # noqa: E402,F401

CELL = 'cpu'
RUN = '4711'
PROXIES = [name for word in ('http_proxy', 'https_proxy', 'no_proxy', 'all_proxy') for name in (word, word.upper())]
BUNDLES = ('PIP_CERT', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'SSL_CERT_FILE')
PIP_SETTINGS = ('INDEX_URL', 'EXTRA_INDEX_URL', 'TRUSTED_HOST', 'PROXY')
COMMIT_AGE = 3 * 86400  # so that no day of a build is the commit's

CONFIGURATION = '''version: {file: VERSION}
axes: {runtime: {cpu: {base: "{base}"}}}
cell: "{runtime}"
image: "converge/app-{cell}"
generate: {template: docker/Dockerfile.mustache}
test: {run: [python3, -B, -m, unittest, discover, -v, -s, /work/tests], source: mounted, mounts: ["tests:/work/tests:ro"], workdir: /work, timeout: 5m}
'''
# The recipe of docs/rebuild.md. The last step dates its file by itself, somewhere between 1970 and 2001: no later time that
# could be evened out, and another one whenever the step is run.
DOCKERFILE = r'''FROM {{base}}
ARG SOURCE_DATE_EPOCH
WORKDIR /opt/app
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3-pip dbus \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/aux-cache \
      /var/log/apt/* /var/log/dpkg.log /var/log/alternatives.log /var/lib/dbus/machine-id
COPY requirements.txt .
RUN --mount=type=secret,id=pip-ca,required=false --mount=type=secret,id=pip-conf,required=false \
    if [ -f /run/secrets/pip-ca ]; then export PIP_CERT=/run/secrets/pip-ca; fi \
 && if [ -f /run/secrets/pip-conf ]; then export PIP_CONFIG_FILE=/run/secrets/pip-conf; fi \
 && pip install --break-system-packages --no-cache-dir --require-hashes -r requirements.txt
COPY src src
RUN mkdir made && touch --date="@$(date +%N)" made/dated
ENV MODE=plain
'''
REQUIREMENTS = '''attrs==25.1.0 --hash=sha256:c75a69e28a550a7e93789579c22aa26b0f5b83b75dc4e08fe092980051e1090a
idna==3.10 --hash=sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3
tabulate==0.9.0 --hash=sha256:024ca478df22e9340661486f85298cff5f6dcdba14f3813e8830015b9ed1948f
'''
OLDER_IDNA = 'idna==3.9 --hash=sha256:69297d5da0cc9281c77efffb4e730254dd45943f45bbfb461de5991713989b1e'
# SOURCE_DATE_EPOCH reached the RUN steps: a file that was copied has the commit's time, and the packages knew it.
TESTS = '''import importlib.util
import os
import pathlib
import unittest

import attr
import encodings
import idna
import tabulate


class Image(unittest.TestCase):
    def test_packages(self):
        self.assertEqual(idna.encode('b\\u00fccher'), b'xn--bcher-kva')

    def test_compiled_files_name_a_hash(self):
        for module in (attr, encodings, idna, tabulate):
            compiled = pathlib.Path(importlib.util.cache_from_source(module.__file__)).read_bytes()
            self.assertEqual(compiled[4], 3, module)

    def test_the_account_is_as_old_as_the_commit(self):
        day = {line.split(':')[0]: line.split(':')[2] for line in open('/etc/shadow')}['messagebus']
        self.assertEqual(int(day), int(os.stat('/opt/app/src/a').st_mtime) // 86400)
'''


def network(work, environment):
    """How builds reach mirror and index: what this machine's environment says of it, as settings of `build`."""
    settings = {'build-args': [name for name in PROXIES if environment.get(name)], 'secrets': []}
    bundle = next((environment[name] for name in BUNDLES if os.path.isfile(environment.get(name, ''))), None)
    if bundle:
        settings['secrets'].append(f'id=pip-ca,src={bundle}')
    lines = [f'{name.lower().replace("_", "-")} = {environment[f"PIP_{name}"]}\n' for name in PIP_SETTINGS if environment.get(f'PIP_{name}')]
    if lines:
        place = work / 'pip.conf'
        place.touch(mode=0o600)
        place.write_text('[global]\n' + ''.join(lines))
        settings['secrets'].append(f'id=pip-conf,src={place}')
    return settings


class Stand:
    """Both engines, an image of BuildKit, and a registry of its own with the base image."""

    def __init__(self, work, crategate):
        self.work, self.crategate = work, pathlib.Path(crategate).resolve()
        self.engines = {store: Engine(store) for store in ('containerd', 'classic')}
        found = subprocess.run([ROOT / 'tools/engine', 'builder-image', '--store', 'classic'], check=True, stdout=subprocess.PIPE, text=True)
        self.builder = f'--build-builder-image={found.stdout.strip()}'
        self.registry = Registry(work)
        self.prefix = f'localhost:{self.registry.port}'
        self.base = f'{self.prefix}/base/debian:1'
        self.network = network(work, os.environ)
        self.images, self.given_up = [], False
        host = found.stdout.split('/')[0]
        subprocess.run(['skopeo', '--insecure-policy', 'copy', '--quiet', '--src-tls-verify=false', '--dest-tls-verify=false',
                        f'docker://{host}/debian:trixie-slim', f'docker://{self.base}'], check=True)

    def environment(self, store='containerd'):
        kept = {name: os.environ[name] for name in ('TMPDIR', *PROXIES) if os.environ.get(name)}
        for name in ('no_proxy', 'NO_PROXY'):
            if name in kept:
                kept[name] += ',localhost,127.0.0.1'
        return {**self.engines[store].environment, **kept, 'HOME': str(self.work), 'NO_COLOR': '1', 'GIT_CONFIG_GLOBAL': '/dev/null',
                'GIT_CONFIG_NOSYSTEM': '1', 'GITHUB_RUN_ID': RUN, 'GITHUB_RUN_ATTEMPT': '1'}

    def saved(self, store, image, work):
        """The layers of an image of that engine, as it saves them."""
        self.images.append((store, image))
        place = work / 'saved'
        place.mkdir()
        with subprocess.Popen(['docker', 'image', 'save', image], env=self.environment(store), stdout=subprocess.PIPE) as saving:
            with tarfile.open(fileobj=saving.stdout, mode='r|') as archive:
                archive.extractall(place)
        return [place / name for name in json.loads((place / 'manifest.json').read_text())[0]['Layers']]

    def forget_cache(self):
        """Every cache in the registry loses its name."""
        for tags in (self.registry.data / 'docker/registry/v2/repositories/converge').glob('cache/_manifests/tags'):
            shutil.rmtree(tags)

    def stop(self):
        for store, image in self.images:
            subprocess.run(['docker', 'image', 'rm', '--force', image], env=self.environment(store), stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        self.registry.stop()


class Project:
    """The repository, and what its tests have left: plan and record, and the layers of the tested image."""

    def __init__(self, work, stand, settings):
        self.work, self.stand, self.upstream, self.checkouts = work, stand, work / 'upstream', 0
        for name in ('docker', 'src/package', 'tests'):
            (self.upstream / name).mkdir(parents=True)
        configuration = CONFIGURATION.replace('{base}', stand.base) + settings + f'build: {json.dumps(stand.network)}\n'
        for name, text in {'crategate.yml': configuration, 'docker/Dockerfile.mustache': DOCKERFILE, 'requirements.txt': REQUIREMENTS,
                           'tests/test_image.py': TESTS, 'VERSION': 'v1.0.0\n', '.gitignore': '.crategate/\ndocker/dockerfiles/\ntests/logs/\n',
                           'src/a': f'one {work}\n', 'src/package/b': 'two\n', 'src/tool': '#!/bin/sh\necho tool\n'}.items():
            (self.upstream / name).write_text(text)
        (self.upstream / 'src/tool').chmod(0o755)
        (self.upstream / 'src/link').symlink_to('package/b')
        self.epoch = int(time.time()) - COMMIT_AGE
        self.git('init', '--quiet', '--initial-branch', 'main')
        self.git('add', '--all')
        self.git('commit', '--quiet', '--message', 'first')
        self.git('tag', 'v1.0.0')

    def git(self, *arguments):
        date = f'{self.epoch} +0000'
        subprocess.run(['git', '-c', 'user.name=T', '-c', 'user.email=t@example.org', *arguments], cwd=self.upstream, check=True,
                       env={**self.stand.environment(), 'GIT_AUTHOR_DATE': date, 'GIT_COMMITTER_DATE': date})

    def checkout(self):
        self.checkouts += 1
        folder = self.work / f'checkout-{self.checkouts}'
        subprocess.run(['git', 'clone', '--quiet', self.upstream, folder], check=True, env=self.stand.environment())
        return Checkout(folder, self.stand)

    def test(self, store, options):
        """Planned, built, tested and recorded on that engine."""
        place = self.checkout()
        place.must(store, 'plan', '--to', self.stand.prefix, '--event', 'push', '--ref', 'refs/tags/v1.0.0')
        place.must(store, 'generate')
        for stage in ('build', 'test', 'digest'):
            place.must(store, stage, '--cell', CELL, *options)
        self.record = json.loads((place.state / f'records/{CELL}/record.json').read_text())
        self.state = self.work / 'state'
        self.state.mkdir()
        shutil.copy(place.state / 'plan.json', self.state)
        shutil.copytree(place.state / 'records', self.state / 'records')
        self.layers = self.stand.saved(store, f'{self.stand.prefix}/converge/app-{CELL}:v1.0.0', self.work)
        place.remove()

    def to_be_rebuilt(self):
        """A checkout as the job that publishes has it."""
        place = self.checkout()
        shutil.copytree(self.state, place.state)
        return place


class Checkout:
    def __init__(self, folder, stand):
        self.folder, self.stand, self.state = folder, stand, folder / '.crategate'

    def run(self, store, *arguments):
        done = subprocess.run([self.stand.crategate, *arguments], cwd=self.folder, env=self.stand.environment(store),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1800)
        return done.returncode, done.stdout, done.stderr

    def must(self, store, *arguments):
        code, out, err = self.run(store, *arguments)
        if code != 0:
            sys.exit(f'converge: {store}: crategate {" ".join(arguments)} ended with {code}\n{out}{err}')

    def copied(self):
        """The files that the image is made of."""
        return [self.folder / 'requirements.txt', *(path for path in (self.folder / 'src').rglob('*') if not path.is_symlink())]

    def edit(self, name, old, new):
        path = self.folder / name
        text = path.read_text()
        assert old in text, (name, old)
        path.write_text(text.replace(old, new))

    def from_cache(self):
        """RUN steps of the last build → whether each was taken from a cache. Where a step's layers are still being fetched,
        BuildKit's log has the fetching in the place of `CACHED`."""
        log = (self.state / f'logs/rebuild-{CELL}.log').read_text()
        steps = re.findall(r'^(#\d+) \[.*\] (RUN .*)$', log, re.M)
        return {text: bool(re.search(f'^{step} (CACHED$|sha256:)', log, re.M)) and not re.search(rf'^{step} \d+\.\d+ ', log, re.M)
                for step, text in steps}

    def rebuilt(self):
        """Diff IDs and blobs of what was rebuilt; a refused image has no name, but its blobs are there still."""
        blobs = self.state / 'rebuilt/blobs/sha256'
        documents = [json.loads(path.read_bytes()) for path in blobs.iterdir() if path.stat().st_size < 1 << 16 and path.read_bytes()[:1] == b'{']
        manifest = next(document for document in documents if 'layers' in document)
        config = json.loads((blobs / manifest['config']['digest'][7:]).read_bytes())
        return config['rootfs']['diff_ids'], [blobs / layer['digest'][7:] for layer in manifest['layers']]

    def remove(self):
        shutil.rmtree(self.folder)


def entries(layer):
    """Name → all that an archive says of it, its time first."""
    found = {}
    with tarfile.open(layer) as archive:
        for entry in archive:
            content = hashlib.sha256(archive.extractfile(entry).read()).hexdigest() if entry.isreg() else entry.linkname
            headers = sorted((name, value) for name, value in entry.pax_headers.items() if name not in ('mtime', 'atime', 'ctime'))
            found[entry.name] = (entry.mtime, entry.type, oct(entry.mode), entry.uid, entry.gid, entry.devmajor, entry.devminor, content, headers)
    return found


def differences(first, second):
    """Names whose times alone differ, and lines that say what else does."""
    one, two = entries(first), entries(second)
    dated = [name for name in one if name in two and one[name][0] != two[name][0] and one[name][1:] == two[name][1:]]
    rest = [f'{name}: {one.get(name, ("absent",))[1:]} and {two.get(name, ("absent",))[1:]}'
            for name in sorted({*one, *two}) if one.get(name, ('-',))[1:] != two.get(name, ('-',))[1:] or (name in one) != (name in two)]
    return dated, rest

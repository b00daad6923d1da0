#!/usr/bin/env python3
"""A release beside what moves the same tags elsewhere: over loopback, and with a round trip of 30 ms.

usage: tests/bench/release.py [--runs N] [--only image,fourteen,many] [--layers N] [--bytes N]

image: `crategate push` of one tested image of 0.98 GB: gate, journal, version tag, read-back.  fourteen, many:
`crategate release` of 14 and 200 images: gate, snapshot, journal, `latest`, read-back.  The others read no record,
keep no journal and look at nothing afterwards; curl reads what `latest` names before, too.

One distribution registry (2.8) with its data in memory where the machine has room.  It has the same address over
loopback and with the round trip, which is toxiproxy's: 15 ms each way; the handshake of TCP is not delayed.  The tools
take turns; tags and the project's state are put back before each run.  Requests are counted in the registry's log.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

from registry import Table, alternate, spread
from registry_parts import MANIFEST, ROOT, Latency, Launcher, Registry, free_port, program

sys.path.append(str(ROOT / 'tests/release'))
from parts import CONFIGURATION, Project  # noqa: E402

CRATEGATE = os.environ.get('CRATEGATE', str(ROOT / 'build/release/crategate'))
SCENE = os.environ.get('CRATEGATE_SCENE', str(ROOT / 'build/dev/tests/release-scene'))
OLD, NEW = 'v1.0.0', 'v1.1.0'


# --- what is released -------------------------------------------------------------------------------------------------

class Images:
    """Of one project, tested; and their tags in the registry's folders, which are put back between two runs."""

    def __init__(self, work, registry, name, pythons, scene, versions, moving, configuration=CONFIGURATION):
        self.prefix, self.moving, self.registry = f'localhost:{registry.port}/{name}', moving, registry
        work.mkdir()
        self.project = Project(work, self.prefix, CRATEGATE, scene, pythons=pythons, release=versions, configuration=configuration)
        if moving == 'latest':
            self.project.must('push')
        self.project.keep()
        self.repositories = [cell['image'] for cell in self.project.plan()['cells']]
        self.links = {self.link(image): self.read(self.link(image)) for image in self.repositories}

    def link(self, image):
        folder = self.registry.data / 'docker/registry/v2/repositories' / image.split('/', 1)[1]
        return folder / '_manifests/tags' / self.moving / 'current/link'

    @staticmethod
    def read(link):
        return link.read_bytes() if link.is_file() else None

    def put_back(self):
        for link, text in self.links.items():
            if text is None:
                shutil.rmtree(link.parent.parent, ignore_errors=True)
            else:
                link.write_bytes(text)
        self.project.put_back()

    def moved(self):
        return sum(self.read(link) not in (text, None) for link, text in self.links.items())


class Tools:
    """The command of each that moves `latest` to the new version everywhere."""

    def __init__(self, work):
        self.work, self.crane, self.skopeo = work, program('crane'), program('skopeo')
        home = work / 'home'
        home.mkdir()
        (home / 'config.json').write_text('{}')
        self.environment = {'PATH': os.environ['PATH'], 'HOME': str(home), 'DOCKER_CONFIG': str(home), 'TMPDIR': str(work), 'NO_COLOR': '1'}
        self.docker = None
        if os.environ.get('DOCKER_HOST'):
            given = {name: os.environ[name] for name in ('DOCKER_HOST', 'DOCKER_CONFIG') if name in os.environ}
            asked = subprocess.run(['docker', 'buildx', 'inspect'], env={**self.environment, **given}, capture_output=True)
            self.docker = given if asked.returncode == 0 else None

    def listed(self, name, lines):
        path = self.work / name
        path.write_text(''.join(line + '\n' for line in lines))
        return str(path)

    def crategate(self, images, command):
        return [CRATEGATE, command, '--workspace', str(images.project.root)]

    def move(self, name, images):
        of = images.repositories
        if name == 'ours':
            return self.crategate(images, 'release')
        if name.startswith('curl'):
            return self.curl(of, name.partition('×')[2])
        parallel = name.partition(' ×')[2] or '1'
        if name.startswith('crane'):
            return ['xargs', '-a', self.listed('crane', (f'{image}:{NEW} latest' for image in of)), '-P', parallel, '-L', '1',
                    self.crane, 'tag']
        if name == 'skopeo':
            return ['xargs', '-a', self.listed('skopeo', (f'docker://{image}:{NEW} docker://{image}:latest' for image in of)), '-L', '1',
                    self.skopeo, '--insecure-policy', 'copy', '-q', '--preserve-digests', '--src-tls-verify=false', '--dest-tls-verify=false']
        return ['xargs', '-a', self.listed('imagetools', (f'{image}:latest {image}:{NEW}' for image in of)), '-L', '1',
                'docker', 'buildx', 'imagetools', 'create', '-t']

    def curl(self, images, most):
        """What is new and what `latest` was, side by side; then all writes."""
        bodies = self.work / 'bodies'
        bodies.mkdir(exist_ok=True)
        reads, writes = [], []
        for number, image in enumerate(images):
            host, path = image.split('/', 1)
            url = f'http://{host}/v2/{path}/manifests'
            reads += [f'url = "{url}/{NEW}"', f'output = "{bodies}/{number}"', f'url = "{url}/latest"', f'output = "{bodies}/{number}.old"']
            writes += [f'url = "{url}/latest"', f'upload-file = "{bodies}/{number}"', 'output = "/dev/null"']
        curl = f'curl -sS --fail --parallel --parallel-immediate --parallel-max {most} --header'
        return ['sh', '-c', f'{curl} "Accept: {MANIFEST}" --config {self.listed("reads", reads)} && '
                            f'{curl} "Content-Type: {MANIFEST}" --config {self.listed("writes", writes)}']


# --- measuring --------------------------------------------------------------------------------------------------------

class Bench:
    def __init__(self, work, options):
        self.work, self.options = work, options
        self.registry, self.latency = Registry(work), None
        self.address, self.tools, self.launcher = self.registry.port, Tools(work), Launcher(work)
        self.good = True

    def stop(self):
        self.launcher.stop()
        if self.latency:
            self.latency.stop()
        self.registry.stop()

    def away(self, far):
        """Puts the registry behind the round trip, at the same address, or back."""
        if far == (self.latency is not None):
            return
        if self.latency:
            self.latency.stop()
            self.latency = None
        self.registry.pause()
        self.registry.start(free_port() if far else self.address)
        if far:
            self.latency = Latency(self.registry, self.address)

    def measure(self, command, name='ours'):
        environment = {**self.tools.environment, **(self.tools.docker or {})} if name == 'imagetools' else self.tools.environment
        return self.launcher.measure(command, environment)

    def noise(self):
        process = sorted(self.measure(['/bin/true'])[0] * 1e3 for _ in range(20))
        print(f'machine: load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; starting a process takes '
              f'{statistics.median(process):.2f} ms ({process[2]:.2f} … {process[17]:.2f})')
        for far in (False, True):
            self.away(far)
            command = ['curl', '-sS', '-o', '/dev/null', f'http://localhost:{self.address}/v2/']
            times = sorted(self.measure(command)[0] * 1e3 for _ in range(10))
            print(f'  one request by curl, {"30 ms" if far else "loopback"}: {statistics.median(times):.1f} ms ({times[1]:.1f} … {times[8]:.1f})')
        self.away(False)

    def once(self, images, command, name='ours'):
        images.put_back()
        seconds = self.measure(command, name)
        if images.moved() not in (len(images.repositories), 0 if images.moving != 'latest' else -1):
            sys.exit(f'bench: {name} moved {images.moved()} of {len(images.repositories)} tags')
        return seconds

    def requests(self, images, commands):
        counts = {}
        for name, command in commands.items():
            before = self.registry.requests()
            self.once(images, command, name)
            counts[name] = str(self.registry.requests() - before)
        return counts

    def compare(self, title, images, ways, names, runs):
        """`ways`: loopback and 30 ms, each with the most that ours may take; `names`: who takes part in each."""
        commands = {name: self.tools.move(name, images) if images.moving == 'latest' else self.push(name, images) for name in names['all']}
        table = Table(f'{title}: seconds, median of {runs} (10 % … 90 %)', names['all'])
        for way, limit in ways.items():
            self.away(way == '30 ms')
            who = names.get(way, names['all'])
            results = alternate(who, runs, lambda name: self.once(images, commands[name], name))
            table.seconds(way, results, lambda _, limit=limit: limit, f'≤ {limit} s')
            for name in names.get('slow', ()):
                table.row(f'{way}, once', {name: spread([self.once(images, commands[name], name)[0]])})
        self.away(False)
        table.row('requests', self.requests(images, commands))
        self.good &= table.good
        return table.good

    # --- the rows

    def push(self, name, images):
        if name == 'ours':
            return self.tools.crategate(images, 'push')
        reference = self.candidate(images)
        saved, target = self.work / 'saved', images.repositories[0]
        steps = {'crane tag': f'{self.tools.crane} tag {reference} {NEW}',
                 'crane pull + push': f'{self.tools.crane} pull --format oci {reference} {saved} && '
                                      f'{self.tools.crane} push {saved} {target}:{NEW} && rm -r {saved}'}
        return ['sh', '-c', steps[name]]

    def candidate(self, images):
        (record,) = (images.project.root / '.crategate/records').glob('*/record.json')
        return json.loads(record.read_text())['candidate']

    def image(self):
        wrapper = self.work / 'large-scene'
        wrapper.write_text(f'#!/bin/sh\nexec "{SCENE}" "$1" {self.options.layers} {self.options.bytes}\n')
        wrapper.chmod(0o755)
        images = Images(self.work / 'image', self.registry, 'one', ['3.13'], wrapper, (NEW,), NEW,
                        CONFIGURATION.replace('cpu: {}, cuda: {}', 'cpu: {}'))
        size = self.options.layers * self.options.bytes / 1e9
        return self.compare(f'gate + push + read-back of one tested image of {size:.2f} GB', images, {'loopback': 0.05, '30 ms': 0.30},
                            {'all': ('ours', 'crane tag', 'crane pull + push'), 'loopback': ('ours', 'crane tag'),
                             '30 ms': ('ours', 'crane tag'), 'slow': ('crane pull + push',)}, self.options.runs)

    def fourteen(self):
        images = Images(self.work / 'fourteen', self.registry, 'fourteen', None, SCENE, (OLD, NEW), 'latest')
        slow = ('crane', 'skopeo') + (('imagetools',) if self.tools.docker else ())
        fast = ('ours', 'crane ×8', 'curl ×50')
        return self.compare('`latest` for 14 repositories, snapshot included', images, {'loopback': 0.18, '30 ms': 0.18},
                            {'all': fast + slow, 'loopback': fast, '30 ms': fast, 'slow': slow}, self.options.runs)

    def many(self):
        images = Images(self.work / 'many', self.registry, 'many', [f'3.{minor}' for minor in range(100)], SCENE, (OLD, NEW), 'latest')
        return self.compare('the same for 200 repositories', images, {'loopback': 0.37, '30 ms': 0.60},
                            {'all': ('ours', 'crane ×8', 'curl ×50')}, max(3, self.options.runs // 2))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--runs', type=int, default=11)
    parser.add_argument('--only', default='image,fourteen,many')
    parser.add_argument('--layers', type=int, default=8)
    parser.add_argument('--bytes', type=int, default=122_500_000, help='of each layer')
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    memory = shutil.disk_usage('/dev/shm').free if os.path.isdir('/dev/shm') else 0
    work = pathlib.Path(tempfile.mkdtemp(prefix='crategate-bench-', dir='/dev/shm' if memory > 6 << 30 else None))
    bench = None
    try:
        bench = Bench(work, options)
        print(f'registry: distribution 2.8, data {"in memory" if bench.registry.in_memory else "on the disk"}')
        bench.noise()
        good = [getattr(bench, part)() for part in options.only.split(',')]
        bench.noise()
    finally:
        if bench:
            bench.stop()
        shutil.rmtree(work, ignore_errors=True)
    return 0 if all(good) else 1


if __name__ == '__main__':
    sys.exit(main())

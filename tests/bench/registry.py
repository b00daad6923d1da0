#!/usr/bin/env python3
"""The registry commands beside crane, skopeo and regctl: the same work, over loopback and with a round trip of 30 ms.

usage: tests/bench/registry.py [--runs N] [--uploads N] [--only copy,digests,upload] [--size MIB]

One distribution registry (2.8) with its data in memory where the machine has room.  The tools take turns.  The round
trip is toxiproxy's: 15 ms towards the registry and 15 ms back; the handshake of TCP is not delayed.  Bytes are counted by
a proxy of this program, both ways, and requests in the registry's access log, each in a run of its own.
"""
import argparse
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import urllib.request

from registry_parts import MANIFEST, ROOT, Counter, Latency, Launcher, Registry, image_layout, program

CRATEGATE = os.environ.get('CRATEGATE', str(ROOT / 'build/release/crategate'))
TOOLS = ('ours', 'crane', 'skopeo', 'regctl')
TAGS = 200


# --- the tools --------------------------------------------------------------------------------------------------------

class Tools:
    def __init__(self, work):
        self.crane, self.skopeo, self.regctl = program('crane'), program('skopeo'), program('regctl')
        home = work / 'home'
        home.mkdir()
        self.environment = {'PATH': os.environ['PATH'], 'HOME': str(home), 'DOCKER_CONFIG': str(home), 'TMPDIR': str(work)}
        (home / 'config.json').write_text('{}')
        able = os.access(CRATEGATE, os.X_OK) and subprocess.run([CRATEGATE, 'registry', 'copy', '--help'], capture_output=True,
                                                                env=self.environment).returncode == 0
        self.names = TOOLS if able else TOOLS[1:]

    def regctl_for(self, host):
        return [self.regctl, '--verbosity', 'error', '--host', f'reg={host},tls=disabled']

    def copy(self, tool, host, digest, repository):
        source, target = f'{host}/bench/source@{digest}', f'{host}/{repository}:1'
        return {'ours': [CRATEGATE, 'registry', 'copy', source, target],
                'crane': [self.crane, 'copy', source, target],
                'skopeo': [self.skopeo, '--insecure-policy', 'copy', '-q', '--preserve-digests', '--src-tls-verify=false',
                           '--dest-tls-verify=false', f'docker://{source}', f'docker://{target}'],
                'regctl': self.regctl_for(host) + ['image', 'copy', source, target]}[tool]

    def upload(self, tool, host, layout, repository):
        target = f'{host}/{repository}:1'
        return {'ours': [CRATEGATE, 'registry', 'copy', f'oci:{layout}:1', target],
                'crane': [self.crane, 'push', str(layout), target],
                'skopeo': [self.skopeo, '--insecure-policy', 'copy', '-q', '--preserve-digests', '--dest-tls-verify=false',
                           f'oci:{layout}:1', f'docker://{target}'],
                'regctl': self.regctl_for(host) + ['image', 'copy', f'ocidir://{layout}:1', target]}[tool]

    def digests(self, way, host, work):
        """200 tags; `way` is a tool, or one that is started for each, so many at once."""
        references = [f'{host}/bench/tags:t{number}' for number in range(TAGS)]
        one = {'crane': [self.crane, 'digest'],
               'skopeo': [self.skopeo, 'inspect', '--no-tags', '--tls-verify=false', '--format', '{{.Digest}}'],
               'regctl': self.regctl_for(host) + ['manifest', 'head']}
        if way == 'ours':
            return [CRATEGATE, 'registry', 'digest', *references]
        if way == 'curl --parallel':
            urls = work / 'urls'
            urls.write_text(''.join(f'url = "http://{host}/v2/bench/tags/manifests/t{number}"\n' for number in range(TAGS)))
            return ['curl', '-sS', '--fail', '--head', '--header', f'Accept: {MANIFEST}', '--parallel', '--parallel-immediate',
                    '--parallel-max', '16', '--config', str(urls)]
        tool, _, parallel = way.partition(' ×')
        listed = work / f'references-{tool}'
        listed.write_text(''.join(('docker://' if tool == 'skopeo' else '') + f'{reference}\n' for reference in references))
        return ['xargs', '-a', str(listed), '-P', parallel or '1', '-n', '1', *one[tool]]


# --- measuring --------------------------------------------------------------------------------------------------------

def alternate(names, runs, run_one, after=lambda: None):
    """{name: (sorted seconds, peak MiB)}; everybody warms up once."""
    times, peak = {name: [] for name in names}, dict.fromkeys(names, 0)
    for run in range(runs + 1):
        for name in names:
            seconds, mib = run_one(name)
            after()
            if run:
                times[name].append(seconds)
                peak[name] = max(peak[name], mib)
    return {name: (sorted(times[name]), peak[name]) for name in names}


def spread(times):
    low, high = times[len(times) // 10], times[-1 - len(times) // 10]
    return f'{statistics.median(times):.3f} ({low:.3f}…{high:.3f})'


def amount(count):
    return f'{count / 1e9:.2f} GB' if count >= 1e8 else f'{count / 1e3:.1f} kB'


class Table:
    def __init__(self, title, names):
        self.names = names
        self.good = True
        print(f'\n{title}')
        print(f'{"":<24}' + ''.join(f'{name:>26}' for name in names) + '  target of ours')

    def row(self, label, texts, target='', met=None):
        verdict = '' if met is None else ('  ok' if met else '  OVER')
        self.good &= met is not False
        columns = ''.join(f'{texts.get(name, "–"):>26}' for name in self.names)
        print(f'{label:<24}{columns}  {target}{verdict}', flush=True)

    def seconds(self, label, results, limit, text):
        ours = results.get('ours')
        self.row(label, {name: spread(times) for name, (times, _) in results.items()}, text,
                 None if ours is None or limit is None else statistics.median(ours[0]) <= limit(results))


def median_of(name):
    return lambda results: statistics.median(results[name][0])


class Bench:
    def __init__(self, work, options):
        self.work, self.options, self.tools, self.launcher = work, options, Tools(work), Launcher(work)
        self.registry = Registry(work)
        self.latency, self.counter = Latency(self.registry), Counter(self.registry)
        self.ways = {'loopback': f'localhost:{self.registry.port}', '30 ms': f'localhost:{self.latency.port}'}
        self.counted = f'localhost:{self.counter.port}'
        self.serial = 0

    def stop(self):
        self.launcher.stop()
        self.latency.stop()
        self.registry.stop()

    def measure(self, command):
        return self.launcher.measure(command, self.tools.environment)

    def repository(self):
        self.serial += 1
        return f'bench/copy-{self.serial}'

    def noise(self):
        process = sorted(self.measure(['/bin/true'])[0] * 1e3 for _ in range(20))
        print(f'machine: starting a process takes {statistics.median(process):.2f} ms ({process[2]:.2f} … {process[17]:.2f})')
        for way, host in self.ways.items():
            command = ['curl', '-sS', '-o', '/dev/null', f'http://{host}/v2/']
            times = sorted(self.measure(command)[0] * 1e3 for _ in range(10))
            print(f'  one request by curl, {way}: {statistics.median(times):.1f} ms ({times[1]:.1f} … {times[8]:.1f})')

    def costs(self, table, command, bytes_target):
        """Bytes and requests of one run of each tool."""
        sizes, requests = {}, {}
        for name in table.names:
            self.measure(command(name, self.counted))  # skopeo remembers where it saw a blob, and copies it the first time
            before, self.counter.bytes = self.registry.requests(), 0
            self.measure(command(name, self.counted))
            requests[name] = self.registry.requests() - before
            sizes[name] = self.counter.bytes
        met = None if 'ours' not in sizes else sizes['ours'] <= bytes_target
        table.row('bytes on the wire', {name: amount(count) for name, count in sizes.items()}, f'≤ {amount(bytes_target)}', met)
        table.row('requests', {name: str(count) for name, count in requests.items()})

    def copy(self):
        size = self.options.size * 1024 * 1024 // 8
        layout = self.work / 'image'
        digest = image_layout(layout, [size] * 8)
        host = self.ways['loopback']
        self.measure([self.tools.crane, 'push', str(layout), f'{host}/bench/source:1'])
        shutil.rmtree(layout)
        table = Table(f'copy of an image of {size * 8 / 1e9:.2f} GB by digest inside one registry: seconds, '
                      f'median of {self.options.runs} (10 % … 90 %)', self.tools.names)
        peaks = {}
        for way, limit in (('loopback', 0.037), ('30 ms', 0.30)):
            results = alternate(table.names, self.options.runs,
                                lambda name, way=way: self.measure(
                                    self.tools.copy(name, self.ways[way], digest, self.repository())))
            table.seconds(way, results, lambda _, limit=limit: limit, f'≤ {limit} s')
            peaks = {name: f'{peak:.1f} MiB' for name, (_, peak) in results.items()}
        self.costs(table, lambda name, host: self.tools.copy(name, host, digest, self.repository()), 20_000)
        table.row('peak memory', peaks)
        return table.good

    def digests(self):
        host = self.ways['loopback']
        layout = self.work / 'small'
        image_layout(layout, [1000])
        self.measure([self.tools.crane, 'push', str(layout), f'{host}/bench/tags:t0'])
        request = urllib.request.Request(f'http://{host}/v2/bench/tags/manifests/t0', headers={'Accept': MANIFEST})
        manifest = urllib.request.urlopen(request, timeout=5).read()
        for number in range(1, TAGS):
            urllib.request.urlopen(urllib.request.Request(f'http://{host}/v2/bench/tags/manifests/t{number}', manifest,
                                                          {'Content-Type': MANIFEST}, method='PUT'), timeout=5).close()
        together = tuple(name for name in ('ours', 'crane ×8', 'skopeo ×8', 'regctl ×8', 'curl --parallel')
                         if name != 'ours' or name in self.tools.names)
        table = Table(f'digests of {TAGS} tags: seconds, median of {self.options.runs}; ×8: a process for each, eight at once',
                      together)
        for way, limit in (('loopback', None), ('30 ms', 0.45)):
            results = alternate(together, self.options.runs,
                                lambda name, way=way: self.measure(self.tools.digests(name, self.ways[way], self.work)))
            table.seconds(way, results, (lambda _, limit=limit: limit) if limit else None, f'≤ {limit} s' if limit else '')
            if self.options.loops:
                results = alternate(('crane', 'skopeo', 'regctl'), 1,
                                    lambda name, way=way: self.measure(self.tools.digests(name, self.ways[way], self.work)))
                table.row(f'{way}, one by one', {f'{name} ×8': spread(times) for name, (times, _) in results.items()})
        return table.good

    def upload(self):
        layout = self.work / 'big'
        image_layout(layout, [1 << 30])
        table = Table(f'upload of a layer of 1 GiB to a new repository: seconds, median of {self.options.uploads}',
                      self.tools.names)
        made = []

        def upload(name):
            made.append(self.repository())
            return self.measure(self.tools.upload(name, self.ways['loopback'], layout, made[-1]))

        results = alternate(table.names, self.options.uploads, upload, lambda: self.registry.drop(made.pop()))
        table.seconds('loopback', results, median_of('crane'), '≤ crane')
        peak = results.get('ours', (0, None))[1]
        table.row('peak memory', {name: f'{mib:.1f} MiB' for name, (_, mib) in results.items()}, '≤ 24 MiB',
                  None if peak is None else peak <= 24)
        return table.good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--runs', type=int, default=11)
    parser.add_argument('--uploads', type=int, default=11)
    parser.add_argument('--only', default='copy,digests,upload')
    parser.add_argument('--size', type=int, default=935, help='MiB of the image that is copied')
    parser.add_argument('--loops', action='store_true', help='digests one by one, too (minutes)')
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    work = pathlib.Path(tempfile.mkdtemp(prefix='crategate-bench-'))
    bench = None
    try:
        bench = Bench(work, options)
        print(f'registry: distribution 2.8, data {"in memory" if bench.registry.in_memory else "on the disk"}')
        bench.noise()
        if 'ours' not in bench.tools.names:
            print(f'{CRATEGATE} has no registry commands: only the others are measured')
        good = [getattr(bench, part)() for part in options.only.split(',')]
    finally:
        if bench:
            bench.stop()
        shutil.rmtree(work, ignore_errors=True)
    return 0 if all(good) else 1


if __name__ == '__main__':
    sys.exit(main())

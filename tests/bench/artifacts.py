#!/usr/bin/env python3
"""Artifacts of ours beside the official client: whole processes over one service, medians, noise, peak memory.

usage: tests/bench/artifacts.py [--runs N] [--data DIRECTORY]
DIRECTORY: has logs/ with 256 MiB of another log than the one that is made here.
"""
import argparse
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / 'tests/interop/artifact'))
from cases import Clients, Service  # noqa: E402  (the same service and clients as the interoperability cases)

WORDS = ('apt-get install unpacking setting up downloading building object library linking target sha256 layer cache '
         'export push pull resolve manifest python wheel compile warning note info debug step stage copy run from arg '
         'env workdir user entrypoint cmd label expose volume health signal shell').split()


def make_log(path, size):
    """Lines as a build prints them: times, steps, words, now and then a digest."""
    chance = random.Random(42)
    with open(path, 'w', encoding='ascii') as file:
        written, step = 0, 0
        while written < size:
            step += 1
            lines = []
            for _ in range(60):
                tail = f' sha256:{chance.getrandbits(256):064x}' if chance.random() < 0.07 else ''
                lines.append(f'2026-11-20T09:{chance.randint(0, 59):02d}:{chance.randint(0, 59):02d}.'
                             f'{chance.randint(0, 9999999):07d}Z #{step} {chance.random() * 9:.3f} '
                             f'{" ".join(chance.choices(WORDS, k=9))} {chance.randint(1, 90)}.{chance.randint(10, 99)}MB{tail}')
            block = '\n'.join(lines) + '\n'
            file.write(block[:size - written])
            written += len(block)


def make_small(folder, count):
    chance = random.Random(7)
    for i in range(count):
        path = folder / f'd{i // 100}' / f'f{i}.txt'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(' '.join(chance.choices(WORDS, k=chance.randint(50, 600))))


def bare_creation(folder, count):
    """Milliseconds that the file system alone takes for so many files."""
    begin = time.perf_counter()
    for i in range(count):
        path = folder / str(i // 100)
        path.mkdir(exist_ok=True, parents=True)
        with open(path / str(i), 'wb') as file:
            file.write(b'x' * 2000)
    taken = (time.perf_counter() - begin) * 1e3
    subprocess.run(['rm', '-rf', folder], check=True)
    return taken


def measure(command, env, cwd):
    """(milliseconds, peak MiB) of one whole process."""
    begin = time.perf_counter()
    child = subprocess.Popen([str(word) for word in command], cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f'bench: {command[:6]} failed')
    return (time.perf_counter() - begin) * 1e3, usage.ru_maxrss / 1024


class Bench:
    def __init__(self, clients, work, runs):
        self.clients, self.work, self.runs = clients, work, runs
        self.number, self.rows, self.failed = 0, [], False

    def upload(self, ours, folder, files):
        self.number += 1
        name = f'n{self.number}'
        service = self.clients.service
        if ours:
            command = [self.clients.crategate, 'artifact', 'upload', name, folder]
        else:
            command = ['node', self.clients.modules / 'official.mjs', 'upload', name, folder, *files]
        return name, measure(command, service.environment('a'), self.work)

    def download(self, ours, name):
        target = self.work / f'down-{self.number}-{ours}'
        if ours:
            command = [self.clients.crategate, 'artifact', 'download', name, '--path', target]
        else:
            command = ['node', self.clients.modules / 'official.mjs', 'download', name, target]
        taken = measure(command, self.clients.service.environment('b'), self.work)
        subprocess.run(['rm', '-rf', target], check=True)
        return taken

    def row(self, what, measured, limit_ms, limit_mib, extra=''):
        """`measured`: (ours, official) lists of (ms, MiB)."""
        ours, official = ([value[0] for value in side] for side in measured)
        median, other = statistics.median(ours), statistics.median(official)
        peak, other_peak = (max(value[1] for value in side) for side in measured)
        good = median <= limit_ms and peak <= limit_mib
        self.failed |= not good
        noise = (max(ours) - min(ours)) / median * 100
        print(f'{what:34} {median:9.1f} ms (limit {limit_ms:6.0f}, spread {noise:3.0f} %) {peak:6.1f} MiB'
              f'   official {other:9.1f} ms {other_peak:6.1f} MiB   {"" if good else "OVER"} {extra}', flush=True)

    def work_on(self, what, folder, runs, limits):
        files = [str(path) for path in sorted(folder.rglob('*')) if path.is_file()]
        up, down = ([], []), ([], [])
        for turn in range(runs + 1):  # the first warms the caches
            for side, ours in enumerate((True, False)):
                name, taken = self.upload(ours, folder, files)
                fetched = self.download(ours, name)
                if ours:
                    size = next(row['size'] for row in self.clients.ours('list', name))
                self.clients.official('delete', name)
                if turn:
                    up[side].append(taken)
                    down[side].append(fetched)
        self.row(f'{what}, up', up, *limits['up'], f'{size / 1e6:.1f} MB')
        self.row(f'{what}, down', down, *limits['down'])
        return size


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--runs', type=int, default=5)
    parser.add_argument('--build', type=pathlib.Path, default=ROOT / 'build/dev', help='has the service')
    parser.add_argument('--data', type=pathlib.Path)
    options = parser.parse_args()
    anything = float('inf')
    # Creating files costs what the file system asks; in memory it is the clients that are compared.
    place = '/dev/shm' if os.path.isdir('/dev/shm') else None
    with tempfile.TemporaryDirectory(dir=place) as directory:
        work = pathlib.Path(directory)
        logs = (options.data or work) / 'logs'
        if not options.data:
            logs.mkdir()
            make_log(logs / 'build.log', 256 << 20)
        make_small(work / 'small', 5000)
        (work / 'one').mkdir()
        (work / 'one/record.json').write_text('{"schema": 1}\n')
        service = Service(options.build.resolve() / 'tests/artifact-service')
        clients = Clients(options.build.resolve(), service)
        clients.crategate = pathlib.Path(os.environ.get('CRATEGATE', ROOT / 'build/release/crategate'))
        bench = Bench(clients, work, options.runs)
        print(f'{place or tempfile.gettempdir()}: 5,000 files made by a bare loop in {bare_creation(work / "bare", 5000):.0f} ms')
        bench.work_on('one small file', work / 'one', options.runs * 3, {'up': (15, 32), 'down': (15, 32)})
        bench.work_on('5,000 small files', work / 'small', options.runs, {'up': (350, 32), 'down': (200, 32)})
        size = bench.work_on('256 MiB of log', logs, max(2, options.runs // 2),
                             {'up': (1300, anything), 'down': (anything, anything)})
        if options.data and size > 77e6:
            print(f'256 MiB of log: {size / 1e6:.1f} MB, limit 77 MB OVER')
            bench.failed = True
        service.end()
    return 1 if bench.failed else 0


if __name__ == '__main__':
    sys.exit(main())

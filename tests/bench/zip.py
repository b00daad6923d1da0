#!/usr/bin/env python3
"""Times the archive layer: 256 MiB of logs and 5,000 small files, packed and unpacked, beside the limits promised.

usage: tests/bench/zip.py [--runs N] [--logs FILE]     (--logs: another text than the one that is made up here)

Builds tests/bench/zip_driver.cpp as the release is built. CPU time says more than the clock where others work, too.
"""
import argparse
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / 'build/bench'
DRIVER = BUILD / 'tests/zip_driver'


def build():
    for command in (['cmake', '--preset', 'release', '-B', BUILD, '-DCRATEGATE_TESTS=ON', '--log-level=WARNING'],
                    ['cmake', '--build', BUILD, '-j', str(os.cpu_count()), '--target', 'zip_driver']):
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def write_logs(path, size=256 << 20):
    """Lines as builds print them: a time, a step, a package of a few thousand, a number."""
    r = random.Random(42)
    names = [''.join(r.choices('abcdefghijklmnopqrstuvwxyz-', k=r.randint(4, 20))) for _ in range(3000)]
    verbs = ['Unpacking', 'Setting up', 'Get:', 'Downloading', 'Building CXX object src/']
    with open(path, 'w') as out:
        while out.tell() < size:
            step = r.randint(1, 400)
            out.write(''.join(f'2026-01-01T09:{r.randint(0, 59):02d}:{r.random() * 60:010.7f}Z #{step} {r.choice(verbs)} '
                              f'{r.choice(names)} ({r.randint(0, 9)}.{r.randint(0, 99)}-{r.randint(1, 9)}) {r.getrandbits(32):08x}\n'
                              for _ in range(2000)))
        out.truncate(size)


def write_small(folder, logs):
    r = random.Random(7)
    with open(logs, 'rb') as source:
        for i in range(5000):
            path = folder / f'd{i % 50:02d}' / f'f{i:04d}.txt'
            path.parent.mkdir(parents=True, exist_ok=True)
            source.seek(r.randrange(100 << 20))
            path.write_bytes(source.read(r.randint(200, 8000)))


def measure(command, cwd):
    begin = time.perf_counter()
    child = subprocess.Popen([str(DRIVER), *command], cwd=cwd, stdout=subprocess.PIPE, text=True)
    said = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f'bench: {command} failed: {said}')
    peak = int(said.split('peak ')[1].split()[0]) / 1024
    return time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, peak


def row(name, command, work, runs, limit, before=lambda: None):
    results = []
    for _ in range(runs):
        before()
        results.append(measure(command, work))
    wall, cpu, peak = (statistics.median(column) for column in zip(*results))
    print(f'{name:34} {wall:7.3f} s   cpu {cpu:6.3f} s   peak {peak:6.1f} MiB   limit {limit}')


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--runs', type=int, default=5)
    options.add_argument('--logs', type=pathlib.Path)
    options = options.parse_args()
    build()
    base = '/dev/shm' if os.path.isdir('/dev/shm') else None
    with tempfile.TemporaryDirectory(dir=base) as folder:
        work = pathlib.Path(folder)
        (work / 'logs').mkdir()
        if options.logs:
            shutil.copyfile(options.logs, work / 'logs/build.log')
        else:
            write_logs(work / 'logs/build.log')
        write_small(work / 'small', work / 'logs/build.log')
        clear = lambda: shutil.rmtree(work / 'out', ignore_errors=True)
        row('pack 256 MiB of logs', ['pack', '6', 'logs.zip', 'logs'], work, options.runs, '1.3 s')
        print(f'{"":34} {(work / "logs.zip").stat().st_size / 1e6:7.1f} MB of {(work / "logs/build.log").stat().st_size / 1e6:.1f} MB')
        row('unpack them', ['unpack', 'logs.zip', 'out'], work, options.runs, '-', clear)
        row('pack 5,000 small files', ['pack', '6', 'small.zip', 'small'], work, options.runs, '0.35 s, 32 MiB')
        row('unpack them', ['unpack', 'small.zip', 'out'], work, options.runs, '0.20 s, 32 MiB', clear)
        (work / 'one').write_text('one small file\n')
        row('pack one small file', ['pack', '6', 'one.zip', 'one'], work, options.runs * 4, '0.015 s')


if __name__ == '__main__':
    main()

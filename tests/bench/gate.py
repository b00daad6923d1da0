#!/usr/bin/env python3
"""The gate's evidence beside the tools that read the same bytes: medians, the machine's noise, peak memory, limits.

usage: tests/bench/gate.py [--runs N] [--size MIB] [--only engine,archive]

engine: the fingerprint of an image from the engine's own description, beside `docker image inspect`; needs tools/engine up.
archive: the fingerprint of a docker-archive, every layer checked, beside `openssl dgst -sha256` of the same file.
The two sides of a comparison take turns.
"""
import argparse
import hashlib
import io
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import uuid

from commands import CRATEGATE
from registry_parts import Launcher

MIB = 1 << 20


def alternate(commands, runs, launcher):
    """{name: (sorted milliseconds, peak MiB)}; everybody warms up twice."""
    times, peak = {name: [] for name in commands}, dict.fromkeys(commands, 0)
    for run in range(runs + 2):
        for name, command in commands.items():
            seconds, mib = launcher.measure(command, dict(os.environ))
            if run >= 2:
                times[name].append(seconds * 1e3)
                peak[name] = max(peak[name], mib)
    return {name: (sorted(times[name]), peak[name]) for name in commands}


def row(name, result, note=''):
    times, peak = result
    low, high = times[len(times) // 10], times[-1 - len(times) // 10]
    print(f'{name:<58} {statistics.median(times):9.2f} ms  ({low:.2f} … {high:.2f})  peak {peak:6.1f} MiB  {note}', flush=True)


def verdict(met):
    return 'ok' if met else 'OVER'


def engine_bench(work, options, launcher):
    name = f'bench-gate-{uuid.uuid4().hex[:12]}:1'
    subprocess.run(['docker', 'build', '-q', '-t', name, '-'], input='FROM crategate/busybox:1\nRUN echo bench >/bench\n',
                   text=True, check=True, capture_output=True, cwd=work)
    try:
        results = alternate({'ours': [CRATEGATE, 'digest', '--quick', '--image', f'docker:{name}'],
                             'docker': ['docker', 'image', 'inspect', name],
                             'saved': [CRATEGATE, 'digest', '--image', f'docker:{name}']}, options.runs, launcher)
    finally:
        subprocess.run(['docker', 'image', 'rm', '--force', name], capture_output=True)
    met = statistics.median(results['ours'][0]) <= 12
    row('digest --quick of an image of the engine', results['ours'], f'limit 12 ms  {verdict(met)}')
    row('docker image inspect', results['docker'])
    row('digest of the same image, saved and checked (4 MiB)', results['saved'])
    return met


def write_archive(path, mebibytes):
    """As docker 20.10 saves it: one layer with one file that does not compress."""
    piece = random.Random(1).randbytes(MIB)
    member = tarfile.TarInfo('large')
    member.size = mebibytes * MIB
    layer = [member.tobuf(tarfile.USTAR_FORMAT), *[piece] * mebibytes, bytes(1024)]
    digest = hashlib.sha256()
    for part in layer:
        digest.update(part)
    config = json.dumps({'architecture': 'amd64', 'os': 'linux', 'config': {},
                         'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + digest.hexdigest()]}}).encode()
    name, folder = hashlib.sha256(config).hexdigest() + '.json', digest.hexdigest()
    listed = json.dumps([{'Config': name, 'RepoTags': ['bench:1'], 'Layers': [f'{folder}/layer.tar']}]).encode()
    with open(path, 'wb') as out:
        header = tarfile.TarInfo(f'{folder}/layer.tar')
        header.size = sum(map(len, layer))
        out.write(header.tobuf(tarfile.USTAR_FORMAT))
        out.writelines(layer)
        rest = io.BytesIO()
        with tarfile.open(fileobj=rest, mode='w', format=tarfile.USTAR_FORMAT) as archive:
            for file, data in ((name, config), ('manifest.json', listed)):
                small = tarfile.TarInfo(file)
                small.size = len(data)
                archive.addfile(small, io.BytesIO(data))
        out.write(rest.getvalue())


def archive_bench(work, options, launcher):
    path = work / 'image.tar'
    write_archive(path, options.size)
    runs = max(3, options.runs // 8)
    results = alternate({'ours': [CRATEGATE, 'digest', '--image', f'docker-archive:{path}'],
                         'openssl': ['openssl', 'dgst', '-sha256', str(path)]}, runs, launcher)
    path.unlink()
    ratio = statistics.median(results['ours'][0]) / statistics.median(results['openssl'][0])
    met = ratio <= 1.2 and results['ours'][1] <= 32
    row(f'digest of a docker-archive of {options.size} MiB', results['ours'],
        f'{ratio:.2f} × openssl  limit 1.2 ×, 32 MiB  {verdict(met)}')
    row('openssl dgst -sha256 of the same file', results['openssl'])
    return met


BENCHES = {'engine': engine_bench, 'archive': archive_bench}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--runs', type=int, default=40)
    parser.add_argument('--size', type=int, default=1024)
    parser.add_argument('--only', default=','.join(BENCHES))
    options = parser.parse_args()
    # In memory where there is room: no disk is measured.
    memory = pathlib.Path('/dev/shm')
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > (options.size + 512) * MIB
    work = pathlib.Path(tempfile.mkdtemp(prefix='crategate-bench-', dir=memory if roomy else None))
    launcher = Launcher(work)
    try:
        start = alternate({'true': ['/bin/true']}, 20, launcher)
        row('machine: starting a process', start['true'])
        good = [BENCHES[name](work, options, launcher) for name in options.only.split(',')]
    finally:
        launcher.stop()
        shutil.rmtree(work)
    return 0 if all(good) else 1


if __name__ == '__main__':
    sys.exit(main())

#!/usr/bin/env python3
"""The gate over fourteen cells: over loopback, and with a round trip of 30 ms.

usage: tests/bench/verify.py [--runs N]

`crategate verify` of fourteen tested images: records, manifests and configurations, each byte checked.  One distribution
registry (2.8) with its data in memory where the machine has room; the round trip is toxiproxy's, 15 ms each way, and the
handshake of TCP is not delayed.  Requests are counted in the registry's log.
"""
import argparse
import os
import pathlib
import shutil
import signal
import statistics
import sys
import tempfile

from registry_parts import ROOT, Latency, Launcher, Registry, free_port

sys.path.append(str(ROOT / 'tests/release'))
from parts import Project  # noqa: E402

CRATEGATE = os.environ.get('CRATEGATE', str(ROOT / 'build/release/crategate'))
SCENE = os.environ.get('CRATEGATE_SCENE', str(ROOT / 'build/dev/tests/release-scene'))
LIMIT = 0.15


class Untouched(Project):
    """Proven, and never published."""

    def must(self, *arguments):
        return '' if arguments[0] in ('push', 'release') else super().must(*arguments)


def measure(work, runs):
    """{way: seconds of each run}, and the requests of one."""
    registry = Registry(work)
    launcher, latency = Launcher(work), None
    try:
        address = registry.port
        project = Untouched(work, f'localhost:{address}', CRATEGATE, SCENE, release=('v1.0.0',))
        command = [CRATEGATE, 'verify', '--workspace', str(project.root)]
        environment = {'PATH': os.environ['PATH'], 'HOME': str(work), 'NO_COLOR': '1'}
        before = registry.requests()
        seconds = {'loopback': [launcher.measure(command, environment)[0] for _ in range(runs + 1)][1:]}
        requests = (registry.requests() - before) // (runs + 1)
        registry.pause()
        registry.start(free_port())
        latency = Latency(registry, address)
        seconds['30 ms'] = [launcher.measure(command, environment)[0] for _ in range(runs + 1)][1:]
        return seconds, requests
    finally:
        launcher.stop()
        if latency:
            latency.stop()
        registry.stop()


def bench(runs=11):
    """Prints the figures; whether they are good."""
    memory = shutil.disk_usage('/dev/shm').free if os.path.isdir('/dev/shm') else 0
    work = pathlib.Path(tempfile.mkdtemp(prefix='crategate-bench-', dir='/dev/shm' if memory > 6 << 30 else None))
    try:
        seconds, requests = measure(work, runs)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f'verify of 14 cells, {requests} requests: seconds, median of {runs} (least … most)')
    good = True
    for way, found in seconds.items():
        median = statistics.median(found)
        good &= median <= LIMIT
        print(f'  {way:9} {median:.3f} ({min(found):.3f} … {max(found):.3f})   ≤ {LIMIT} s: {"yes" if median <= LIMIT else "NO"}')
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--runs', type=int, default=11)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return 0 if bench(parser.parse_args().runs) else 1


if __name__ == '__main__':
    sys.exit(main())

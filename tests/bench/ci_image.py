#!/usr/bin/env python3
"""The CI image's decision in a large repository, and the cost of waiting: medians, the machine's noise, peak memory, limits.

usage: tests/bench/ci_image.py [--runs N] [--only decision,wait]

decision: a pull request to a repository of 10,000 files and 50,000 commits: the tags, and the image by its digest at a registry,
whose round trip is added to the limit; beside plain `git diff` of the same commits.
wait: processor time and memory of a wait of ten seconds with a poll each second, against tests/github/server.py.
"""
import argparse
import http.client
import http.server
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from commands import CRATEGATE
from gate import alternate, row, verdict
from registry_parts import Launcher

ROOT = pathlib.Path(__file__).resolve().parents[2]
GITHUB = ROOT / 'tests/github'
FILES, COMMITS, BEHIND, TOKEN = 10_000, 50_000, 50, 'ghs_bench'
SETTINGS = 'ci-image:\n  image: localhost:PORT/o/r/ci\n  branches: {main: latest}\n  watch: [ci.Dockerfile, .github/workflows/build.yml]\n'
ENVIRONMENT = {'PATH': os.environ['PATH'], 'GIT_CONFIG_GLOBAL': '/dev/null', 'GIT_CONFIG_NOSYSTEM': '1'}


def git(folder, *arguments, **more):
    return subprocess.run(['git', *arguments], cwd=folder, env=ENVIRONMENT, check=True, text=True, stdout=subprocess.PIPE, **more).stdout.strip()


def history(files, commits):
    """For git fast-import: each commit changes a file, and the last one, of `fix`, is some behind main."""
    yield 'blob\nmark :1\ndata 1\na\n'
    for number in range(commits):
        yield f'commit refs/heads/main\nmark :{number + 2}\ncommitter T <t@example.org> {1700000000 + number} +0000\ndata 1\nx\n'
        if number == 0:
            yield ''.join(f'M 644 :1 d{name % 100}/e{name // 100 % 10}/f{name}\n' for name in range(files))
            yield 'M 644 :1 ci.Dockerfile\nM 644 :1 .github/workflows/build.yml\n'
        else:
            yield f'M 644 inline d{number % 100}/e{number // 100 % 10}/f{number % files}\ndata {len(str(number))}\n{number}\n'
    yield f'commit refs/heads/fix\ncommitter T <t@example.org> 1800000000 +0000\ndata 1\nx\nfrom :{commits - BEHIND}\n'
    yield 'M 644 inline d1/new\ndata 1\nz\n'


class Registry(http.server.BaseHTTPRequestHandler):
    """Every tag is there."""
    protocol_version = 'HTTP/1.1'

    def do_HEAD(self):
        self.send_response(200)
        self.send_header('Docker-Content-Digest', 'sha256:' + 'a' * 64)
        self.send_header('Content-Type', 'application/vnd.oci.image.manifest.v1+json')
        self.send_header('Content-Length', '100')
        self.end_headers()

    def log_message(self, *arguments):
        pass


def serve_registry():
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def round_trip(port):
    """Milliseconds of one request on a connection of its own, the median of many."""
    times = []
    for _ in range(40):
        began = time.monotonic()
        connection = http.client.HTTPConnection('127.0.0.1', port)
        connection.request('HEAD', '/v2/o/r/ci/manifests/latest')
        connection.getresponse().read()
        connection.close()
        times.append((time.monotonic() - began) * 1000)
    return statistics.median(times)


def pull_request(work, files, commits, port=9):
    """A repository with a pull request; the command that decides."""
    folder = work / 'repository'
    folder.mkdir()
    git(folder, 'init', '--quiet', '--initial-branch=main')
    git(folder, 'fast-import', '--quiet', input=''.join(history(files, commits)))
    git(folder, 'checkout', '--quiet', 'fix')
    git(folder, 'update-ref', 'refs/remotes/origin/main', 'main')
    (folder / 'crategate.yml').write_text(SETTINGS.replace('PORT', str(port)))
    event = {'number': 7, 'pull_request': {'number': 7, 'head': {'ref': 'fix', 'sha': git(folder, 'rev-parse', 'fix'), 'repo': {'id': 1}},
                                           'base': {'ref': 'main'}}, 'repository': {'id': 1}}
    (work / 'event.json').write_text(json.dumps(event))
    return folder, ['--workspace', folder, '--event', 'pull_request', '--ref', 'refs/pull/7/merge', '--payload', work / 'event.json']


def decision_bench(work, options, launcher):
    port = serve_registry()
    folder, event = pull_request(work, FILES, COMMITS, port)
    results = alternate({'tags': [CRATEGATE, 'ci-image', 'tags', *event],
                         'resolve': [CRATEGATE, 'ci-image', 'resolve', *event],
                         'git': ['git', '-C', folder, 'diff', '--name-only', 'origin/main...fix']}, options.runs, launcher)
    median = {name: times[0][len(times[0]) // 2] for name, times in results.items()}
    trip = round_trip(port)
    good = median['tags'] <= 15 and median['resolve'] <= 15 + trip
    row(f'decision among {FILES} files and {COMMITS} commits', results['tags'], f'limit 15 ms  {verdict(median["tags"] <= 15)}')
    row('the same, and the image by digest', results['resolve'],
        f'limit 15 ms and a round trip of {trip:.1f} ms  {verdict(median["resolve"] <= 15 + trip)}')
    row('git diff --name-only origin/main...fix', results['git'])
    shutil.rmtree(folder)
    return good


def high_water(process):
    """Peak MiB of a running process since its exec; 0 once it has ended."""
    lines = pathlib.Path(f'/proc/{process}/status').read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith('VmHWM')), 0)


def wait_bench(work, options, launcher):
    """The build never ends; the time limit does."""
    seconds = 10
    folder, event = pull_request(work, 100, 100)
    (folder / 'ci.Dockerfile').write_text('changed\n')
    git(folder, 'add', 'ci.Dockerfile')
    git(folder, '-c', 'user.name=T', '-c', 'user.email=t@example.org', 'commit', '--quiet', '--message', 'own')
    head = git(folder, 'rev-parse', 'HEAD')
    payload = pathlib.Path(event[-1])
    payload.write_text(payload.read_text().replace(git(folder, 'rev-parse', 'HEAD^'), head))
    state = work / 'github'
    tell = lambda *words: subprocess.run([GITHUB / 'state.py', state, *words], check=True)  # noqa: E731
    tell('init', '--repository', 'o/r', '--id', '1', '--token', TOKEN)
    tell('run', '--id', '30', '--sha', head, '--workflow', 'build.yml', '--event', 'pull_request', '--pull', '7', '--status', 'in_progress')
    tell('pull', '--number', '7', '--head-sha', head)
    server = subprocess.Popen([GITHUB / 'server.py', state], stdout=subprocess.PIPE, text=True)
    try:
        address = f'http://127.0.0.1:{server.stdout.readline().split()[1]}'
        (work / 'output').touch()
        began = time.monotonic()
        waiting = subprocess.Popen([CRATEGATE, 'ci-image', 'wait', *event, '--ci-image-wait-interval=1s', f'--ci-image-wait-timeout={seconds}s'],
                                   env={**ENVIRONMENT, 'GITHUB_ACTIONS': 'true', 'GITHUB_OUTPUT': str(work / 'output'), 'GITHUB_API_URL': address,
                                        'GITHUB_SERVER_URL': address, 'GITHUB_REPOSITORY': 'o/r', 'INPUT_GITHUB-TOKEN': TOKEN},
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        peak = 0
        while pathlib.Path(f'/proc/{waiting.pid}/status').exists() and (now := high_water(waiting.pid)):
            peak = max(peak, now)
            time.sleep(0.2)
        said = waiting.stderr.read()
        _, status, used = os.wait4(waiting.pid, 0)
        waiting.returncode = os.waitstatus_to_exitcode(status)
        elapsed = time.monotonic() - began
    finally:
        server.kill()
    if waiting.returncode != 15:
        sys.exit(f'bench: expected the wait to end with 15, found {waiting.returncode}\n{said}')
    share = (used.ru_utime + used.ru_stime) / elapsed * 100
    billed = [int(subprocess.run([GITHUB / 'state.py', state, 'count', '--match', match, '--billed'], check=True, text=True,
                                 stdout=subprocess.PIPE).stdout) for match in ('', '/runs', '/pulls/7 ')]
    met = share <= 1 and peak <= 16 and billed == [2, 1, 1]
    print(f'waiting {elapsed:.0f} s, a poll each second: {share:.2f} % of a core, peak {peak:.1f} MiB, {billed[0]} requests that count  '
          f'limit 1 %, 16 MiB, one for the runs and one for the head  {verdict(met)}')
    return met


BENCHES = {'decision': decision_bench, 'wait': wait_bench}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--runs', type=int, default=40)
    parser.add_argument('--only', default=','.join(BENCHES))
    options = parser.parse_args()
    memory = pathlib.Path('/dev/shm')
    work = pathlib.Path(tempfile.mkdtemp(prefix='crategate-bench-', dir=memory if memory.is_dir() else None))
    launcher = Launcher(work)
    try:
        row('machine: starting a process', alternate({'true': ['/bin/true']}, 20, launcher)['true'])
        good = [BENCHES[name](work, options, launcher) for name in options.only.split(',')]
    finally:
        launcher.stop()
        shutil.rmtree(work)
    return 0 if all(good) else 1


if __name__ == '__main__':
    sys.exit(main())

#!/usr/bin/env python3
"""Times whole commands: medians, the machine's noise, peak memory, beside the limits that the product promises.

usage: tests/bench/commands.py [--runs N] [--engine]     (--engine: also `run` beside the plain docker commands; needs tools/engine up)
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CRATEGATE = os.environ.get('CRATEGATE', str(ROOT / 'build/release/crategate'))
GIT = ['git', '-c', 'user.name=bench', '-c', 'user.email=bench@example.invalid']


def measure(command, cwd, env=None):
    """(milliseconds, peak KiB, exit code) of one run."""
    begin = time.perf_counter()
    child = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    return (time.perf_counter() - begin) * 1e3, usage.ru_maxrss, os.waitstatus_to_exitcode(status)


def series(command, cwd, runs, env=None):
    results = [measure(command, cwd, env) for _ in range(runs + 2)][2:]  # two to warm up
    if any(code for _, _, code in results):
        sys.exit(f'bench: {" ".join(command)} failed in {cwd}')
    times = sorted(ms for ms, _, _ in results)
    return {'median': statistics.median(times), 'p10': times[len(times) // 10], 'p90': times[len(times) * 9 // 10],
            'peak': max(kib for _, kib, _ in results) / 1024}


def repository(directory, files, axes):
    directory.mkdir(parents=True)
    for i in range(files):
        path = directory / 'src' / f'd{i // 50}' / f'f{i}.txt'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{i}\n')
    (directory / 'VERSION').write_text('v1.2.3\n')
    first, second = axes
    (directory / 'crategate.yml').write_text(
        f'axes:\n  python: [{", ".join(first)}]\n  runtime: [{", ".join(second)}]\n'
        'image: "bench/app-{cell}"\ncache: "bench/cache:{cell}"\n'
        'generate: {template: Dockerfile.mustache}\n'
        'test: {run: [/bin/sh, /tests/run.sh], source: mounted, mounts: ["tests:/tests:ro"]}\n')
    (directory / 'Dockerfile.mustache').write_text('FROM crategate/busybox:1\nENV CELL={{cell}}\n')
    (directory / 'tests').mkdir(exist_ok=True)
    (directory / 'tests/run.sh').write_text('echo "Ran 1 test in 0.0s"\n')
    for command in (['init', '-q', '-b', 'main'], ['add', '.'], ['commit', '-qm', 'one'], ['commit', '-qm', 'two',
                    '--allow-empty'], ['tag', 'v1.2.3']):
        subprocess.run(GIT + command, cwd=directory, check=True, capture_output=True)
    return subprocess.run(['git', 'rev-parse', 'HEAD'], cwd=directory, check=True, capture_output=True,
                          text=True).stdout.strip()


def tag_event(directory, commit):
    payload = directory / '.git' / 'event.json'
    payload.write_text(json.dumps({'ref': 'refs/tags/v1.2.3', 'repository': {'default_branch': 'main'}}))
    output = directory / '.git' / 'output'
    return dict(os.environ, GITHUB_EVENT_NAME='push', GITHUB_REF='refs/tags/v1.2.3', GITHUB_REF_TYPE='tag',
                GITHUB_SHA=commit, GITHUB_EVENT_PATH=str(payload), GITHUB_OUTPUT=str(output))


def show(name, result, limit, extra=''):
    verdict = 'ok' if result['median'] <= limit else 'OVER'
    print(f'{name:<44} {result["median"]:8.2f} ms  ({result["p10"]:.2f} … {result["p90"]:.2f})  limit {limit:g} ms  '
          f'{verdict}  peak {result["peak"]:.1f} MiB{extra}')
    return verdict == 'ok'


def plan_benches(work, runs):
    baseline = series(['/bin/true'], work, runs)
    git = series(['git', '--version'], work, runs)
    print(f'machine: starting a process takes {baseline["median"]:.2f} ms ({baseline["p10"]:.2f} … {baseline["p90"]:.2f}), '
          f'git {git["median"]:.2f} ms; {runs} runs each; median (10 % … 90 %)')
    good = show('crategate --help', series([CRATEGATE, '--help'], work, runs), 5)
    pythons = [f'"3.{minor}"' for minor in range(7, 14)]
    commit = repository(work / 'plan14', 2000, (pythons, ['cpu', 'cuda']))
    result = series([CRATEGATE, 'plan'], work / 'plan14', runs, tag_event(work / 'plan14', commit))
    good &= show('plan, 14 cells, 2,000 files, tag event', result, 10)
    good &= result['peak'] <= 16
    values = ([f'"3.{n}"' for n in range(16)], [f'r{n}' for n in range(16)])
    commit = repository(work / 'plan256', 20, values)
    good &= show('plan, 256 cells', series([CRATEGATE, 'plan'], work / 'plan256', runs,
                                           tag_event(work / 'plan256', commit)), 30)
    return good


def run_bench(work, rounds):
    """`run --jobs 1` of 14 tiny cached cells beside the docker commands that do the same building and testing."""
    project = work / 'run14'
    repository(project, 10, ([f'"3.{minor}"' for minor in range(7, 14)], ['cpu', 'cuda']))
    command = [CRATEGATE, 'run', '--jobs', '1']
    if measure(command, project)[2]:
        sys.exit('bench: crategate run failed; is `tools/engine env` in force?')
    ours, plain = [], []
    for _ in range(rounds):
        shutil.rmtree(project / '.crategate/proofs')
        ours.append(measure(command, project)[0])
        begin = time.perf_counter()
        for cell in sorted(path.name.removeprefix('Dockerfile.') for path in (project / 'docker/dockerfiles').iterdir()):
            image = f'bench/app-{cell}:v1.2.3'
            subprocess.run(['docker', 'buildx', 'build', '-q', '--load', '--provenance=false', '-t', image, '-f',
                            f'docker/dockerfiles/Dockerfile.{cell}', '.'], cwd=project, check=True, capture_output=True)
            subprocess.run(['docker', 'run', '--rm', '-v', f'{project}/tests:/tests:ro', image, '/bin/sh', '/tests/run.sh'],
                           check=True, capture_output=True)
            subprocess.run(['docker', 'save', '-o', str(work / 'saved.tar'), image], check=True, capture_output=True)
        plain.append((time.perf_counter() - begin) * 1e3)
    ours_ms, plain_ms = statistics.median(ours), statistics.median(plain)
    added = (ours_ms / plain_ms - 1) * 100
    print(f'{"run --jobs 1, 14 cached tiny cells":<44} {ours_ms:8.0f} ms beside {plain_ms:.0f} ms of docker commands '
          f'(build, run, save): {added:+.1f} %  limit +10 %  {"ok" if added <= 10 else "OVER"}  '
          f'({min(ours):.0f} … {max(ours):.0f} / {min(plain):.0f} … {max(plain):.0f})')
    return added <= 10


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--runs', type=int, default=40)
    parser.add_argument('--engine', action='store_true')
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix='crategate-bench-'))
    try:
        good = plan_benches(work, options.runs)
        if options.engine:
            good &= run_bench(work, 3)
    finally:
        shutil.rmtree(work)
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())

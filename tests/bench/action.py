#!/usr/bin/env python3
"""The action's three figures in one table: a container step that plans, the build stage beside plain buildx, the image.

usage: tests/bench/action.py IMAGE [--rounds N] [--size]     (--size: only the image; needs tools/engine up and env)
"""
import argparse
import gzip
import io
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

SIZE_LIMIT, PLAN_LIMIT, STEP_LIMIT, BUILD_LIMIT = 45.0, 300.0, 40.0, 20.0  # MB, ms, ms, ms
GIT = ['git', '-c', 'user.name=bench', '-c', 'user.email=bench@example.invalid']
PROJECT = {
    'VERSION': 'v1.2.3\n',
    'crategate.yml': 'axes:\n  python: ["3.11"]\n  runtime: [cpu]\nimage: "bench/app-{cell}"\n'
                     'generate: {output: Dockerfile}\n',
    'Dockerfile': 'FROM crategate/busybox:1\nENV A=1\n',
}


def compressed(blob):
    """What a registry holds of a layer: as it is, or as `docker push` would compress it."""
    return len(blob) if blob[:2] == b'\x1f\x8b' else len(gzip.compress(blob, 6))


def image_size(image):
    saved = subprocess.run(['docker', 'image', 'save', image], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
        manifest = json.load(archive.extractfile('manifest.json'))[0]
        history = json.load(archive.extractfile(manifest['Config']))['history']
        made_by = [step['created_by'] for step in history if not step.get('empty_layer')]
        total = 0
        for name, step in zip(manifest['Layers'], made_by):
            size = compressed(archive.extractfile(name).read())
            total += size
            print(f'  layer {size / 1e6:8.2f} MB  {step.removesuffix("# buildkit").strip()[:70]}')
    good = total / 1e6 <= SIZE_LIMIT
    print(f'{"image, compressed":<40} {total / 1e6:8.2f} MB  limit {SIZE_LIMIT:g} MB  {"ok" if good else "OVER"}')
    return good


def milliseconds(command, cwd, env=None):
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f'bench: {" ".join(command)}:\n{done.stdout}{done.stderr}')
    return (time.perf_counter() - begin) * 1e3


def alternating(first, second, rounds):
    """Medians of two things in turns, so that both meet the same machine; one round to warm up."""
    pairs = [(first(), second()) for _ in range(rounds + 1)][1:]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def make_project(folder):
    for name, text in PROJECT.items():
        (folder / name).write_text(text)
    (folder / '.gitignore').write_text('.crategate/\n.runner/\n')
    for command in (['init', '-q', '-b', 'main'], ['add', '.'], ['commit', '-qm', 'one'], ['tag', 'v1.2.3']):
        subprocess.run(GIT + command, cwd=folder, check=True, capture_output=True)
    (folder / '.runner').mkdir()


def step(image, folder, **inputs):
    """A container step as a runner starts it; returns what `milliseconds` takes."""
    output = folder / '.runner/output'
    output.write_text('')
    commit = subprocess.run(GIT + ['rev-parse', 'HEAD'], cwd=folder, check=True, capture_output=True, text=True).stdout
    variables = {'GITHUB_ACTIONS': 'true', 'GITHUB_EVENT_NAME': 'workflow_dispatch', 'GITHUB_REF': 'refs/heads/main',
                 'GITHUB_SHA': commit.strip(), 'GITHUB_WORKSPACE': str(folder), 'GITHUB_OUTPUT': str(output)}
    variables.update({f'INPUT_{name.upper()}': value for name, value in inputs.items()})
    socket = os.environ['DOCKER_HOST'].removeprefix('unix://')
    command = ['docker', 'run', '--rm', '--workdir', str(folder), '-v', f'{folder}:{folder}',
               '-v', f'{socket}:/var/run/docker.sock']
    for name in variables:
        command += ['-e', name]
    return [*command, image], dict(os.environ, **variables)


def show(name, value, beside, limit, good):
    print(f'{name:<40} {value:8.1f} ms  {beside}  limit {limit}  {"ok" if good else "OVER"}')
    return good


def step_times(image, folder, rounds):
    plan, environment = step(image, folder, stage='plan')
    bare = ['docker', 'run', '--rm', 'crategate/busybox:1', 'true']
    with_plan, alone = alternating(lambda: milliseconds(plan, folder, environment), lambda: milliseconds(bare, folder),
                                   rounds)
    good = show('container step: plan', with_plan, f'(bare docker run: {alone:.1f})',
                f'{PLAN_LIMIT:g} ms, or +{STEP_LIMIT:g} ms where containers start slowly',
                with_plan <= max(PLAN_LIMIT, alone + STEP_LIMIT))
    build, environment = step(image, folder, stage='build', cell='cpu-py3.11')
    version, _ = step(image, folder)
    version += ['--version']
    tag = ['docker', 'buildx', 'build', '-q', '--load', '--provenance=false', '-t', 'bench/plain:1', '.']
    staged, plain = alternating(lambda: milliseconds(build, folder, environment) - milliseconds(version, folder),
                                lambda: milliseconds(tag, folder), rounds)
    added = staged - plain
    return show('build stage over plain buildx, cached', added, f'({staged:.1f} without the container, {plain:.1f})',
                f'+{BUILD_LIMIT:g} ms', added <= BUILD_LIMIT) and good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('image')
    parser.add_argument('--rounds', type=int, default=15)
    parser.add_argument('--size', action='store_true')
    options = parser.parse_args()
    good = image_size(options.image)
    if options.size:
        return 0 if good else 1
    folder = pathlib.Path(tempfile.mkdtemp(prefix='crategate-bench-'))
    try:
        make_project(folder)
        good &= step_times(options.image, folder, options.rounds)
    finally:
        shutil.rmtree(folder)
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())

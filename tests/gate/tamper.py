#!/usr/bin/env python3
"""Every tampering that the gate is tried with: the verdict and the exact reasons that it has to give.

usage: tamper.py CRATEGATE [--only TEXT] [--whole]

Real images of both image stores in real registries, evidence by the real commands, `verify` and `push` by the real binary. A
case says what is done to app's evidence, and what must come of it: admitted, refused for exactly these reasons (of app alone,
unless cells are named), or an error with this exit code. What is not admitted must end `push` with the same code, and no
tag may be there. Without --whole each case runs on one of the stores, and `push` for a third of them.
"""
import argparse
import concurrent.futures
import json
import pathlib
import shutil
import sys
import threading
import time

import controls  # noqa: F401  each adds its cases
import images  # noqa: F401
import records  # noqa: F401
import registries  # noqa: F401
import signatures  # noqa: F401
from cases import ADMITTED, CASES
from stand import OTHER_SECRET, ROOT, SECRET, Scene, scratch

sys.path.append(str(ROOT / 'tests/release'))
from parts import end_in_order  # noqa: E402


def judged(code, out):
    """(verdict, reasons by cell) of `verify --json`."""
    if code not in (0, 10):
        return code, {}
    document = json.loads(out)
    reasons = {cell['cell']: {finding['reason'] for finding in cell['findings']} for cell in document['cells']}
    return (ADMITTED if document['admitted'] else 'refused'), {cell: found for cell, found in reasons.items() if found}


class Suite:
    def __init__(self, scenes):
        self.scenes, self.failures, self.counts, self.lock = scenes, [], {}, threading.Lock()

    def expect(self, what, condition, *details):
        if not condition:
            self.failures.append(f'{what}: ' + ' '.join(str(detail) for detail in details))
        return bool(condition)

    def verify(self, scene, case, wanted):
        scene.proxy.choose(None, None)
        code, out, err = scene.run(['verify', '--json', *case.options], case.environment)
        verdict, reasons = judged(code, out)
        if isinstance(wanted, dict):
            good = code == 10 and verdict == 'refused' and reasons == wanted
        else:
            good = verdict == wanted and (code == 0) == (wanted == ADMITTED)
        for text in case.says:
            self.expect(f'{scene.store}: {case.name}', text in out + err, 'does not say', text, out, err)
        wrote = {request.method for request in scene.proxy.log} - {'GET', 'HEAD'}
        self.expect(f'{scene.store}: {case.name}', not wrote, 'verify asked for', wrote)
        good = self.expect(f'{scene.store}: {case.name}', good, 'wanted', wanted, 'found', verdict, reasons, err.strip()[-600:])
        return good, verdict, reasons, err

    def push(self, scene, case, code):
        """What is not admitted is not published: the same end, and no tag."""
        ended, _, err = scene.run(['push', *case.options], case.environment)
        good = self.expect(f'{scene.store}: {case.name}', ended == code, 'push ended with', ended, err.strip()[-400:])
        tags = {cell: text for cell, text in scene.tags().items() if b'"tags":[' in text.replace(b' ', b'') and b'v1.0.0' in text}
        return self.expect(f'{scene.store}: {case.name}', not tags, 'tags', tags) and good, err

    def run(self, scene, case, pushed):
        scene.put_back(case.kept)
        case.act(scene)
        good, verdict, reasons, err = self.verify(scene, case, case.wanted)
        if case.between:
            change, wanted = case.between
            change(scene)
            fine, err = self.push(scene, case, 10)
            fine = self.expect(f'{scene.store}: {case.name}', all(reason in err for reason in wanted), 'push says', err) and fine
            good, verdict, reasons = good and fine, 'admitted, then refused', {'app': wanted}
        elif case.wanted != ADMITTED and pushed:
            fine, more = self.push(scene, case, 10 if isinstance(case.wanted, dict) else case.wanted)
            good, err = good and fine, err + more
        for secret in (SECRET, OTHER_SECRET):
            good = self.expect(f'{scene.store}: {case.name}', secret not in err, 'the secret is in the log', err) and good
        with self.lock:
            self.show(scene, case, good, verdict, reasons)

    def run_all(self, scene, cases, whole):
        """In a sample each store takes every other case, and `push` is asked for every third of those."""
        for number, case in enumerate(cases):
            if whole or number % 2 == self.scenes.index(scene):
                self.run(scene, case, whole or number // 2 % 3 == 0)

    def show(self, scene, case, good, verdict, reasons):
        word = verdict if isinstance(verdict, str) else f'error {verdict}'
        self.counts[word] = self.counts.get(word, 0) + 1
        said = ', '.join(sorted(set().union(*reasons.values()))) if reasons else '-'
        elsewhere = [cell for cell in reasons if cell != 'app']
        cells = f' ({", ".join(reasons)})' if elsewhere else ''
        print(f'{"ok" if good else "FAILED":7}{scene.store:11} {case.name:75} {word:23} {said}{cells}', flush=True)


# Image store, registry, and layers of the deepest image: what each holds at most.
WAYS = (('containerd', 'distribution2', 127), ('classic', 'distribution3', 125))


def prepare(scene, deep):
    scene.prepare(deep)
    scene.replayed()
    scene.keep('replayed')
    layers = ', '.join(f'{len(scene.record(cell)["diff_ids"])} ({cell})' for cell in scene.cells)
    print(f'{scene.store}: images of {layers} layers', flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('crategate')
    parser.add_argument('--only', default='', help='part of the names of cases')
    parser.add_argument('--whole', action='store_true')
    options = parser.parse_args()
    end_in_order()
    began, work, scenes = time.monotonic(), scratch(), []
    try:
        # A registry ends with the thread that started it.
        for store, make, _ in WAYS:
            scenes.append(Scene(work, pathlib.Path(options.crategate).resolve(), store, make))
        with concurrent.futures.ThreadPoolExecutor() as side_by_side:
            list(side_by_side.map(prepare, scenes, [deep if options.whole else 10 for _, _, deep in WAYS]))
        print(f'made in {time.monotonic() - began:.0f} s', flush=True)
        suite, cases = Suite(scenes), [each for each in CASES if options.only in each.name]
        with concurrent.futures.ThreadPoolExecutor() as side_by_side:
            list(side_by_side.map(lambda scene: suite.run_all(scene, cases, options.whole or len(cases) < 10), scenes))
    finally:
        for scene in scenes:
            scene.stop()
        shutil.rmtree(work, ignore_errors=True)
    for failure in suite.failures:
        print(f'FAILED {failure}')
    counts = ', '.join(f'{count} {word}' for word, count in sorted(suite.counts.items()))
    print(f'tamper: {len(cases)} cases, {sum(suite.counts.values())} runs on two image stores: {counts}; {len(suite.failures)} failures; '
          f'{time.monotonic() - began:.0f} s')
    return 1 if suite.failures else 0


if __name__ == '__main__':
    sys.exit(main())

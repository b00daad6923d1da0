#!/usr/bin/env python3
"""gate.mode: rebuild, many times over: what was tested once is built again by a BuildKit that begins empty, and admitted; what
was changed is refused.

usage: converge.py CRATEGATE [--rounds N] [--seed N] [--only strict|content]

A real project (WORKDIR, COPY, apt, pip; the recipe of docs/rebuild.md), tested on an engine of one image store and rebuilt on
one of the other. Each round takes a fresh clone, every second one with older file times, twice: as it is, and with one change.

  strict    with the cache of the run: no RUN step is run again, and the layers are the tested ones
  content   without any cache: every RUN step is run again, and of every file only the time may differ

A judge of its own reads the layers. Prints one line per family, and at a deviation the files that differ. Needs both engines
(tools/engine), a Debian mirror and a package index.
"""
import argparse
import collections
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import random
import shutil
import sys
import threading
import time

from rebuild_stand import OLDER_IDNA, Project, Stand, differences
from stand import ROOT, scratch

sys.path.append(str(ROOT / 'tests/release'))
from parts import Findings, end_in_order  # noqa: E402

PRINTING = threading.Lock()
# In what is said of each step.
APT, PIP, REQUIREMENTS, SOURCES = 'apt-get', 'if [', 'COPY requirements.txt', ' src src'
DOCKERFILE = 'docker/Dockerfile.mustache'
BUILD_FAILED = 40  # a mirror may have been away for a moment
NOT_FOUND_OUT = 24


def say(text):
    with PRINTING:
        print(text, flush=True)


@dataclasses.dataclass
class Change:
    """`names`: the steps whose layers differ, or the keys of the configuration; these and no others."""
    name: str
    act: object  # on a checkout
    names: tuple
    reason: str = 'content-differs'


def edit(name, old, new):
    return lambda checkout: checkout.edit(name, old, new)


def replace_by_link(checkout):
    (checkout.folder / 'src/package/b').unlink()
    (checkout.folder / 'src/package/b').symlink_to('../a')


CHANGES = [
    Change('a byte of a copied file', edit('src/a', 'one', 'One'), (SOURCES,)),
    Change('another version of a Python package', edit('requirements.txt', 'idna', OLDER_IDNA + '\n# idna'), (REQUIREMENTS, PIP)),
    Change('a variable', edit(DOCKERFILE, 'MODE=plain', 'MODE=other'), ('Env["MODE"]',), 'config-differs'),
    Change('another package', edit(DOCKERFILE, ' dbus ', ' dbus less '), (APT,)),
    Change('the mode of a copied file', lambda checkout: (checkout.folder / 'src/tool').chmod(0o644), (SOURCES,)),
    Change('a file more', lambda checkout: (checkout.folder / 'src/package/more').touch(), (SOURCES,)),
    Change('a file less', lambda checkout: (checkout.folder / 'src/package/b').unlink(), (SOURCES,)),
    Change('a byte more in an installed file',
           edit(DOCKERFILE, '-r requirements.txt', '-r requirements.txt && echo | tee --append /usr/local/lib/*/*/idna/core.py'), (PIP,)),
    Change('a link in the place of a file', replace_by_link, (SOURCES,)),
    Change('the owner of copied files', edit(DOCKERFILE, 'COPY src', 'COPY --chown=65534:65534 src'), (SOURCES,)),
    Change('the user', edit(DOCKERFILE, 'ENV MODE', 'USER 1000\nENV MODE'), ('User',), 'config-differs'),
    Change('RUN steps that do not know the time', edit(DOCKERFILE, 'ARG SOURCE_DATE_EPOCH\n', ''), (APT, PIP)),
    Change('a log that was kept', edit(DOCKERFILE, ' /var/log/dpkg.log', ''), (APT,)),
    Change('a random value that was kept', edit(DOCKERFILE, ' /var/lib/dbus/machine-id', ''), (APT,)),
]


@dataclasses.dataclass
class Verdict:
    code: int
    findings: list  # (reason, what was found)
    err: str

    def admitted(self):
        return self.code == 0 and not self.findings

    def text(self):
        lines = [f'  {reason}: {text}' for reason, text in self.findings]
        return '\n'.join([f'exit code {self.code}', *lines, self.err.strip()[-1500:]])


class Family:
    def __init__(self, stand, findings, seed, policy, tested_on, rebuilt_on):
        self.stand, self.findings, self.policy, self.rebuilt_on = stand, findings, policy, rebuilt_on
        self.choose = random.Random(f'{seed} {policy}')
        self.title = f'{policy} {"with the cache of the run" if policy == "strict" else "without a cache"}'
        self.admitted = self.refused = self.tried = 0
        self.seconds, self.times, self.facts, self.reasons = [], [], collections.Counter(), collections.Counter()
        work = stand.work / policy
        work.mkdir()
        cache = 'cache: "converge/cache:{cell}"\n' if policy == 'strict' else ''
        self.project = Project(work, stand, f'{cache}gate: {{mode: rebuild, rebuild: {policy}}}\n')
        # Layers of a cache are taken over by the BuildKit of the same version alone; without one another version is welcome.
        self.tested_on, self.options = tested_on, [stand.builder] if policy == 'strict' else []

    def prepare(self):
        began = time.monotonic()
        self.project.test(self.tested_on, self.options)
        say(f'{self.title}: tested on the engine with the {self.tested_on} image store in {time.monotonic() - began:.0f} s, '
            f'rebuilt on the one with the {self.rebuilt_on} image store')

    def rebuild(self, what, checkout):
        """One build by a BuildKit of its own, and the gate."""
        checkout.must(self.rebuilt_on, 'generate')
        began = time.monotonic()
        for last in (False, True):
            code, out, err = checkout.run(self.rebuilt_on, 'verify', '--json', self.stand.builder)
            if code != BUILD_FAILED or last:
                break
            say(f'{self.title}: {what}: the build failed and is run again: {err.strip()[-600:]}')
        self.seconds.append(time.monotonic() - began)
        cells = json.loads(out)['cells'] if code in (0, 10) else []
        found = [(finding['reason'], text) for cell in cells for finding in cell['findings']
                 for text in finding['details'] or [finding['found']]]
        return Verdict(code, found, err)

    def expect(self, what, condition, *details):
        return self.findings.expect(f'{self.title}: {what}', condition, *details)

    def explain(self, checkout):
        """Which files of which layers differ, for a person."""
        lines = []
        try:
            diff_ids, layers = checkout.rebuilt()
        except (OSError, StopIteration, ValueError) as error:
            return f'nothing to compare: {error}'
        for number, (tested, rebuilt) in enumerate(zip(self.project.layers, layers), 1):
            if diff_ids[number - 1] != self.project.record['diff_ids'][number - 1]:
                dated, rest = differences(tested, rebuilt)
                lines.append(f'layer {number}: {len(dated)} other times ({", ".join(dated[:3])}); ' + '\n    '.join(rest[:20]))
        return '\n  ' + '\n  '.join(lines)

    def judge(self, what, checkout):
        """By itself: what an admitted image holds, and how it came to be."""
        diff_ids, layers = checkout.rebuilt()
        tested = self.project.record['diff_ids']
        other = [number for number, (one, two) in enumerate(zip(tested, diff_ids)) if one != two]
        steps = checkout.from_cache()
        whole = len(diff_ids) == len(tested) == len(self.project.layers) and len(steps) == 3
        good = self.expect(what, whole, len(diff_ids), len(tested), steps)
        if self.policy == 'strict':
            good = self.expect(what, not other, 'layers differ:', other) and good
            return self.expect(what, all(steps.values()), 'a step was run again:', steps) and good
        good = self.expect(what, not any(steps.values()), 'a step was not run again:', steps) and good
        good = self.expect(what, len(tested) - 1 in other, 'the step that dates by itself gave the same time') and good
        for number in other:
            dated, rest = differences(self.project.layers[number], layers[number])
            good = self.expect(what, bool(dated) and not rest, f'layer {number + 1}:', rest[:20]) and good
            self.facts['files with other times'] += len(dated)
        self.facts['layers of apt and pip the same to the bit'] += (2 not in other) + (4 not in other)
        return good

    def unchanged(self, number):
        what = f'round {number}'
        checkout = self.project.to_be_rebuilt()
        if number % 2 == 0:
            for path in checkout.copied():
                time_ns = self.choose.randrange(10**18)
                os.utime(path, ns=(time_ns, time_ns))
        self.times.append({path.stat().st_mtime_ns for path in checkout.copied()})
        verdict = self.rebuild(what, checkout)
        good = self.expect(what, verdict.admitted(), 'wanted it admitted, found', verdict.text()) and self.judge(what, checkout)
        if not good:
            say(f'{self.title}: {what}: what differs: {self.explain(checkout)}')
        self.admitted += good
        checkout.remove()

    def changed(self, number, change):
        what = f'round {number}, {change.name}'
        checkout = self.project.to_be_rebuilt()
        change.act(checkout)
        verdict = self.rebuild(what, checkout)
        named = [[name for name in change.names if name in text] for _, text in verdict.findings]
        good = verdict.code == 10 and {reason for reason, _ in verdict.findings} == {change.reason}
        good = good and all(named) and set(sum(named, [])) == set(change.names)
        if not self.expect(what, good, f'wanted {change.reason} of', change.names, 'found', verdict.text()):
            say(f'{self.title}: {what}: what differs: {self.explain(checkout)}')
        self.refused += good
        self.reasons[change.reason] += good
        checkout.remove()

    def run(self, rounds, first):
        for number in range(1, rounds + 1):
            if self.stand.given_up:
                return
            self.unchanged(number)
            self.changed(number, CHANGES[(first + number - 1) % len(CHANGES)])
            self.tried = number
            say(f'{self.title}: after round {number} {self.admitted} admitted, {self.refused} changes refused; '
                f'{self.seconds[-2]:.0f} s and {self.seconds[-1]:.0f} s')
        shared = any(one & two for place, one in enumerate(self.times) for two in self.times[:place])
        self.expect('file times', not shared, 'two checkouts have the same')

    def sweep(self, rounds, first):
        try:
            self.prepare()
            self.run(rounds, first)
        except BaseException:
            self.stand.given_up = True  # the other family ends with its round
            raise

    def control(self):
        """The layers came from the cache and from nowhere else: without it a step is run again, and nobody finds out."""
        self.stand.forget_cache()
        checkout = self.project.to_be_rebuilt()
        verdict = self.rebuild('the cache gone', checkout)
        good = verdict.code == NOT_FOUND_OUT and 'cannot be read' in verdict.err
        self.expect('the cache gone', good, 'wanted that nobody finds out, found', verdict.text())
        checkout.remove()
        return good

    def line(self):
        facts = ''.join(f'; {count} {name}' for name, count in sorted(self.facts.items()))
        reasons = ', '.join(f'{count} {reason}' for reason, count in sorted(self.reasons.items()))
        say(f'{self.title}: {self.admitted} of {self.tried} admitted{facts}')
        say(f'{self.title}: {self.refused} of {self.tried} changes refused ({reasons})')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('crategate')
    parser.add_argument('--rounds', type=int, default=20)
    parser.add_argument('--seed', type=int, default=random.randrange(1 << 32))
    parser.add_argument('--only', choices=('strict', 'content'))
    options = parser.parse_args()
    end_in_order()
    began, work, stand, findings = time.monotonic(), scratch(), None, Findings()
    try:
        stand = Stand(work, options.crategate)
        families = [Family(stand, findings, options.seed, policy, tested_on, rebuilt_on)
                    for policy, tested_on, rebuilt_on in (('strict', 'classic', 'containerd'), ('content', 'containerd', 'classic'))
                    if options.only in (None, policy)]
        with concurrent.futures.ThreadPoolExecutor() as side_by_side:
            # Where there are few rounds, each family sees other changes.
            list(side_by_side.map(lambda family, first: family.sweep(options.rounds, first), families, (0, len(CHANGES) // 2)))
        if options.only != 'content':
            say(f'strict without its cache: {"nobody finds out" if families[0].control() else "WRONG"}')
        for family in families:
            family.line()
    finally:
        if stand:
            stand.stop()
        shutil.rmtree(work, ignore_errors=True)
    for failure in findings.failures:
        print(f'FAILED {failure}')
    print(f'converge: {options.rounds} rounds in each family; {len(findings.failures)} failures; seed {options.seed}; '
          f'{time.monotonic() - began:.0f} s')
    return 1 if findings.failures else 0


if __name__ == '__main__':
    sys.exit(main())

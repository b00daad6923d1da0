#!/usr/bin/env python3
"""Kills a release of fourteen images at every request that it makes, and lets the next run finish or undo it.

usage: crash_sweep.py CRATEGATE SCENE [--whole]

Real processes, a real registry, SIGKILL: as a request arrives, and when it was carried out but not answered. Without
--whole a sample of the points. Prints one line per family.
"""
import json
import random
import shutil
import signal
import sys
import time

import judge
from parts import Stand, killer


class Sweep:
    def __init__(self, crategate, scene, whole):
        self.whole, self.failures = whole, []
        self.stand = Stand(crategate, scene)
        self.project, self.proxy = self.stand.project, self.stand.proxy
        self.registry = f'127.0.0.1:{self.stand.registry.port}'
        # One repository had no `latest` before: a first release of that cell.
        tags = self.stand.registry.data / 'docker/registry/v2/repositories/me/app-cuda-py3.14/_manifests/tags'
        shutil.rmtree(tags / 'latest')
        self.plan = self.project.plan()
        self.tested = {cell['key']: json.loads((self.project.root / '.crategate/records' / cell['key'] / 'record.json').read_text())
                       ['manifest_digest'] for cell in self.plan['cells']}

    def state(self):
        self.proxy.quiet()
        return judge.judge(self.registry, self.plan, self.before, self.tested)

    def begin(self):
        self.stand.keep()
        self.before = judge.snapshot(self.registry, self.plan)

    def requests(self, *command):
        self.stand.put_back()
        self.proxy.choose(None, None)
        self.project.must(*command)
        return self.proxy.count

    def die(self, command, number, before, sign=signal.SIGKILL):
        """The exit code, and how long it took from the signal."""
        started = []
        while not started:
            self.proxy.choose(number, lambda handler, body: killer(lambda: started[0], sign, before)(handler, body))
            started.append(self.project.start(*command))
        _, err = started[0].communicate(timeout=120)
        self.proxy.choose(None, None)
        return started[0].returncode, err

    def expect(self, what, condition, *details):
        if not condition:
            self.failures.append(f'{what}: ' + ' '.join(str(detail) for detail in details))

    def is_open(self):
        journals = list((self.project.root / '.crategate/journal').glob('*.json'))
        return any(json.loads(path.read_text())['state'] == 'open' for path in journals)

    def points(self, count, every):
        return range(1, count + 1) if self.whole else range(1 + random.randrange(every), count + 1, every)

    def finish(self, what, command):
        code, out, err = self.project.run(*command)
        state = self.state()
        self.expect(what, code == 0, 'the next run ended with', code, err)
        wanted = {'push': ('new', 'old'), 'release': ('new', 'new')}[command[0]]
        self.expect(what, (state['versions'], state['moving']) == wanted, state)
        self.expect(what, not state['broken'], state)

    def family(self, command, every):
        total, tried, begun = self.requests(*command), 0, 0
        for before in (True, False):
            for number in self.points(total, every):
                what = f'{" ".join(command)} killed {"before" if before else "after"} request {number}'
                self.stand.put_back()
                code, _ = self.die(command, number, before)
                self.expect(what, code == -signal.SIGKILL, 'ended with', code)
                state = self.state()
                self.expect(what, not state['broken'], state)
                unchanged = (state['versions'], state['moving']) == ({'push': ('old', 'old'), 'release': ('new', 'old')}[command[0]])
                whole = (state['versions'], state['moving']) == {'push': ('new', 'old'), 'release': ('new', 'new')}[command[0]]
                # Behind the last write there is one look more at what had been in place before.
                self.expect(what, unchanged or self.is_open() or whole, 'I3: tags changed without a journal', state)
                begun += 0 if unchanged else 1
                self.finish(what, command)
                tried += 1
        print(f'crash: {" ".join(command)}: {total} requests, killed at {tried} points ({begun} with visible changes), '
              'finished by the next run')

    def undone(self, every):
        """Killed half-way through the moving tags: `recover --back` puts every tag back."""
        total, tried = self.requests('release'), 0
        for number in self.points(total, every):
            what = f'release killed after request {number}, then recover --back'
            self.stand.put_back()
            self.die(('release',), number, False)
            code, _, err = self.project.run('recover', '--back')
            state = self.state()
            # This registry removes no tags: one that is new stays, and is named.
            orphans = state['moving'] == 'mixed' and 'app-cuda-py3.14:latest' in err
            self.expect(what, code == 0, code, err)
            self.expect(what, state['moving'] == 'old' or orphans, state, err)
            self.expect(what, not state['broken'], state)
            tried += 1
        print(f'crash: release, undone by recover --back: {tried} points')

    def twice(self, pairs):
        total = self.requests('release')
        for _ in range(pairs):
            first, second = random.randint(1, total), random.randint(1, total)
            what = f'release killed at {first}, its recovery at {second}'
            self.stand.put_back()
            self.die(('release',), first, random.random() < 0.5)
            self.die(('release',), second, random.random() < 0.5)
            self.finish(what, ('release',))
        print(f'crash: release and its recovery killed: {pairs} pairs')

    def run(self):
        self.begin()
        self.family(('push',), 20)
        self.cancel_of('push', 30)
        self.stand.put_back()
        self.project.must('push')
        self.stand.keep()
        self.family(('release',), 22)
        self.cancel_of('release', 30)
        self.undone(50)
        self.twice(200 if self.whole else 3)

    def cancel_of(self, name, every):
        total, tried, slowest = self.requests(name), 0, 0.0
        for number in self.points(total, every):
            what = f'{name} told to end at request {number}'
            self.stand.put_back()
            began = time.monotonic()
            sign, ends_with = random.choice(((signal.SIGTERM, 143), (signal.SIGINT, 130)))
            code, err = self.die((name,), number, True, sign)
            slowest = max(slowest, time.monotonic() - began)
            self.expect(what, code in (ends_with, 0), 'ended with', code, err)
            if 'mixed' in self.state().values():
                self.expect(what, 'the release is open: ' in err and '`crategate recover`' in err, 'said', err)
            self.finish(what, (name,))
            tried += 1
        print(f'cancel: {name}: SIGTERM or SIGINT at {tried} points, ended within {slowest:.1f} s, finished by the next run')


def main(arguments):
    whole = '--whole' in arguments
    seed = random.randrange(1 << 32)
    random.seed(seed)
    sweep = Sweep(arguments[0], arguments[1], whole)
    try:
        sweep.run()
    finally:
        sweep.stand.stop()
    for failure in sweep.failures[:20]:
        print(f'FAILED {failure}')
    print(f'{len(sweep.failures)} failures; seed {seed}')
    return 1 if sweep.failures else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
"""Releases into registries that are not as one would like them, and with a journal that has no room.

usage: odd_registries.py CRATEGATE SCENE [--whole]

Tags that do not move, no deletion, deletion of tags, read-only from some write on, tokens that expire, a full disk, a log
that nobody reads.
Real processes and real registries; a proxy adds what those do not do. Prints one line per family.
"""
import collections
import json
import multiprocessing
import os
import random
import re
import subprocess
import sys
import threading

import judge
from fault_sweep import refuse
from parts import Findings, Stand, end_in_order, end_with_parent, killer

PYTHONS = ['3.13', '3.14']
NEW_HERE = 'me/app-cuda-py3.14'  # had no `latest` before


def writes(request):
    return request.method in ('PUT', 'DELETE') and '/manifests/' in request.path


class Odd:
    def __init__(self, crategate, scene, make, findings):
        self.findings, self.make = findings, make
        self.stand = Stand(crategate, scene, make, pythons=PYTHONS)
        self.project, self.proxy = self.stand.project, self.stand.proxy
        self.registry = f'127.0.0.1:{self.stand.registry.port}'
        self.stand.registry.remove_tag(NEW_HERE, 'latest')
        self.plan, self.tested = self.project.plan(), self.project.tested()
        self.keep()

    def keep(self):
        self.stand.keep()
        self.before = judge.snapshot(self.registry, self.plan)

    def pushed(self):
        self.stand.put_back()
        self.project.must('push')
        self.keep()

    def state(self):
        self.proxy.quiet()
        return judge.judge(self.registry, self.plan, self.before, self.tested)

    def expect(self, what, condition, *details):
        return self.findings.expect(f'{self.make}: {what}', condition, *details)

    def finish(self, what, command):
        self.proxy.choose(None, None)
        code, out, err = self.project.run(command)
        state = self.state()
        wanted = {'push': ('new', 'old'), 'release': ('new', 'new')}[command]
        self.expect(what, code == 0 and (state['versions'], state['moving']) == wanted and not state['broken'],
                    'the next run ended with', code, state, out, err)

    def undone(self, what, state, err):
        """Moving tags are as before; what is new stays where the registry removes no tags, and is named."""
        left = state['moving'] == 'mixed' and f'{NEW_HERE}:latest' in err and self.make == 'distribution2'
        self.expect(what, state['moving'] == 'old' or left, 'not undone', state, err)
        return left

    def immutable(self, whole):
        """Tags that are there do not move, those that are not are created."""
        self.pushed()
        outcomes = collections.Counter()
        answers = [(405, 'UNSUPPORTED'), (409, 'TAG_IMMUTABLE'), (403, 'DENIED'), (400, 'TAG_IMMUTABLE')]
        for status, text in answers * 10 if whole else random.sample(answers, 2):
            what = f'tags that do not move ({status} {text})'
            self.stand.put_back()

            def refuse_existing(handler, body, refusal=refuse(status, text)):
                name, tag = handler.path.removeprefix('/v2/').split('/manifests/')
                there = not tag.startswith('sha256:') and judge.digest_of(self.registry, name, tag)
                refusal(handler, body) if handler.command == 'PUT' and there else handler.answer(*handler.forward(body))
            self.proxy.choose(1, refuse_existing, 'on', writes)
            code, out, err = self.project.run('release')
            state = self.state()
            # Without a tag that could be created first, nothing had to be undone.
            self.expect(what, code in (21, 50, 51) and 'me/app' in err, 'ended with', code, out, err)
            orphan = self.undone(what, state, err)
            outcomes[f'exit {code}' + (', a new tag stays and is named' if orphan else '')] += 1
            self.finish(what, 'release')
        print(f'odd: {self.make}: tags that do not move: ' + ', '.join(f'{times} {name}' for name, times in sorted(outcomes.items())))

    def taken_back(self, whole):
        """One write is refused for good, and others came first: undone."""
        self.pushed()
        outcomes = collections.Counter()
        for number in [2, 3, 4] * 10 if whole else random.sample([2, 3, 4], 2):
            what = f'refused at write {number}'
            self.stand.put_back()
            self.proxy.choose(number, refuse(403, 'DENIED'), 'once', lambda request: request.method == 'PUT' and writes(request))
            code, out, err = self.project.run('release')
            state = self.state()
            self.expect(what, code in (21, 51), 'ended with', code, out, err)
            orphan = self.undone(what, state, err)
            if self.make == 'distribution3':
                self.expect(what, state['moving'] == 'old', 'not wholly undone', state, err)
            self.expect(what, (code == 51) <= (self.project.journal() == 'rolled-back'), 'journal', self.project.journal())
            outcomes[f'exit {code}' + (', a new tag stays and is named' if orphan else '')] += 1
            self.finish(what, 'release')
        print(f'odd: {self.make}: refused half-way: ' + ', '.join(f'{times} {name}' for name, times in sorted(outcomes.items())))

    def read_only(self, whole):
        self.read_only_for('push', whole)
        self.pushed()
        self.read_only_for('release', whole)

    def read_only_for(self, command, whole):
        outcomes = collections.Counter()
        points = [(status, number) for status in (405, 503) for number in (range(1, 5) if whole else [random.randint(1, 4)])]
        for status, number in points:
            what = f'{command}, read-only ({status}) from write {number} on'
            self.stand.put_back()
            self.proxy.choose(number, refuse(status, 'UNSUPPORTED' if status == 405 else 'UNAVAILABLE'), 'on', writes)
            code, out, err = self.project.run(command)
            state = self.state()
            if status == 405:
                wanted = (21, 51, 52)
            else:
                wanted = (24, 51, 52) if command == 'release' else (24,)
            self.expect(what, code in wanted, 'ended with', code, out, err)
            self.expect(what, code != 52 or re.search(r'crategate registry (un)?tag \S+', err), 'no commands', err)
            self.expect(what, state['moving'] != 'mixed' or code == 52, 'mixed', code, state, err)
            outcomes[f'exit {code}'] += 1
            self.finish(what, command)
        print(f'odd: {self.make}: {command}, read-only from some write on: ' + ', '.join(f'{times} {name}' for name, times in sorted(outcomes.items())))

    def tokens(self, whole):
        """After some requests every token is too old, and new ones are given."""
        self.pushed()
        tries = 40 if whole else 4
        for _ in range(tries):
            self.stand.put_back()
            realm = TokenRealm(self.proxy.port, random.randint(1, 25))
            what = f'tokens for {realm.lasts} requests'
            self.proxy.choose(1, realm, 'on')
            code, out, err = self.project.run('release')
            state = self.state()
            self.expect(what, code == 0 and state['moving'] == 'new', 'ended with', code, state, out, err)
            self.expect(what, realm.generation > 0, 'none was ever too old')
        print(f'odd: {self.make}: tokens that expire in the middle: {tries} releases, finished')
        self.ending_token(tries)

    def ending_token(self, tries):
        """After some requests every token is too old, and none is given any more."""
        outcomes = collections.Counter()
        for _ in range(tries):
            self.stand.put_back()
            realm = TokenRealm(self.proxy.port, random.randint(1, 28), renews=False)
            what = f'tokens for {realm.lasts} requests, and no others'
            self.proxy.choose(1, realm, 'on')
            code, out, err = self.project.run('release')
            state = self.state()
            self.expect(what, code in (0, 20, 21, 51, 52), 'ended with', code, state, out, err)
            self.expect(what, state['moving'] != 'mixed' or code == 52, 'mixed', code, state, err)
            self.expect(what, code == 0 or f'localhost:{self.proxy.port}' in err, 'the message does not name the registry', err)
            outcomes[f'exit {code}'] += 1
            self.finish(what, 'release')
        print(f'odd: {self.make}: the login ends in the middle: ' + ', '.join(f'{times} {name}' for name, times in sorted(outcomes.items())))

    def full_disk(self, _):
        """The journal lies on a disk of its own, without room for it, then with room for all but its end."""
        check = subprocess.run(['unshare', '-m', 'mount', '-t', 'tmpfs', '-o', 'size=4k', 'none', '/mnt'], capture_output=True, text=True)
        if check.returncode != 0:
            print(f'odd: full disk: not tried, for no disk can be mounted: {check.stderr.strip()}')
            self.expect('full disk', os.environ.get('CI') != 'true', 'cannot mount', check.stderr)
            return
        self.pushed()
        for filled, wanted in (('yes', 'old'), ('no', 'new')):
            what = f'full disk, filled before: {filled}'
            self.stand.put_back()
            for journal in (self.project.root / '.crategate/journal').glob('*.json'):
                journal.unlink()
            script = ('mount -t tmpfs -o size=4k none .crategate/journal && { [ "$1" = no ] || head -c 4096 /dev/zero >.crategate/journal/filler; }\n'
                      'shift; "$@"; code=$?; cp .crategate/journal/*.json "$KEPT" 2>/dev/null; exit $code')
            kept = self.stand.work / 'kept-journal'
            process = subprocess.run(['unshare', '-m', 'sh', '-c', script, 'sh', filled, self.project.crategate, 'release'],
                                     cwd=self.project.root, env={**self.project.environment(), 'KEPT': str(kept)}, capture_output=True, text=True)
            state = self.state()
            self.expect(what, process.returncode == 41 and 'journal' in process.stderr, 'ended with', process.returncode, process.stderr)
            self.expect(what, state['moving'] == wanted, state, process.stderr)
            if wanted == 'new':
                left = kept.read_text() if kept.exists() else 'no journal'
                self.expect(what, '"state":"open"' in left, left, process.stderr)
            self.finish(what, 'release')
        print('odd: full disk: nothing written where the journal cannot begin, finished where it cannot end: exit 41')


    def unread(self, whole):
        """B38: the pipe of the log is full, and nobody reads it."""
        self.pushed()
        for back in (False, True):
            what = f'a log that nobody reads, {"undone" if back else "finished"}'
            self.stand.put_back()
            started = []
            self.proxy.choose(2, killer(lambda: started[0]), 'once', lambda request: request.writes_tag())
            started.append(self.project.start('release'))
            started[0].communicate(timeout=60)
            self.proxy.choose(None, None)
            self.proxy.quiet()
            reader, writer = os.pipe()
            os.set_blocking(writer, False)
            try:
                while True:
                    os.write(writer, b'x' * 4096)
            except BlockingIOError:
                os.set_blocking(writer, True)
            words = ['recover', '--back'] if back else ['release']
            process = subprocess.run([self.project.crategate, *words], cwd=self.project.root, env=self.project.environment(),
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=writer, timeout=60, check=False)
            os.close(writer)
            os.close(reader)
            state = self.state()
            wanted = ('rolled-back', ('old', 'mixed')) if back else ('done', ('new',))
            self.expect(what, process.returncode == 0 and state['moving'] in wanted[1] and self.project.journal() == wanted[0],
                        process.returncode, state, self.project.journal())
        print('odd: a log that nobody reads: finished, undone')


class TokenRealm:
    """Demands a token of every request and gives them; after `lasts` requests all that were given are too old.

    Not while anybody has a new one that was not used yet: no token ends within milliseconds.
    """

    def __init__(self, port, lasts, renews=True):
        self.port, self.lasts, self.renews = port, lasts, renews
        self.requests, self.generation, self.asked = 0, 0, collections.Counter()
        self.lock = threading.Lock()

    def __call__(self, handler, body):
        if handler.path.startswith('/token'):
            return self.give(handler)
        with self.lock:
            good = handler.headers.get('Authorization') == f'Bearer token{self.generation}'
            which = (handler.command, handler.path)
            if good:
                self.requests += 1
                self.asked -= collections.Counter([which])
            else:
                self.asked[which] += 1
            if self.requests >= self.lasts and not self.asked:
                self.generation = 1
        if good:
            return handler.answer(*handler.forward(body))
        path = handler.path.removeprefix('/v2/')
        for word in ('/manifests/', '/blobs/', '/tags/'):
            path = path.split(word)[0]
        challenge = f'Bearer realm="http://localhost:{self.port}/token",service="odd",scope="repository:{path}:pull,push"'
        return refuse(401, 'UNAUTHORIZED', ('WWW-Authenticate', challenge))(handler, body)

    def give(self, handler):
        if self.generation > 0 and not self.renews:
            return refuse(401, 'UNAUTHORIZED')(handler, None)
        token = {'token': f'token{self.generation}', 'expires_in': 300}
        return handler.answer(200, [('Content-Type', 'application/json')], json.dumps(token).encode())


FAMILIES = [('distribution2', 'read_only'), ('distribution2', 'tokens'), ('distribution2', 'full_disk'), ('distribution2', 'unread'),
            ('distribution2', 'immutable'), ('distribution2', 'taken_back'), ('distribution3', 'immutable'), ('distribution3', 'taken_back')]


def work(arguments, family, whole, results):
    end_with_parent()
    end_in_order()
    findings = Findings()
    try:
        odd = Odd(*arguments, family[0], findings)
        try:
            getattr(odd, family[1])(whole)
        finally:
            odd.stand.stop()
    except BaseException as error:  # what ends a family is one of its findings
        findings.expect(' '.join(family), False, repr(error))
    results.put(findings.failures)


def main(arguments):
    """The families side by side: most of their time they wait for writes that may be late."""
    end_in_order()
    findings, results, seed = Findings(), multiprocessing.Queue(), random.randrange(1 << 32)
    started = []
    for number, family in enumerate(FAMILIES):
        random.seed(seed + number)
        started.append(multiprocessing.Process(target=work, args=(arguments[:2], family, '--whole' in arguments, results)))
        started[-1].start()
    try:
        for _ in started:
            findings.failures += results.get(timeout=3600)
    finally:
        for process in started:
            process.terminate()
    return findings.end(seed)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
"""Two releases at once, a release and a schedule run at once, and a person who moves a tag meanwhile.

usage: races.py CRATEGATE SCENE [--rounds N] [--whole]

Real processes and a real registry. The images of two runs differ, so the digest of what is written says who wrote it.
Under a lease exactly one publishes, and the other ends with 50 having written nothing. Without a lease a race is seen by
one of them at least, or lies in the window that it prints. A person's tag is kept and reported, or was written in that
window. Prints one line per family.
"""
import collections
import http.client
import json
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import judge
from parts import Findings, Project, Stand, end_in_order, killer

PYTHONS = ['3.13', '3.14']
WINDOW = re.compile(r'unprotected for ([0-9.]+) ms')
HALF_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'


def window_of(text):
    found = WINDOW.search(text)
    return float(found.group(1)) / 1000 if found else 0.0


class Runner:
    """One of the two: its project, and what it did in the last round."""

    def __init__(self, project):
        self.project, self.code, self.text = project, None, ''
        self.tested = project.tested()

    def writes(self, log):
        own = set(self.tested.values())
        return [request for request in log if request.writes_tag() and request.digest in own]


class Races:
    def __init__(self, crategate, scene, rounds, findings):
        self.rounds, self.findings = rounds, findings
        self.stand = Stand(crategate, scene, pythons=PYTHONS)
        self.registry = f'127.0.0.1:{self.stand.registry.port}'
        first = self.stand.project
        self.lease = self.stand.work / 'lease.git'
        subprocess.run(['git', 'init', '--quiet', '--bare', self.lease], check=True)
        self.older, self.newer = Runner(first), Runner(self.another('newer', 'v1.2.0'))
        self.schedule = Runner(self.another('schedule', 'v1.1.0', event='schedule'))
        self.everybody = [self.older, self.newer, self.schedule]
        self.outcomes = collections.Counter()

    def another(self, name, version, event=None):
        project = Project(self.stand.work, self.stand.project.prefix, self.stand.project.crategate, self.stand.project.scene,
                          pythons=PYTHONS, release=(version,), name=name)
        if event:
            project.prepare(event, 'refs/heads/main')
        return project

    def with_lease(self, on):
        for runner in self.everybody:
            settings = runner.project.root / 'crategate.yml'
            text = settings.read_text().split('release:')[0]
            settings.write_text(text + (f'release: {{lease: git, lease-remote: "{self.lease}"}}\n' if on else ''))

    def keep(self):
        self.stand.registry.keep_tags()
        for runner in self.everybody:
            runner.project.keep()
        self.before = judge.snapshot(self.registry, self.newer.project.plan())

    def put_back(self):
        self.stand.proxy.choose(None, None)
        self.stand.proxy.quiet()
        self.stand.registry.put_tags_back()
        for runner in self.everybody:
            runner.project.put_back()
        shutil.rmtree(self.lease / 'refs/crategate', ignore_errors=True)
        (self.lease / 'packed-refs').unlink(missing_ok=True)

    def at_once(self, runners, command):
        pause = random.choice([0, 0, 0.002, 0.005, 0.01, 0.03])
        self.stand.proxy.delay = lambda: random.random() * 0.004
        started = []
        for runner in runners:
            started.append(runner.project.start(command))
            time.sleep(pause)
        for runner, process in zip(runners, started):
            out, err = process.communicate(timeout=300)
            runner.code, runner.text = process.returncode, out + err
        self.stand.proxy.delay = lambda: 0.0
        self.stand.proxy.quiet()
        return list(self.stand.proxy.log)

    def names(self, runners, tag):
        """Whose image each repository's `tag` names: a set."""
        now = judge.snapshot(self.registry, runners[0].project.plan())
        owners = set()
        for cell in runners[0].project.plan()['cells']:
            found = now[judge.repository(cell['image'])].get(tag)
            owners.add(next((index for index, runner in enumerate(runners) if runner.tested[cell['key']] == found), None))
        return owners

    def family(self, title, runners, command, tag, lease):
        """`runners`: the one whose images stay when both had their turn comes last."""
        self.with_lease(lease)
        self.outcomes = collections.Counter()
        for number in range(self.rounds):
            what = f'{title}, round {number}'
            self.put_back()
            order = random.sample(runners, 2)
            log = self.at_once(order, command)
            codes = sorted(runner.code for runner in runners)
            text = '\n'.join(runner.text for runner in runners)
            self.findings.expect(what, set(codes) <= {0, 50}, 'ended with', codes, text)
            (self.judge_leased if lease else self.judge_free)(what, runners, tag, log, text)
            self.again(what, runners, command, tag)
        print(f'race: {title}, {"leased" if lease else "no lease"}: {self.rounds} rounds: ' +
              ', '.join(f'{times} {name}' for name, times in sorted(self.outcomes.items())))

    def judge_leased(self, what, runners, tag, log, text):
        losers = [runner for runner in runners if runner.code == 50]
        writers = [runner for runner in runners if runner.writes(log)]
        for loser in losers:
            self.findings.expect(what, not loser.writes(log), 'wrote after it lost', loser.writes(log), text)
            self.findings.expect(what, 'lease' in loser.text or 'somebody else wrote it' in loser.text, 'no reason', loser.text)
        self.findings.expect(what, len(losers) < 2, 'nobody won', text)
        spans = sorted((min(request.began for request in writes), max(request.ended for request in writes))
                       for writes in (runner.writes(log) for runner in writers))
        self.findings.expect(what, len(spans) < 2 or spans[0][1] <= spans[1][0], 'both wrote at once', spans, text)
        self.findings.expect(what, len(self.names(runners, tag)) == 1, 'mixed', text)
        self.outcomes['one won' if losers else 'one after the other'] += 1

    def judge_free(self, what, runners, tag, log, text):
        owners = self.names(runners, tag)
        if any(runner.code for runner in runners):
            seen = [runner for runner in runners if runner.code == 50]
            self.findings.expect(what, all('somebody else moved it' in runner.text or 'found sha256' in runner.text for runner in seen),
                                 'no reason', text)
            self.outcomes[f'seen by {"both" if len(seen) == 2 else "one"}'] += 1
            return
        self.findings.expect(what, len(owners) == 1 and None not in owners, 'both ended well, tags of', owners, text)
        if owners == {len(runners) - 1}:
            self.outcomes['one after the other'] += 1
            return
        self.judge_window(what, runners, log, text)

    def judge_window(self, what, runners, log, text):
        """The older one has the last word: each of its writes that undid the other's lay in the window that it printed."""
        first, last = runners
        window = window_of(first.text)
        for write in first.writes(log):
            undone = [other for other in last.writes(log) if other.path == write.path and other.began < write.ended]
            inside = all(other.ended >= write.ended - window - 0.05 for other in undone)
            self.findings.expect(what, inside, f'overwritten outside of the window of {window} s', write, undone, text)
        self.outcomes['in the printed window'] += 1

    def again(self, what, runners, command, tag):
        for runner in runners:
            code, out, err = runner.project.run(command)
            self.findings.expect(what, code == 0, 'again ended with', code, out, err)
        self.findings.expect(what, len(self.names(runners, tag)) == 1, 'mixed after both ran again')
        if tag == 'latest':
            self.findings.expect(what, self.names(runners, tag) == {1}, 'the older version stayed', self.names(runners, tag))

    def run(self):
        two, mixed = [self.older, self.newer], [self.older, self.schedule]
        self.keep()
        for lease in (True, False):
            self.family('release and schedule', mixed, 'push', 'v1.1.0', lease)
        self.with_lease(False)
        self.put_back()
        for runner in two:
            runner.project.must('push')
        self.keep()
        for lease in (True, False):
            self.family('two releases', two, 'release', 'latest', lease)


class Person:
    """Moves one `latest` to an image of their own, straight in the registry, while crategate makes its requests."""

    def __init__(self, races):
        self.races, self.findings = races, races.findings
        self.runner, self.stand = races.newer, races.stand
        self.project, self.proxy = self.runner.project, races.stand.proxy
        self.cell = self.project.plan()['cells'][0]
        self.name = judge.repository(self.cell['image'])
        self.path = f'/v2/{self.name}/manifests/latest'
        _, manifest = judge.get(races.registry, f'{self.name}/manifests/v1.0.0')
        self.manifest = json.dumps({**json.loads(manifest), 'annotations': {'by': 'a person'}}).encode()
        races.with_lease(False)
        races.put_back()
        self.digest = self.move('person')
        races.keep()

    def move(self, tag='latest'):
        connection = http.client.HTTPConnection(self.races.registry, timeout=60)
        connection.request('PUT', f'/v2/{self.name}/manifests/{tag}', self.manifest, {'Content-Type': HALF_MANIFEST})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.headers['Docker-Content-Digest']

    def act(self, before):
        def fault(handler, body):
            if not before:
                answer = handler.forward(body)
            self.began = time.monotonic()
            self.move()
            self.ended = time.monotonic()
            handler.answer(*(handler.forward(body) if before else answer))
        return fault

    def named(self):
        return judge.digest_of(self.races.registry, self.name, 'latest')

    def requests(self, of=lambda request: True):
        self.races.put_back()
        self.proxy.choose(None, None, of=of)
        self.project.must('release')
        return self.proxy.count

    def in_a_release(self, every):
        """At `every`th request, and at each one for that very tag."""
        outcomes = collections.Counter()
        for of, step in ((lambda request: True, every), (lambda request: request.path == self.path, 1)):
            total = self.requests(of)
            for number in range(1 + random.randrange(step), total + 1, step):
                for before in (True, False):
                    outcomes[self.once(number, of, before)] += 1
        print(f'person: {sum(outcomes.values())} moves during a release: ' +
              ', '.join(f'{times} {name}' for name, times in sorted(outcomes.items())))

    def once(self, number, of, before):
        self.races.put_back()
        self.proxy.choose(number, self.act(before), of=of)
        code, out, err = self.project.run('release')
        log, met = list(self.proxy.log), self.proxy.met
        if not met:
            return 'never, for the run made fewer requests'
        what = f'a person moves a tag {"before" if before else "after"} request {number} ({met.method} {met.path})'
        outcome = self.outcome(what, code, out + err, log)
        code, out, err = self.project.run('release')
        self.findings.expect(what, code == 0, 'the next run ended with', code, out, err)
        return outcome

    def outcome(self, what, code, text, log):
        own = [request for request in log if request.path == self.path]
        # A look that was under way while they wrote may have seen either.
        looks = [request for request in own if request.method in ('GET', 'HEAD')]
        looks_before = [look for look in looks if look.ended <= self.began]
        looks_after = [look for look in looks if look.began >= self.ended]
        reported = code in (50, 52) and f'{self.name}:latest' in text
        if self.named() == self.digest:
            self.findings.expect(what, reported or (code == 0 and not looks_after), 'kept and not reported, exit', code, text, own)
            return 'kept and reported' if reported else 'kept, after the last look'
        writes = [request for request in own if request.method == 'PUT']
        self.findings.expect(what, self.named() == self.runner.tested[self.cell['key']], 'names neither', self.named(), text)
        self.findings.expect(what, code == 0, 'ended with', code, text)
        if not looks_before:
            return 'seen by the first look'
        window = window_of(text)
        between = [look for look in looks_after if look.ended <= writes[-1].began]
        inside = not between and window > 0 and self.began >= writes[-1].ended - window - 0.05
        self.findings.expect(what, inside, f'overwritten outside of the window of {window} s', own, self.began, self.ended, text)
        return 'in the printed window'

    def in_a_recovery(self, every):
        total, outcomes = self.requests(), collections.Counter()
        for number in range(1 + random.randrange(every), total + 1, every):
            what = f'a person moves a tag after a release that died at request {number}'
            self.races.put_back()
            started = []
            self.proxy.choose(number, lambda handler, body: killer(lambda: started[0])(handler, body))
            started.append(self.project.start('release'))
            started[0].communicate(timeout=120)
            self.proxy.choose(None, None)
            self.proxy.quiet()
            was_open = self.project.journal() == 'open' and started[0].returncode == -signal.SIGKILL
            self.move()
            code, out, err = self.project.run('release')
            if not was_open:
                outcomes['nothing was open'] += 1
                self.findings.expect(what, code == 0, 'ended with', code, out, err)
                continue
            self.kept(what, code, out + err)
            outcomes['kept, reported, finished around it'] += 1
        print(f'person: {sum(outcomes.values())} moves before a recovery: ' +
              ', '.join(f'{times} {name}' for name, times in sorted(outcomes.items())))

    def kept(self, what, code, text):
        self.findings.expect(what, code == 52 and f'{self.name}:latest' in text and 'crategate registry tag ' in text, 'exit', code, text)
        self.findings.expect(what, self.named() == self.digest, 'theirs was overwritten', text)
        direction = random.choice(['--forward', '--back'])
        code, out, err = self.project.run('recover', direction)
        self.findings.expect(what, code in (0, 50, 52) and f'{self.name}:latest' in err, 'recover', direction, code, out, err)
        self.findings.expect(what, self.named() == self.digest, 'theirs was overwritten by recover', direction, out, err)
        self.findings.expect(what, self.project.journal() != 'open', 'recover', direction, 'left the journal open', out, err)
        code, out, err = self.project.run('release')
        self.findings.expect(what, code == 0, 'the release after it ended with', code, out, err)


def main(arguments):
    whole = '--whole' in arguments
    rounds = int(arguments[arguments.index('--rounds') + 1]) if '--rounds' in arguments else 200 if whole else 8
    end_in_order()
    seed = random.randrange(1 << 32)
    random.seed(seed)
    findings = Findings()
    races = Races(arguments[0], arguments[1], rounds, findings)
    try:
        races.run()
        person = Person(races)
        person.in_a_release(1 if whole else 5)
        person.in_a_recovery(1 if whole else 7)
    finally:
        races.stand.stop()
    return findings.end(seed)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

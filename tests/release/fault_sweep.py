#!/usr/bin/env python3
"""Meets every request of push and of release with every fault, and lets the next run finish.

usage: fault_sweep.py CRATEGATE SCENE [--whole | --cells N]

Real processes and a real registry behind a proxy. Without --whole a sample of the cells, or N of them. Each ends with everything new,
or with a documented exit code, a message that names the thing and nothing mixed; the next run, without the fault, makes
everything new. Prints one line per fault.
"""
import collections
import hashlib
import multiprocessing
import random
import re
import sys
import threading
import time

import judge
from parts import Findings, Stand, end_in_order, end_with_parent

DOCUMENTED = {20, 21, 22, 23, 24, 25, 31, 41, 50, 51, 52}
SETTINGS = 'candidate: "me/tested"\n'


def refuse(status, code='', *headers):
    data = f'{{"errors": [{{"code": "{code}", "message": "by the sweep"}}]}}'.encode() if code else b'<html>by the sweep</html>'
    kind = 'application/json' if code else 'text/html'

    def fault(handler, _):
        handler.answer(status, [('Content-Type', kind), *headers], b'' if handler.command == 'HEAD' else data)
    return fault


def cut_before(handler, _):
    handler.cut()


def cut_after(handler, body):
    handler.forward(body)
    handler.cut()


def cut_within(handler, body):
    status, headers, data = handler.forward(body)
    if len(data) > 1:
        headers = [(name, value) for name, value in headers if name.lower() != 'content-length']
        handler.answer(status, [*headers, ('Content-Length', str(len(data)))], data[:len(data) // 2])
    handler.cut()


def with_digest(headers, digest):
    return [(name, digest if name.lower() == 'docker-content-digest' else value) for name, value in headers]


def wrong_digest(handler, body):
    status, headers, data = handler.forward(body)
    handler.answer(status, with_digest(headers, 'sha256:' + '0' * 64), data)


def other_bytes(handler, body):
    """The same for a reader, with another digest, which the answer announces."""
    status, headers, data = handler.forward(body)
    data = data.replace(b'{', b'{ ', 1)
    digest = 'sha256:' + hashlib.sha256(data).hexdigest()
    headers = [(name, value) for name, value in with_digest(headers, digest) if name.lower() != 'content-length']
    handler.answer(status, headers, data)


def slow(handler, body):
    time.sleep(1.5)
    handler.answer(*handler.forward(body))


def created(handler):
    reference = handler.path.rsplit('/', 1)[1]
    digest = reference if reference.startswith('sha256:') else handler.entry.digest
    handler.answer(201, [('Location', handler.path), ('Docker-Content-Digest', digest)], b'')


def late(handler, body):
    """Acknowledged, and carried out a while later."""
    created(handler)
    # The handler goes on to the next request of its connection.
    far, path, headers = handler.new_far(), handler.path, dict(handler.headers.items())

    def carry_out():
        time.sleep(1.2)
        far.request('PUT', path, body, headers)
        far.getresponse().read()
    thread = threading.Thread(target=carry_out)
    thread.start()
    handler.server.late.append(thread)


def forgets(handler, _):
    created(handler)


def any_request(_):
    return True


def manifest(request):
    return '/manifests/' in request.path


def read_manifest(request):
    return manifest(request) and request.method == 'GET'


def read_content(request):
    return request.method == 'GET' and ('/manifests/' in request.path or '/blobs/' in request.path)


def put(request):
    return request.method == 'PUT'


def put_manifest(request):
    return put(request) and manifest(request)


# name → what is done, to which requests, how often. `forgets` takes as long as the client waits for a slow registry.
FAULTS = {
    '500 once': (refuse(500, 'UNKNOWN'), any_request, 'once'),
    '500 always': (refuse(500, 'UNKNOWN'), any_request, 'same'),
    '502 once': (refuse(502), any_request, 'once'),
    '503 from there on': (refuse(503, 'UNAVAILABLE'), any_request, 'on'),
    '429 once': (refuse(429, 'TOOMANYREQUESTS', ('Retry-After', '1')), any_request, 'once'),
    '429 from there on': (refuse(429, 'TOOMANYREQUESTS', ('Retry-After', '600')), any_request, 'on'),
    '401 once': (refuse(401, 'UNAUTHORIZED', ('WWW-Authenticate', 'Basic realm="sweep"')), any_request, 'once'),
    '401 from there on': (refuse(401, 'UNAUTHORIZED', ('WWW-Authenticate', 'Basic realm="sweep"')), any_request, 'on'),
    '403 once': (refuse(403, 'DENIED'), any_request, 'once'),
    '403 always': (refuse(403, 'DENIED'), any_request, 'same'),
    '404 of no registry': (refuse(404), any_request, 'once'),
    '404 of no registry, always': (refuse(404), any_request, 'same'),
    '405 once': (refuse(405, 'UNSUPPORTED'), put, 'once'),
    '405 from there on': (refuse(405, 'UNSUPPORTED'), put, 'on'),
    'cut before': (cut_before, any_request, 'once'),
    'cut from there on': (cut_before, any_request, 'on'),
    'cut after': (cut_after, any_request, 'once'),
    'cut within the answer': (cut_within, any_request, 'once'),
    'cut within every answer': (cut_within, any_request, 'same'),
    'wrong digest': (wrong_digest, manifest, 'once'),
    'wrong digest, always': (wrong_digest, manifest, 'same'),
    'other bytes': (other_bytes, read_content, 'once'),
    'other bytes, always': (other_bytes, read_content, 'same'),
    'slow': (slow, any_request, 'once'),
    'late': (late, put_manifest, 'once'),
    'forgets': (forgets, put_manifest, 'once'),
}
SAMPLED = [name for name in FAULTS if name != 'forgets']


class Worker:
    """One stand, and the cells that it tries."""

    def __init__(self, crategate, scene):
        self.stand = Stand(crategate, scene, pythons=['3.13', '3.14'], settings=SETTINGS)
        self.stand.proxy.server.late = []
        self.project, self.proxy = self.stand.project, self.stand.proxy
        self.registry = f'127.0.0.1:{self.stand.registry.port}'
        self.plan, self.tested = self.project.plan(), self.project.tested()
        # One repository had no `latest` before: a first release of that cell.
        self.stand.registry.remove_tag('me/app-cuda-py3.14', 'latest')
        self.before, self.kept = {}, {}
        self.keep('push')
        self.project.must('push')
        self.keep('release')

    def keep(self, command):
        self.kept[command] = self.stand.work / command
        self.stand.registry.keep_all(self.kept[command] / 'registry')
        self.project.keep(self.kept[command] / 'project')
        self.before[command] = judge.snapshot(self.registry, self.plan)

    def put_back(self, command):
        self.proxy.choose(None, None)
        self.quiet()
        self.stand.registry.put_all_back(self.kept[command] / 'registry')
        self.project.put_back(self.kept[command] / 'project')

    def quiet(self):
        self.proxy.quiet()
        while self.proxy.server.late:
            self.proxy.server.late.pop().join()

    def state(self, command):
        self.quiet()
        return judge.judge(self.registry, self.plan, self.before[command], self.tested)

    def requests(self, command, of):
        self.put_back(command)
        self.proxy.choose(None, None, of=of)
        self.project.must(command)
        return self.proxy.count

    def try_cell(self, command, name, number):
        """The exit code under the fault, whether it was met, and what did not hold."""
        fault, of, how = FAULTS[name]
        findings, what = Findings(), f'{command}, {name} at request {number}'
        self.put_back(command)
        self.proxy.choose(number, fault, how, of)
        began = time.monotonic()
        code, out, err = self.project.run(command)
        took, met = time.monotonic() - began, self.proxy.met
        what += f' ({met.method} {met.path})' if met else ' (not met)'
        writes = [request.digest for request in self.proxy.log if request.writes_tag()]
        state = self.state(command)
        known = {*self.tested.values(), *(digest for tags in self.before[command].values() for digest in tags.values())}
        findings.expect(what, known.issuperset(writes), 'I1: wrote', writes)
        findings.expect(what, not state['broken'], state)
        wanted = {'push': ('new', 'old'), 'release': ('new', 'new')}[command]
        if code == 0:
            findings.expect(what, (state['versions'], state['moving']) == wanted, 'exit 0 with', state)
        else:
            self.judge_failure(findings, what, command, code, state, err)
        self.proxy.choose(None, None)
        again, _, err_again = self.project.run(command)
        state = self.state(command)
        findings.expect(what, again == 0, 'ended with', code, err, 'then with', again, err_again)
        findings.expect(what, (state['versions'], state['moving']) == wanted, 'after the next run', state, err, err_again)
        findings.expect(what, not state['broken'], state)
        return code, met is not None, took, findings.failures

    def judge_failure(self, findings, what, command, code, state, err):
        findings.expect(what, code in DOCUMENTED, 'ended with', code, err)
        shown = err.strip().splitlines()[-2:]
        names = re.search(rf'^crategate: {code} .*(localhost:{self.proxy.port}|me/app|me/tested|cell c)', shown[0] if shown else '')
        findings.expect(what, names and shown[-1].startswith('→ '), 'the message does not name the thing:', err)
        orphans = code == 51 and 'me/app-cuda-py3.14:latest' in err
        findings.expect(what, state['moving'] != 'mixed' or code == 52 or orphans, 'moving tags are mixed', code, state, err)
        unchanged = (state['versions'], state['moving']) == {'push': ('old', 'old'), 'release': ('new', 'old')}[command]
        # Behind the last write there is one look more at what had been in place before.
        whole = (state['versions'], state['moving']) == {'push': ('new', 'old'), 'release': ('new', 'new')}[command]
        journal = self.project.journal()
        known = journal == 'open' or code in (50, 51) or (whole and journal == 'done')
        findings.expect(what, unchanged or known, 'I3: tags changed, journal', journal, state)
        findings.expect(what, (code == 51) <= (journal == 'rolled-back'), 'undone, journal', journal)


def work(arguments, worker_number, tasks, results):
    end_with_parent()
    end_in_order()
    try:
        worker = Worker(*arguments)
        try:
            if worker_number == 0:
                results.put({(command, name): worker.requests(command, fault[1])
                             for command in ('push', 'release') for name, fault in FAULTS.items()})
            while (task := tasks.get()) is not None:
                results.put((task, worker.try_cell(*task)))
        finally:
            worker.stand.stop()
    except BaseException as error:  # the sweep must not wait for a worker that is gone
        results.put(RuntimeError(repr(error)))


def chosen(counts, whole, cells):
    every = [(command, name, number) for (command, name), count in counts.items() for number in range(1, count + 1)]
    if whole:
        return every
    if cells:
        return random.sample(every, min(cells, len(every)))
    # Each fault once, and some more where tags are written, which is at the end.
    sampled = {key: count for key, count in counts.items() if key[1] in SAMPLED}
    sample = [(command, name, random.randint(1, count)) for (command, name), count in sampled.items()]
    for command, name in random.sample(sorted(sampled), 14):
        sample.append((command, name, random.randint(max(1, counts[command, name] - 14), counts[command, name])))
    return sample


class Sweep:
    def __init__(self, arguments, workers, whole, cells):
        context = multiprocessing.get_context('fork')
        self.whole, self.cells, self.tasks, self.results = whole, cells, context.Queue(), context.Queue()
        self.processes = [context.Process(target=work, args=(arguments, number, self.tasks, self.results)) for number in range(workers)]
        self.findings = Findings()

    def result(self):
        found = self.results.get(timeout=400)
        if isinstance(found, BaseException):
            raise found
        return found

    def run(self):
        for process in self.processes:
            process.start()
        cells = chosen(self.result(), self.whole, self.cells)
        random.shuffle(cells)
        cells.sort(key=lambda cell: cell[1] != 'forgets')  # what takes long goes first
        for cell in cells:
            self.tasks.put(cell)
        for _ in self.processes:
            self.tasks.put(None)
        ends, missed, slowest = collections.defaultdict(collections.Counter), 0, (0.0, None)
        for _ in cells:
            (command, name, number), (code, met, took, failures) = self.result()
            ends[command, name][code] += 1
            missed += 0 if met else 1
            slowest = max(slowest, (took, f'{command}, {name}, {number}'))
            self.findings.failures += failures
        for (command, name), codes in sorted(ends.items()):
            shown = ', '.join(f'exit {code} {times}' for code, times in sorted(codes.items()))
            print(f'fault: {command}: {name}: {sum(codes.values())} cells: {shown}')
        print(f'faults: {len(cells)} cells ({missed} where the run made fewer requests), slowest {slowest[0]:.1f} s ({slowest[1]})')
        for process in self.processes:
            process.join()


def main(arguments):
    whole = '--whole' in arguments
    seed = random.randrange(1 << 32)
    random.seed(seed)
    cells = int(arguments[arguments.index('--cells') + 1]) if '--cells' in arguments else 0
    sweep = Sweep(arguments[:2], 12 if whole else 6, whole, cells)
    end_in_order()
    try:
        sweep.run()
    finally:
        for process in sweep.processes:
            if process.is_alive():
                process.terminate()
    return sweep.findings.end(seed)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

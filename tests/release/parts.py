"""What the sweeps over a real release stand on: a real registry, a proxy before it that kills and spoils, a project.

Not here: what is tried (crash_sweep, fault_sweep, races, odd_registries), whether it went well (judge).
"""
import ctypes
import dataclasses
import hashlib
import http.client
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

PRCTL = ctypes.CDLL(None).prctl
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
CONFIGURATION = '''version: {file: VERSION}
axes:
  python: {file: PYTHON_VERSIONS}
  runtime: {cpu: {}, cuda: {}}
image: "me/app-{cell}"
generate: {output: "Dockerfile.{cell}"}
'''
PYTHONS = ['3.8', '3.9', '3.10', '3.11', '3.12', '3.13', '3.14']


def program(name):
    return subprocess.run([ROOT / 'tools/engine', 'program', name], check=True, capture_output=True, text=True).stdout.strip()


def end_with_parent():
    """A sweep that is killed leaves no registry behind."""
    PRCTL(1, signal.SIGTERM)


def end_in_order():
    """SIGTERM ends a sweep as Ctrl-C does: with what it has started stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def free_port():
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


def scratch():
    memory = shutil.disk_usage('/dev/shm').free if os.path.isdir('/dev/shm') else 0
    return pathlib.Path(tempfile.mkdtemp(prefix='crategate-release-', dir='/dev/shm' if memory > 2 << 30 else None))


class Registry:
    """distribution, with its store on this machine's disk, so that its tags can be put back as they were."""

    def __init__(self, work, make='distribution2', deletes=True):
        self.port, self.data = free_port(), work / 'registry'
        self.tags = work / 'tags'
        config = work / 'registry.yml'
        config.write_text('version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n'
                          f'storage:\n  filesystem: {{rootdirectory: "{self.data}"}}\n  delete: {{enabled: {str(deletes).lower()}}}\n'
                          f'http: {{addr: "127.0.0.1:{self.port}"}}\n')
        self.process = subprocess.Popen([program(make), 'serve', config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        preexec_fn=end_with_parent)
        for _ in range(400):
            try:
                urllib.request.urlopen(f'http://127.0.0.1:{self.port}/v2/', timeout=5).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit('release: the registry does not answer')

    def _folders(self):
        return (self.data / 'docker/registry/v2/repositories').glob('me/*/_manifests')

    def keep_all(self, place):
        """With what each repository has, so that staging is needed again."""
        shutil.copytree(self.data / 'docker/registry/v2/repositories', place)

    def put_all_back(self, place):
        shutil.rmtree(self.data / 'docker/registry/v2/repositories')
        shutil.copytree(place, self.data / 'docker/registry/v2/repositories')

    def remove_tag(self, repository, tag):
        shutil.rmtree(self.data / 'docker/registry/v2/repositories' / repository / '_manifests/tags' / tag)

    def keep_tags(self):
        shutil.rmtree(self.tags, ignore_errors=True)
        for folder in self._folders():
            if (folder / 'tags').is_dir():
                shutil.copytree(folder / 'tags', self.tags / folder.parent.name)

    def put_tags_back(self):
        for folder in self._folders():
            shutil.rmtree(folder / 'tags', ignore_errors=True)
            if (self.tags / folder.parent.name).is_dir():
                shutil.copytree(self.tags / folder.parent.name, folder / 'tags')

    def stop(self):
        self.process.terminate()
        self.process.wait()


@dataclasses.dataclass
class Request:
    """That passed the proxy. `status`: what the client was told; None: nothing (yet)."""
    method: str
    path: str
    digest: str  # of the body
    began: float
    ended: float = 0.0
    status: int = None

    def writes_tag(self):
        return self.method == 'PUT' and '/manifests/' in self.path and '/manifests/sha256:' not in self.path


class Proxy:
    """Hands every request on, counts and lists them, and does `what` with the one that was chosen, or what `rule` picks."""

    def __init__(self, target):
        proxy = self
        self.target, self.busy, self.lock = target, 0, threading.Condition()
        self.delay = lambda: 0.0
        self.rule = None  # request -> what is done with it, or None; asked one request at a time
        self.choose(None, None)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def log_message(self, *_):
                pass

            def setup(self):
                super().setup()
                self.far = None

            def new_far(self):
                return http.client.HTTPConnection('127.0.0.1', proxy.target, timeout=60)

            def forward(self, body):
                if self.far is None:
                    self.far = self.new_far()
                headers = {name: value for name, value in self.headers.items() if name.lower() != 'connection'}
                self.far.request(self.command, self.path, body, headers)
                answer = self.far.getresponse()
                return answer.status, answer.getheaders(), answer.read()

            def answer(self, status, headers, data):
                self.entry.status = status
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in ('connection', 'transfer-encoding', 'content-length'):
                        self.send_header(name, value)
                length = dict((name.lower(), value) for name, value in headers).get('content-length', str(len(data)))
                self.send_header('Content-Length', length)
                self.end_headers()
                if self.command != 'HEAD':
                    self.wfile.write(data)

            def cut(self):
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get('Content-Length') or 0)) or None
                self.entry = Request(self.command, self.path, 'sha256:' + hashlib.sha256(body or b'').hexdigest(), time.monotonic())
                with proxy.lock:
                    proxy.busy += 1
                    proxy.log.append(self.entry)
                    what = proxy.what if proxy.is_chosen(self.entry) else proxy.rule(self) if proxy.rule else None
                try:
                    time.sleep(proxy.delay())
                    if what:
                        what(self, body)
                    else:
                        self.answer(*self.forward(body))
                except OSError:
                    self.close_connection = True
                finally:
                    self.entry.ended = time.monotonic()
                    with proxy.lock:
                        proxy.busy -= 1
                        proxy.lock.notify_all()

            do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = handle_any

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *_):
                pass

        self.server = Server(('127.0.0.1', 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def choose(self, number, what, how='once', of=lambda request: True):
        """The `number`th of those requests; `how`: once, same = with every repetition of it, on = all from there."""
        with self.lock:
            self.log = []
            self.count, self.chosen, self.what, self.how, self.of, self.met = 0, number, what, how, of, None

    def is_chosen(self, request):
        if not self.of(request):
            return False
        self.count += 1
        if self.chosen is None or self.count < self.chosen:
            return False
        if self.count == self.chosen:
            self.met = request
            return True
        return self.how == 'on' or (self.how == 'same' and (request.method, request.path) == (self.met.method, self.met.path))

    def quiet(self):
        """Until what is on its way has arrived: a registry finishes requests whose client is gone."""
        with self.lock:
            self.lock.wait_for(lambda: self.busy == 0, timeout=30)


class Project:
    """A release of fourteen images, ready to be pushed: v1.0.0 is out, v1.1.0 is tested."""

    def __init__(self, work, prefix, crategate, scene, pythons=None, settings='', release=('v1.0.0', 'v1.1.0'),
                 configuration=CONFIGURATION, name='project'):
        self.root, self.kept = work / name, work / f'kept-{name}'
        self.crategate, self.scene, self.prefix = crategate, scene, prefix
        self.root.mkdir()
        (self.root / 'crategate.yml').write_text(configuration + settings)
        (self.root / '.gitignore').write_text('.crategate/\n')
        self.git('init', '--quiet', '--initial-branch', 'main')
        (self.root / 'PYTHON_VERSIONS').write_text('\n'.join(pythons or PYTHONS) + '\n')
        for version in release[:-1]:
            self.prove(version)
            self.must('push')
            self.must('release')
        self.prove(release[-1])

    def prove(self, version):
        (self.root / 'VERSION').write_text(version + '\n')
        self.git('add', '--all')
        self.git('commit', '--quiet', '--message', version)
        self.git('tag', version)
        self.prepare('push', f'refs/tags/{version}')

    def prepare(self, event, ref):
        self.must('plan', '--to', self.prefix, '--event', event, '--ref', ref)
        subprocess.run([self.scene, self.root], check=True)

    def git(self, *arguments):
        subprocess.run(['git', '-c', 'user.name=T', '-c', 'user.email=t@example.org', *arguments], cwd=self.root, check=True,
                       env={**self.environment(), 'GIT_CONFIG_GLOBAL': '/dev/null', 'GIT_CONFIG_NOSYSTEM': '1'})

    def plan(self):
        return json.loads((self.root / '.crategate/plan.json').read_text())

    def tested(self):
        """Cell → digest of the tested image."""
        return {cell['key']: json.loads((self.root / '.crategate/records' / cell['key'] / 'record.json').read_text())['manifest_digest']
                for cell in self.plan()['cells']}

    def journal(self):
        """The state of the journal that is kept in a file, or None."""
        for path in (self.root / '.crategate/journal').glob('*.json'):
            return json.loads(path.read_text())['state']
        return None

    def environment(self):
        keep = {name: os.environ[name] for name in ('PATH', 'TMPDIR', 'LD_LIBRARY_PATH') if name in os.environ}
        return {**keep, 'HOME': str(self.root), 'NO_COLOR': '1'}

    def start(self, *arguments):
        return subprocess.Popen([self.crategate, *arguments], cwd=self.root, env=self.environment(), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *arguments):
        process = self.start(*arguments)
        out, err = process.communicate(timeout=300)
        return process.returncode, out, err

    def must(self, *arguments):
        code, out, err = self.run(*arguments)
        if code != 0:
            sys.exit(f'release: crategate {" ".join(arguments)} ended with {code}\n{out}{err}')
        return out

    def keep(self, place=None):
        shutil.rmtree(place or self.kept, ignore_errors=True)
        shutil.copytree(self.root / '.crategate', place or self.kept)

    def put_back(self, place=None):
        shutil.rmtree(self.root / '.crategate')
        shutil.copytree(place or self.kept, self.root / '.crategate')


class Stand:
    """All of it, and the judge's view of the registry before the release."""

    def __init__(self, crategate, scene, make='distribution2', **project):
        self.work, self.registry, self.proxy = scratch(), None, None
        try:
            self.set_up(crategate, scene, make, project)
        except BaseException:
            self.stop()
            raise

    def set_up(self, crategate, scene, make, project):
        self.registry = Registry(self.work, make)
        self.proxy = Proxy(self.registry.port)
        self.project = Project(self.work, f'localhost:{self.proxy.port}', pathlib.Path(crategate).resolve(), pathlib.Path(scene).resolve(), **project)

    def keep(self):
        self.registry.keep_tags()
        self.project.keep()

    def put_back(self):
        self.proxy.choose(None, None)
        self.proxy.quiet()
        self.registry.put_tags_back()
        self.project.put_back()

    def stop(self):
        if self.proxy:
            self.proxy.server.shutdown()
        if self.registry:
            self.registry.stop()
        shutil.rmtree(self.work, ignore_errors=True)


class Findings:
    """What did not hold."""

    def __init__(self):
        self.failures = []

    def expect(self, what, condition, *details):
        if not condition:
            self.failures.append(f'{what}: ' + ' '.join(str(detail) for detail in details))
        return condition

    def end(self, seed):
        for failure in self.failures[:20]:
            print(f'FAILED {failure}')
        print(f'{len(self.failures)} failures; seed {seed}')
        return 1 if self.failures else 0


def killer(process, number=signal.SIGKILL, before=True):
    """The client dies as its request arrives (nothing of it happens), or when it was carried out (nobody heard of it)."""
    def kill(handler, body):
        if before:
            process().send_signal(number)
            if number == signal.SIGKILL:
                handler.cut()
                return
            handler.answer(*handler.forward(body))
            return
        answer = handler.forward(body)
        process().send_signal(number)
        if number == signal.SIGKILL:
            handler.cut()
        else:
            handler.answer(*answer)
    return kill

"""What the bench of the registry commands stands on: images, a registry, proxies, and a launcher that measures.

Not here: the tools, and what is compared.
"""
import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MANIFEST = 'application/vnd.oci.image.manifest.v1+json'


def program(name):
    return subprocess.run([ROOT / 'tools/engine', 'program', name], check=True, capture_output=True, text=True).stdout.strip()


def free_port():
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


def wait_for(address):
    for _ in range(200):
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    sys.exit(f'bench: nothing answers at {address}')


# --- the images -------------------------------------------------------------------------------------------------------

def store(layout, data):
    digest = hashlib.sha256(data).hexdigest()
    (layout / 'blobs/sha256' / digest).write_bytes(data)
    return {'digest': f'sha256:{digest}', 'size': len(data)}


def layer(size, index):
    """A gzipped archive of one file that does not compress, and the digest of the archive."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode='w') as archive, open('/dev/urandom', 'rb') as random:
        entry = tarfile.TarInfo(f'layer-{index}')
        entry.size = size
        archive.addfile(entry, random)
    data = raw.getbuffer()
    return gzip.compress(data, compresslevel=0, mtime=0), f'sha256:{hashlib.sha256(data).hexdigest()}'


def image_layout(layout, sizes):
    """An OCI layout with one image, tagged `1`; its digest."""
    (layout / 'blobs/sha256').mkdir(parents=True)
    layers, diff_ids = [], []
    for index, size in enumerate(sizes):
        data, diff_id = layer(size, index)
        layers.append({'mediaType': 'application/vnd.oci.image.layer.v1.tar+gzip', **store(layout, data)})
        diff_ids.append(diff_id)
    config = {'architecture': 'amd64', 'os': 'linux', 'config': {}, 'rootfs': {'type': 'layers', 'diff_ids': diff_ids},
              'history': [{'created_by': 'bench'} for _ in sizes]}
    manifest = {'schemaVersion': 2, 'mediaType': MANIFEST, 'layers': layers,
                'config': {'mediaType': 'application/vnd.oci.image.config.v1+json', **store(layout, json.dumps(config).encode())}}
    descriptor = {'mediaType': MANIFEST, **store(layout, json.dumps(manifest).encode()),
                  'annotations': {'org.opencontainers.image.ref.name': '1'}}
    (layout / 'oci-layout').write_text('{"imageLayoutVersion":"1.0.0"}')
    (layout / 'index.json').write_text(json.dumps({'schemaVersion': 2, 'manifests': [descriptor]}))
    return descriptor['digest']


# --- what stands between the tools and the registry ---------------------------------------------------------------------

class Registry:
    def __init__(self, work):
        self.work, self.log = work, work / 'access'
        memory = shutil.disk_usage('/dev/shm').free if os.path.isdir('/dev/shm') else 0
        self.in_memory = memory > 6 << 30
        self.data = pathlib.Path(tempfile.mkdtemp(prefix='crategate-bench-', dir='/dev/shm' if self.in_memory else work))
        self.start(free_port())

    def start(self, port):
        """At another address, too, with what it has."""
        self.port, config = port, self.work / 'registry.yml'
        config.write_text(f'version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: "{self.data}"}}\n'
                          '  delete: {enabled: true}\n'
                          f'http: {{addr: "127.0.0.1:{self.port}"}}\n')
        with open(self.log, 'ab') as access:
            self.process = subprocess.Popen([program('distribution2'), 'serve', config], stdout=access, stderr=subprocess.DEVNULL)
        wait_for(f'http://127.0.0.1:{self.port}/v2/')

    def requests(self):
        time.sleep(0.2)
        return len(re.findall(rb'"(?:GET|HEAD|POST|PATCH|PUT|DELETE) /', self.log.read_bytes()))

    def drop(self, repository):
        """Its links go, so that nobody can mount from it; the blobs stay in the store, once."""
        shutil.rmtree(self.data / 'docker/registry/v2/repositories' / repository, ignore_errors=True)

    def pause(self):
        self.process.terminate()
        self.process.wait()

    def stop(self):
        self.pause()
        shutil.rmtree(self.data, ignore_errors=True)


class Latency:
    """toxiproxy with one proxy to the registry."""

    def __init__(self, registry, port=None):
        api, self.port = free_port(), port or free_port()
        self.process = subprocess.Popen([program('toxiproxy'), '-host', '127.0.0.1', '-port', str(api)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(f'http://127.0.0.1:{api}/version')
        self.post(api, '/proxies', name='registry', listen=f'127.0.0.1:{self.port}', upstream=f'127.0.0.1:{registry.port}')
        for stream in ('upstream', 'downstream'):
            self.post(api, '/proxies/registry/toxics', type='latency', stream=stream, attributes={'latency': 15})

    @staticmethod
    def post(api, path, **body):
        request = urllib.request.Request(f'http://127.0.0.1:{api}{path}', json.dumps(body).encode(),
                                         {'Content-Type': 'application/json'})
        urllib.request.urlopen(request, timeout=5).close()

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Counter:
    """A proxy that counts bytes, both ways together."""

    def __init__(self, registry):
        self.target, self.bytes, self.lock = registry.port, 0, threading.Lock()
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, _ = self.listener.accept()
            far = socket.create_connection(('127.0.0.1', self.target))
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self.pump, args=(source, sink), daemon=True).start()

    def pump(self, source, sink):
        try:
            while data := source.recv(1 << 18):
                with self.lock:
                    self.bytes += len(data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            source.close()
            sink.close()


# --- measuring --------------------------------------------------------------------------------------------------------

# Starts the measured processes: a child counts the memory of the process that forked it as its own.
LAUNCHER = """
import json, os, sys, time
for line in sys.stdin:
    command, environment, errors = json.loads(line)
    actions = [(os.POSIX_SPAWN_OPEN, 0, '/dev/null', os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, '/dev/null', os.O_WRONLY, 0),
               (os.POSIX_SPAWN_OPEN, 2, errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]
    begin = time.perf_counter()
    _, status, usage = os.wait4(os.posix_spawnp(command[0], command, environment, file_actions=actions), 0)
    print(time.perf_counter() - begin, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status), flush=True)
"""


class Launcher:
    def __init__(self, work):
        self.errors = work / 'errors'
        self.process = subprocess.Popen([sys.executable, '-I', '-S', '-c', LAUNCHER], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)

    def measure(self, command, environment):
        """(seconds, peak MiB) of one run."""
        self.process.stdin.write(json.dumps([[str(word) for word in command], environment, str(self.errors)]) + '\n')
        seconds, peak, code = self.process.stdout.readline().split()
        if int(code):
            words = ' '.join(map(str, command))
            sys.exit(f'bench: exit {code}: {words[:300]}\n{self.errors.read_text(errors="replace")[-2000:]}')
        return float(seconds), float(peak)

    def stop(self):
        self.process.stdin.close()
        self.process.wait()

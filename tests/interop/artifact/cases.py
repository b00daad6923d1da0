#!/usr/bin/env python3
"""Files through the official artifact client and through ours, both ways, over one strict service.

usage: tests/interop/artifact/cases.py BUILD_DIRECTORY [--all] [PATTERN]
BUILD_DIRECTORY has crategate and tests/artifact-service; --all adds what takes minutes. Needs node and npm.
"""
import argparse
import fnmatch
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
GIB = 1 << 30


def fail(text):
    raise AssertionError(text)


# --- what is uploaded -----------------------------------------------------------------------------------------------

def text(path, content='text\n', mode=None):
    def make(root):
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        if mode is not None:
            file.chmod(mode)
    return make


def many(count, size=20):
    def make(root):
        for i in range(count):
            file = root / f'd{i // 100}' / f'file-{i}.txt'
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes((f'{i} ' * size).encode()[:size])
    return make


def sparse(path, size):
    def make(root):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        with open(root / path, 'wb') as file:
            file.truncate(size)
            file.seek(size // 2)
            file.write(b'middle')
    return make


def link(path, target):
    def make(root):
        os.symlink(target, root / path)
    return make


def noise(path, size):
    return lambda root: text(path, os.urandom(size))(root)


CASES = {
    'one byte': [text('a', b'x')],
    'empty file': [text('empty', b'')],
    'empty file among others': [text('a'), text('empty', b''), text('z')],
    'two files': [text('a'), text('b')],
    'same content twice': [text('a', b'same' * 999), text('b', b'same' * 999)],
    'folder': [text('folder/a'), text('folder/b')],
    'folders of the same file name': [text('x/name', 'x'), text('y/name', 'y')],
    'deep path': [text('/'.join('d' * 40) + '/leaf')],
    'long name': [text('n' * 200)],
    'long path': [text('/'.join(['p' * 60] * 12) + '/leaf')],
    'spaces': [text('a b/c  d.txt'), text(' leading'), text('trailing ')],
    'unicode': [text('grüße/日本語/emoji-😀.txt', 'ünïcödé ✓\n')],
    'combining characters': [text('e\u0301.txt'), text('\u00e9.log')],
    'right to left': [text('שלום.txt')],
    'names of another system': [text('con.txt'), text('NUL'), text('aux.log')],
    'names with punctuation': [text("a'b,c;d=e+f@g%h&i#j$k!l~m^n(o)[p]{q}`r.txt")],
    'percent escapes': [text('%2e%2e/%2fetc%2fpasswd')],
    'names like options': [text('-rf'), text('--help')],
    'dots in names': [text('a..b'), text('c...'), text('x.y.z.tar.gz')],
    'no extension and long extension': [text('README'), text('x.' + 'e' * 60)],
    'upper and lower case folders': [text('Dir/a'), text('dir2/A')],
    'numbers': [text(str(i)) for i in range(20)],
    'text of lines': [text('log', 'line\n' * 20000)],
    'carriage returns': [text('crlf', 'a\r\nb\r\n'), text('cr', 'a\rb')],
    'all bytes': [text('bytes', bytes(range(256)) * 300)],
    'zeros of a page': [text('zeros', bytes(4096))],
    'zeros of ten mebibytes': [lambda root: text('zeros', bytes(10 << 20))(root)],
    'incompressible kibibyte': [noise('noise', 1 << 10)],
    'incompressible mebibyte': [noise('noise', 1 << 20)],
    'incompressible block': [noise('noise', 8 << 20)],
    'incompressible block and a byte': [noise('noise', (8 << 20) + 1)],
    'incompressible block less a byte': [noise('noise', (8 << 20) - 1)],
    'several blocks': [noise('noise', 20 << 20), text('z')],
    'compressible over the chunk': [lambda root: text('log', ''.join(f'line {i}\n' for i in range(400000)))(root)],
    'exactly one chunk': [text('log', b'abcdefgh' * (1 << 17))],
    'one chunk and a byte': [text('log', b'abcdefgh' * (1 << 17) + b'!')],
    'looks like a zip': [text('x.zip', b'PK\x03\x04' + b'z' * 100), text('y', b'PK\x05\x06' + bytes(18))],
    'looks like an end record': [text('x', b'PK\x05\x06' * 500)],
    'gzip inside': [text('x.gz', bytes.fromhex('1f8b0800000000000003') + b'rest')],
    'html': [text('index.html', '<html></html>')],
    'json': [text('a.json', '{"a": [1, 2, 3]}')],
    'commands of a runner': [text('log', '::set-output name=x::y\n::error::no\n##[error]no\n')],
    'read only': [text('a', mode=0o444)],
    'executable': [text('run.sh', '#!/bin/sh\n', mode=0o755)],
    'private': [text('key', mode=0o600)],
    'hundred files': [many(100)],
    'thousand files': [many(1000)],
    'hundred files of a folder and one beside': [many(100), text('top')],
    'thousand empty files': [many(1000, 0)],
    'large and many small': [noise('large', 3 << 20), many(300)],
    'link to a file': [text('a'), link('b', 'a')],
    'link to a folder': [text('folder/a'), link('copy', 'folder')],
    'old and new times': [lambda root: [text('a')(root), os.utime(root / 'a', (0, 0)), text('b')(root),
                                        os.utime(root / 'b', (4e9, 4e9))]],
    'plan and record': [text('plan.json', '{"schema":1}\n'), text('record.json', '{}\n')],
}
SLOW = {
    'five thousand files': [many(5000)],
    'three gibibytes, sparse': [sparse('sparse', 3 * GIB)],
    'hundred mebibytes of noise': [noise('noise', 100 << 20)],
}


# --- the service and its clients ------------------------------------------------------------------------------------

class Service:
    """The tests' artifact service, with jobs `a` and `b` of one run."""

    def __init__(self, program, act=False):
        command = [str(program)] + (['--act'] if act else []) + ['7' if act else 'run', 'a', 'b']
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        said = dict(self.process.stdout.readline().rstrip('\n').split('=', 1) for _ in range(3))
        self.url, self.tokens = said.pop('ACTIONS_RESULTS_URL'), said
        self.act = act

    def environment(self, job, attempt='1'):
        kept = {name: os.environ[name] for name in ('PATH', 'HOME') if name in os.environ}
        return kept | ({'ACT': 'true'} if self.act else {}) | {
            'ACTIONS_RESULTS_URL': self.url, 'ACTIONS_RUNTIME_TOKEN': self.tokens[job], 'GITHUB_ACTIONS': 'true',
            'GITHUB_RUN_ID': '7', 'GITHUB_RUN_ATTEMPT': attempt, 'GITHUB_JOB': job,
            'GITHUB_SERVER_URL': 'https://github.com', 'GITHUB_REPOSITORY': 'me/app'}

    def end(self):
        _, complaints = self.process.communicate()
        if self.process.returncode:
            fail(f'the service was asked what it must not be asked:\n{complaints}')


class Clients:
    def __init__(self, build, service):
        self.service = service
        self.node = None
        self.crategate = build / 'crategate'
        self.modules = build / 'interop/artifact'
        if not (self.modules / 'node_modules').is_dir():
            self.modules.mkdir(parents=True, exist_ok=True)
            for name in ('package.json', 'package-lock.json'):
                shutil.copy(HERE / name, self.modules)
            subprocess.run(['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
                           cwd=self.modules, check=True)
        shutil.copy(HERE / 'official.mjs', self.modules)

    def ours(self, *arguments, job='a', attempt='1', cwd=None, code=0):
        done = subprocess.run([self.crategate, 'artifact', *arguments, '--json'], cwd=cwd, text=True,
                              env=self.service.environment(job, attempt), stdin=subprocess.DEVNULL,
                              capture_output=True, check=False)
        if done.returncode != code:
            fail(f'crategate artifact {arguments}: exit {done.returncode}, expected {code}\n{done.stdout}{done.stderr}')
        if self.service.tokens[job] in done.stdout + done.stderr or 'sig=' in done.stdout + done.stderr:
            fail(f'crategate artifact {arguments}: a secret was printed')
        return json.loads(done.stdout) if code == 0 and done.stdout.strip() else done.stderr

    def official(self, *arguments, refused=False):
        """Job `b`; one process for all operations, for starting it takes longer than they do."""
        if self.node is None:
            env = self.service.environment('b')
            if self.service.act:
                env['CLIENT'] = 'artifact-without-type'
            self.node = subprocess.Popen(['node', self.modules / 'official.mjs', 'serve'], env=env, text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.node.stdin.write(json.dumps([str(word) for word in arguments]) + '\n')
        self.node.stdin.flush()
        line = ''
        while not line.startswith('='):
            line = self.node.stdout.readline() or fail('the official client ended')
        answer = json.loads(line[1:])
        if ('error' in answer) != refused:
            fail(f'official {arguments}: {answer}')
        return answer

    def end(self):
        if self.node:
            self.node.communicate()
        self.service.end()


def tree(root):
    """Path → bytes, or for large ones their size and middle."""
    found = {}
    for folder, folders, files in os.walk(root, followlinks=True):
        for name in files:
            path = pathlib.Path(folder, name)
            size = path.stat().st_size
            if size > GIB:
                with open(path, 'rb') as file:
                    file.seek(size // 2)
                    found[str(path.relative_to(root))] = (size, file.read(6))
            else:
                found[str(path.relative_to(root))] = path.read_bytes()
    return found


def same(what, one, other):
    one, other = tree(one), tree(other)
    if one.keys() != other.keys():
        fail(f'{what}: other files: {sorted(one.keys() ^ other.keys())[:5]}')
    for path, content in one.items():
        if content != other[path]:
            fail(f'{what}: {path} differs')


# --- the cases --------------------------------------------------------------------------------------------------------

def both_ways(clients, work, name, makers):
    source = work / 'source'
    source.mkdir()
    for make in makers:
        make(source)
    files = [str(source / path) for path in sorted(tree(source))]
    slug = name.replace(' ', '-').replace(',', '')
    uploaded = clients.ours('upload', f'ours-{slug}', 'source', cwd=work)
    entry = clients.official('download', f'ours-{slug}', work / 'by-official')
    if entry.get('digestMismatch'):
        fail('the official client sees another digest')
    same('ours → official', source, work / 'by-official')
    clients.ours('download', f'ours-{slug}', '--path', 'by-ours-of-ours', cwd=work, job='b')
    same('ours → ours', source, work / 'by-ours-of-ours')
    known = [row for row in clients.official('list')['artifacts'] if row['name'] == f'ours-{slug}']
    if [row.get('digest') for row in known] != [None if clients.service.act else uploaded['digest']]:
        fail(f'the service and we disagree on the digest: {known} {uploaded}')
    if clients.service.act:
        return  # the official client's storage library breaks the signature of act's addresses
    clients.official('upload', f'official-{slug}', source, *files)
    clients.ours('download', f'official-{slug}', '--path', 'by-ours', cwd=work)
    same('official → ours', source, work / 'by-ours')


def modes_are_kept(clients, work):
    for name, mode in (('run', 0o755), ('read', 0o444), ('key', 0o600)):
        text(f'source/{name}', mode=mode)(work)
    clients.ours('upload', 'modes', 'source', cwd=work)
    clients.ours('download', 'modes', '--path', 'back', cwd=work)
    for name, mode in (('run', 0o755), ('read', 0o444), ('key', 0o600)):
        found = (work / 'back' / name).stat().st_mode & 0o777
        if found != mode:
            fail(f'{name}: mode {found:o}, expected {mode:o}')


def equal_files_give_equal_bytes(clients, work):
    text('source/a', 'x' * 5000)(work)
    first = clients.ours('upload', 'twice', 'source', cwd=work)
    os.utime(work / 'source/a', (1, 1))
    second = clients.ours('upload', 'twice', 'source', '--overwrite', cwd=work)
    if first['digest'] != second['digest'] or first['id'] == second['id']:
        fail(f'{first} {second}')


def an_empty_folder_is_what_the_official_client_makes_of_it(clients, work):
    text('source/a')(work)
    (work / 'source/empty/deep').mkdir(parents=True)
    clients.official('upload', 'folders', work / 'source', work / 'source/a', work / 'source/empty/deep')
    clients.ours('download', 'folders', '--path', 'back', cwd=work)
    clients.official('download', 'folders', work / 'by-official')
    kinds = [[path.is_dir() for path in sorted((work / side).rglob('*'))] for side in ('back', 'by-official')]
    if kinds[0] != kinds[1] or len(kinds[0]) != 3:
        fail(kinds)


def levels_all_unpack(clients, work):
    text('source/log', ''.join(f'line {i}\n' for i in range(30000)))(work)
    sizes = []
    for level in range(10):
        row = clients.ours('upload', f'level-{level}', 'source', '--compression-level', str(level), cwd=work)
        clients.official('download', f'level-{level}', work / f'back-{level}')
        same(f'level {level}', work / 'source', work / f'back-{level}')
        sizes.append(row['size'])
    if not sizes[0] > sizes[1] >= sizes[6] >= sizes[9]:
        fail(f'sizes by level: {sizes}')


def a_taken_name_is_refused_by_both(clients, work):
    text('source/a')(work)
    clients.official('upload', 'taken', work / 'source', work / 'source/a')
    error = clients.ours('upload', 'taken', 'source', cwd=work, code=31)
    if 'another tool' not in error:
        fail(error)
    clients.ours('upload', 'mine', 'source', cwd=work)
    answer = clients.official('upload', 'mine', work / 'source', work / 'source/a', refused=True)
    if 'already exists' not in answer['message']:
        fail(answer)
    error = clients.ours('upload', 'mine', 'source', cwd=work, job='b', code=31)
    if 'job \"a\"' not in error or 'job \"b\"' not in error:
        fail(error)
    clients.ours('upload', 'mine', 'source', cwd=work, job='b', attempt='2')
    clients.ours('upload', 'taken', 'source', '--overwrite', cwd=work)


def what_is_deleted_is_gone_for_both(clients, work):
    text('source/a')(work)
    clients.ours('upload', 'gone', 'source', cwd=work)
    clients.official('delete', 'gone')
    error = clients.ours('download', 'gone', '--path', 'back', cwd=work, code=22)
    if 'gone' not in error or (work / 'back').exists():
        fail(error)
    clients.official('download', 'gone', work / 'back', refused=True)


def a_plain_file_keeps_its_name(clients, work):
    files = {'report.html': b'<p>x</p>', 'log.gz': b'\x1f\x8b\x08 no archive', 'blob.bin': bytes(5000), 'x.json': b'{}'}
    for name, content in files.items():
        text(name, content)(work)
        clients.official('upload-file', work / name)
        clients.ours('download', name, '--path', 'back', cwd=work)
        if (work / 'back' / name).read_bytes() != content:
            fail(f'{name} differs')


def names_are_judged_alike(clients, work):
    text('source/a')(work)
    for name in ('a:b', 'a/b', 'a\\b', 'a"b', 'a<b', 'a>b', 'a|b', 'a*b', 'a?b', 'a\nb', 'a\rb', ''):
        clients.official('upload', name, work / 'source', work / 'source/a', refused=True)
        clients.ours('upload', f'--name={name}', '--path=source', cwd=work, code=2)
    for name in ('a b', 'ä', "a'b", 'a.b', '.a', 'a%2fb', 'a#b', '-a'):
        clients.official('upload', f'{name}-o', work / 'source', work / 'source/a')
        clients.ours('upload', f'--name={name}', '--path=source', cwd=work)
        clients.official('download', name, work / f'back-{ord(name[0])}-{len(name)}')


def several_come_in_folders_of_their_own(clients, work):
    for name in ('logs-a', 'logs-b', 'other'):
        text(f'{name}/file', name)(work)
        clients.ours('upload', name, name, cwd=work)
    clients.ours('download', '--pattern', 'logs-*', '--path', 'back', cwd=work)
    if sorted(tree(work / 'back')) != ['logs-a/file', 'logs-b/file']:
        fail(sorted(tree(work / 'back')))


SINGLE = [modes_are_kept, an_empty_folder_is_what_the_official_client_makes_of_it, equal_files_give_equal_bytes, levels_all_unpack, a_taken_name_is_refused_by_both,
          what_is_deleted_is_gone_for_both, a_plain_file_keeps_its_name, names_are_judged_alike,
          several_come_in_folders_of_their_own]
ACT_CASES = ['one byte', 'two files', 'deep path', 'several blocks', 'hundred files', 'unicode']


def run(name, check, work):
    begin = time.monotonic()
    folder = pathlib.Path(tempfile.mkdtemp(dir=work))
    try:
        check(folder)
    except (AssertionError, KeyError, OSError, ValueError) as error:
        print(f'FAILED  {name}\n  {error!r}'.replace('\\n', '\n  '))
        return False
    finally:
        subprocess.run(['rm', '-rf', folder], check=False)
    print(f'ok {int((time.monotonic() - begin) * 1000):7} ms  {name}', flush=True)
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('build', type=pathlib.Path)
    parser.add_argument('pattern', nargs='?', default='*')
    parser.add_argument('--all', action='store_true')
    options = parser.parse_intermixed_args()
    build = options.build.resolve()
    cases = CASES | (SLOW if options.all else {})
    done, failed = 0, 0
    with tempfile.TemporaryDirectory() as work:
        for act in (False, True):
            service = Service(build / 'tests/artifact-service', act)
            clients = Clients(build, service)
            checks = [(name, lambda folder, n=name, m=makers: both_ways(clients, folder, n, m))
                      for name, makers in cases.items() if not act or name in ACT_CASES]
            if not act:
                checks += [(single.__name__.replace('_', ' '), lambda folder, s=single: s(clients, folder))
                           for single in SINGLE]
            for name, check in checks:
                name = f'{name} (rules of act)' if act else name
                if fnmatch.fnmatch(name, options.pattern):
                    done += 1
                    failed += not run(name, check, work)
            failed += not run('the service has no complaint', lambda _, c=clients: c.end(), work)
    print(f'{done - failed} of {done} cases passed')
    return 1 if failed or not done else 0


if __name__ == '__main__':
    sys.exit(main())

#!/usr/bin/env python3
"""The CI image's decision on real history: what crategate says of a pull request, and what plain git says.

usage: check_history.py CRATEGATE REPOSITORY [--commits N] [--seed N] [--shallow]

REPOSITORY is a path or an address, or `generated`: merges, criss-cross too, removals and renames. With --shallow crategate works in a
clone of one commit, as actions/checkout makes it, and has to fetch the rest. N pairs of commits stand for base branch and head of a pull request, and two paths of that history
are watched; the answer is one of: changed, unchanged, no such file. Prints one line, and those that differ.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

ENVIRONMENT = {'PATH': os.environ['PATH'], 'GIT_CONFIG_GLOBAL': '/dev/null', 'GIT_CONFIG_NOSYSTEM': '1'}
NETWORK = {name: value for name, value in os.environ.items() if name.lower().endswith('_proxy') or 'SSL' in name or name == 'HOME'}
BAD_INPUT = 2


def generate(folder, choose, length=120):
    """A repository of that many commits on several lines that meet and part; few files, so that they change often and back again."""
    names, lines, trees = [f'd{n % 3}/f{n}' for n in range(8)], [], []
    for mark in range(1, length + 1):
        parents = choose.sample(range(max(1, mark - 6), mark), min(mark - 1, choose.choice([1, 1, 1, 2])))
        tree = dict(trees[parents[0] - 1]) if parents else {}
        for name in choose.sample(names, choose.randrange(1, 3)):
            if choose.random() < 0.2 and name in tree:
                tree[choose.choice(names)] = tree.pop(name)
            elif choose.random() < 0.2:
                tree.pop(name, None)
            else:
                tree[name] = choose.randrange(4)
        trees.append(tree)
        lines += [f'commit refs/heads/line{mark}', f'mark :{mark}', f'committer a <a@b> {1_600_000_000 + mark} +0000', 'data 1', 'x']
        lines += [f'{"merge" if n else "from"} :{parent}' for n, parent in enumerate(parents)] + ['deleteall']
        for name, text in sorted(tree.items()):
            lines += [f'M 100644 inline {name}', 'data 1', str(text)]
    subprocess.run(['git', 'init', '--quiet', '--bare', folder], check=True, env=ENVIRONMENT)
    subprocess.run(['git', 'fast-import', '--quiet'], cwd=folder, check=True, env=ENVIRONMENT, text=True, input='\n'.join([*lines, 'done', '']))
    return str(folder)


class History:
    def __init__(self, folder, address):
        self.folder = folder / 'clone'
        subprocess.run(['git', 'clone', '--quiet', '--no-checkout', address, self.folder], check=True, env={**ENVIRONMENT, **NETWORK})
        self.commits = self.git('rev-list', '--all').split()
        counted = collections.Counter(path for path in self.git('log', '--all', '-z', '--format=', '--name-only', '--no-renames').split('\0') if path)
        self.paths = [path for path, _ in counted.most_common(200)]

    def git(self, *arguments):
        return subprocess.run(['git', '-c', 'core.quotePath=false', *arguments], cwd=self.folder, env=ENVIRONMENT, check=True, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, errors='surrogateescape').stdout

    def holds(self, commit, path):
        found = self.git('ls-tree', '-z', '--full-tree', commit, '--', f':(top,literal){path}')
        return bool(found) and found.split(' ', 2)[1] != 'tree'

    def plain(self, base, head, watch):
        """By a command of its own: three dots, the paths one by one."""
        found = subprocess.run(['git', 'merge-base', base, head], cwd=self.folder, env=ENVIRONMENT, text=True, stdout=subprocess.PIPE)
        if found.returncode != 0 or found.stdout.strip() == head:
            return 'changed'  # nobody can tell: of one that is merged all changes are in the base
        if not all(self.holds(base, path) or self.holds(head, path) for path in watch):
            return 'no such file'
        differing = self.git('diff', '--name-only', '--no-renames', '--no-ext-diff', f'{base}...{head}', '--', *(f':(top,literal){path}' for path in watch))
        return 'changed' if differing else 'unchanged'

    def shallow(self, base, head):
        """A clone that has the head alone; its remote is this one."""
        self.git('update-ref', 'refs/heads/pulled-into', base)
        self.git('update-ref', 'refs/pull/7/head', head)
        folder = self.folder.parent / 'shallow'
        shutil.rmtree(folder, ignore_errors=True)
        for command in (['init', '--quiet', folder], ['-C', folder, 'remote', 'add', 'origin', self.folder],
                        ['-C', folder, 'fetch', '--quiet', '--depth=1', f'file://{self.folder}', 'refs/pull/7/head']):
            subprocess.run(['git', *command], check=True, env=ENVIRONMENT)
        return folder

    def ours(self, crategate, base, head, watch, is_shallow):
        folder = self.shallow(base, head) if is_shallow else self.folder
        if not is_shallow:
            self.git('update-ref', 'refs/remotes/origin/pulled-into', base)
        event = {'number': 7, 'pull_request': {'number': 7, 'head': {'ref': 'fix', 'sha': head, 'repo': {'id': 1}}, 'base': {'ref': 'pulled-into'}},
                 'repository': {'id': 1}}
        payload = self.folder.parent / 'event.json'
        payload.write_text(json.dumps(event))
        done = subprocess.run([crategate, 'ci-image', 'tags', '--json', '--event', 'pull_request', '--ref', 'refs/pull/7/merge', '--payload', payload,
                               '--ci-image-image', 'ghcr.io/o/r/ci', '--ci-image-watch', json.dumps(watch, ensure_ascii=False)],
                              cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
        if done.returncode == BAD_INPUT and 'found none at' in done.stderr:
            return 'no such file'
        if done.returncode != 0:
            return done.stderr
        return 'changed' if json.loads(done.stdout)['modified'] else 'unchanged'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('crategate', type=pathlib.Path)
    parser.add_argument('repository')
    parser.add_argument('--commits', type=int, default=200)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--shallow', action='store_true')
    options = parser.parse_args()
    choose, answers, differing = random.Random(options.seed), collections.Counter(), []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        generated = options.repository == 'generated'
        history = History(folder, generate(folder / 'generated.git', choose) if generated else options.repository)
        for _ in range(options.commits):
            # A pull request is some commits ahead of a base that is not far away.
            place = choose.randrange(len(history.commits))
            head, base = history.commits[place], history.commits[min(len(history.commits) - 1, place + choose.randrange(-5, 30)) if place > 5 else -1]
            watch = choose.sample(history.paths, min(2, len(history.paths)))
            expected, found = history.plain(base, head, watch), history.ours(options.crategate.resolve(), base, head, watch, options.shallow)
            answers[expected] += 1
            if expected != found:
                differing.append(f'{base}...{head} {watch}: git says {expected}, crategate {found}')
    print(*differing, sep='\n', end='\n' if differing else '')
    words = ', '.join(f'{count} {answer}' for answer, count in sorted(answers.items()))
    print(f'check-history: {options.repository}: {options.commits - len(differing)} of {options.commits} decisions as git says ({words})')
    return 1 if differing else 0


if __name__ == '__main__':
    sys.exit(main())

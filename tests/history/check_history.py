#!/usr/bin/env python3
"""The CI image's decision on real history: what crategate says of a pull request, and what plain git says.

usage: check_history.py CRATEGATE REPOSITORY [--commits N] [--seed N]

REPOSITORY is a path or an address. N pairs of commits stand for base branch and head of a pull request, and two paths of that history
are watched; the answer is one of: changed, unchanged, no such file. Prints one line, and those that differ.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

ENVIRONMENT = {'PATH': os.environ['PATH'], 'GIT_CONFIG_GLOBAL': '/dev/null', 'GIT_CONFIG_NOSYSTEM': '1'}
NETWORK = {name: value for name, value in os.environ.items() if name.lower().endswith('_proxy') or 'SSL' in name or name == 'HOME'}
BAD_INPUT = 2


class History:
    def __init__(self, folder, address):
        self.folder = folder / 'clone'
        subprocess.run(['git', 'clone', '--quiet', '--no-checkout', address, self.folder], check=True, env={**ENVIRONMENT, **NETWORK})
        self.commits = self.git('rev-list', '--all').split()
        counted = collections.Counter(path for path in self.git('log', '--all', '-z', '--format=', '--name-only', '--no-renames').split('\0') if path)
        self.paths = [path for path, _ in counted.most_common(200)]

    def git(self, *arguments):
        return subprocess.run(['git', '-c', 'core.quotePath=false', *arguments], cwd=self.folder, env=ENVIRONMENT, check=True, text=True,
                              stdout=subprocess.PIPE, errors='surrogateescape').stdout

    def holds(self, commit, path):
        found = self.git('ls-tree', '-z', '--full-tree', commit, '--', f':(top,literal){path}')
        return bool(found) and found.split(' ', 2)[1] != 'tree'

    def plain(self, base, head, watch):
        """By a command of its own: three dots, the paths one by one."""
        related = subprocess.run(['git', 'merge-base', base, head], cwd=self.folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
        if related.returncode != 0:
            return 'changed'  # nobody can tell
        if not all(self.holds(base, path) or self.holds(head, path) for path in watch):
            return 'no such file'
        differing = self.git('diff', '--name-only', '--no-renames', '--no-ext-diff', f'{base}...{head}', '--', *(f':(top,literal){path}' for path in watch))
        return 'changed' if differing else 'unchanged'

    def ours(self, crategate, base, head, watch):
        self.git('update-ref', 'refs/remotes/origin/pulled-into', base)
        event = {'number': 7, 'pull_request': {'number': 7, 'head': {'ref': 'fix', 'sha': head, 'repo': {'id': 1}}, 'base': {'ref': 'pulled-into'}},
                 'repository': {'id': 1}}
        payload = self.folder.parent / 'event.json'
        payload.write_text(json.dumps(event))
        done = subprocess.run([crategate, 'ci-image', 'tags', '--json', '--event', 'pull_request', '--ref', 'refs/pull/7/merge', '--payload', payload,
                               '--ci-image-image', 'ghcr.io/o/r/ci', '--ci-image-watch', json.dumps(watch, ensure_ascii=False)],
                              cwd=self.folder, env=ENVIRONMENT, capture_output=True, text=True)
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
    options = parser.parse_args()
    choose, answers, differing = random.Random(options.seed), collections.Counter(), []
    with tempfile.TemporaryDirectory() as folder:
        history = History(pathlib.Path(folder), options.repository)
        for _ in range(options.commits):
            # A pull request is some commits ahead of a base that is not far away.
            place = choose.randrange(len(history.commits))
            head, base = history.commits[place], history.commits[min(len(history.commits) - 1, place + choose.randrange(-5, 30)) if place > 5 else -1]
            watch = choose.sample(history.paths, min(2, len(history.paths)))
            expected, found = history.plain(base, head, watch), history.ours(options.crategate.resolve(), base, head, watch)
            answers[expected] += 1
            if expected != found:
                differing.append(f'{base}...{head} {watch}: git says {expected}, crategate {found}')
    print(*differing, sep='\n', end='\n' if differing else '')
    words = ', '.join(f'{count} {answer}' for answer, count in sorted(answers.items()))
    print(f'check-history: {options.repository}: {options.commits - len(differing)} of {options.commits} decisions as git says ({words})')
    return 1 if differing else 0


if __name__ == '__main__':
    sys.exit(main())

#!/usr/bin/env python3
"""Changes what the scripted server answers, also while it serves, and tells what it was asked.

usage: state.py DIR COMMAND ... [+ COMMAND ...]...    DIR: the server's state; `state.py DIR COMMAND --help` names the options

  init, token, permission              the repository, who may ask, and what they may do
  workflow, run, artifact              of GitHub Actions
  pull, file, comment, user, commit    of the repository
  package                              versions of a container package, and the repository's role in it
  limit, fail, clock, clear            what goes wrong
  when --match RE COMMAND ...          the same command, once a request that matches was answered
  violations                           prints requests that GitHub does not describe; exit code 1: there are some
  count [--match RE] ...               prints how many requests there were

A thing that is there already is changed in what is named, and keeps the rest. RE is searched in "METHOD /path?query STATUS".
"""
import argparse
import hashlib
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from store import Store, rfc3339  # noqa: E402

GRANTED = {'actions': 'write', 'contents': 'read', 'issues': 'write', 'metadata': 'read', 'packages': 'write', 'pull_requests': 'write'}
LEVELS = ['none', 'read', 'write', 'admin']
STATUSES = ['completed', 'in_progress', 'pending', 'queued', 'requested', 'waiting']
CONCLUSIONS = ['action_required', 'cancelled', 'failure', 'neutral', 'skipped', 'stale', 'startup_failure', 'success', 'timed_out']
BOT = {'login': 'github-actions[bot]', 'user_id': 41898282}
FIRST_COMMENT, FIRST_WORKFLOW, FIRST_FORK, FIRST_INSTALLATION = 1000, 500, 2000, 7000


def number_of(text):
    """The same id for the same name, in every run."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:7], 16)


def sha_of(text):
    return hashlib.sha1(text.encode()).hexdigest()


def fork_of(store, name):
    return {'full_name': name, 'id': FIRST_FORK + number_of(name)} if name != store['repository']['full_name'] else None


# --- who may ask ----------------------------------------------------------------------------------------------------------------

def init(store, o):
    store['repository'] |= {'full_name': o.repository, 'private': not o.public, 'default_branch': o.branch}
    if o.id:
        store['repository']['id'] = o.id
    if o.token:
        store['tokens'][o.token] = {'kind': 'installation', 'permissions': dict(GRANTED), **BOT}


def token(store, o):
    if o.remove:
        store['tokens'].pop(o.token, None)
        return
    known = store['tokens'].setdefault(o.token, {'kind': 'installation', 'permissions': dict(GRANTED), **BOT})
    named = {'kind': o.kind, 'login': o.login, 'user_id': o.user_id, 'denial': o.denial}
    known |= {key: value for key, value in named.items() if value is not None}
    if o.only is not None:
        known['permissions'] = {'metadata': 'read'} | dict(pair.replace('-', '_').split('=') for pair in o.only)


def permission(store, o):
    store['tokens'][o.token]['permissions'][o.name.replace('-', '_')] = o.level


def app(store, o):
    """A GitHub App that is installed in the repository; `key`: a file with its public key."""
    known = store.find('apps', id=o.id) or {'slug': f'app-{o.id}', 'client_id': f'Iv23li{o.id}', 'installation': FIRST_INSTALLATION + o.id,
                                            'permissions': {'metadata': 'read', 'contents': 'write'}, 'installed': True, 'made': []}
    if o.only is not None:
        known['permissions'] = {'metadata': 'read'} | dict(pair.replace('-', '_').split('=') for pair in o.only)
    store.put('apps', 'id', known | {'id': o.id, 'key': pathlib.Path(o.key).read_text() if o.key else known['key'],
                                     'installed': known['installed'] and not o.uninstall})


# --- Actions --------------------------------------------------------------------------------------------------------------------

def workflow_of(store, file):
    path = f'.github/workflows/{file}'
    known = store.find('workflows', path=path)
    return known or store.put('workflows', 'path', {'path': path, 'id': FIRST_WORKFLOW + number_of(path)})


def workflow(store, o):
    known = workflow_of(store, o.file)
    if o.rename:
        known['path'] = f'.github/workflows/{o.rename}'
    if o.remove:
        store.remove('workflows', id=known['id'])


def run(store, o):
    if o.remove:
        store.remove('runs', id=o.id)
        return
    now = rfc3339(store.now())
    known = store.find('runs', id=o.id)
    if known is None:
        store['runs'].append(known := {
            'id': o.id, 'attempt': 1, 'created_at': now, 'started_at': now, 'event': 'push', 'status': 'queued', 'conclusion': None,
            'sha': sha_of('head'), 'branch': store['repository']['default_branch'], 'number': len(store['runs']) + 1, 'actor': 'octocat', 'pull': None})
        o.workflow = o.workflow or 'ci.yml'
    if o.attempt and o.attempt != known['attempt']:
        known['started_at'] = now
    if o.workflow:
        entry = workflow_of(store, o.workflow)
        known |= {'workflow_id': entry['id'], 'path': entry['path']}
    if o.fork:
        known['head_repository'] = fork_of(store, o.fork)
    named = {'attempt': o.attempt, 'sha': o.sha, 'branch': o.branch, 'event': o.event, 'status': o.status, 'conclusion': o.conclusion,
             'created_at': o.created, 'pull': o.pull, 'actor': o.actor}
    known |= {key: value for key, value in named.items() if value is not None} | {'updated_at': now}
    if o.conclusion:
        known['status'] = 'completed'
    if known['status'] != 'completed':
        known['conclusion'] = None
    elif known['conclusion'] is None:
        raise SystemExit('state.py: a completed run has a conclusion')


def artifact(store, o):
    if o.remove:
        store.remove('artifacts', id=o.id)
        return
    store.put('artifacts', 'id', {'id': o.id, 'run': o.run, 'name': o.name, 'file': o.file and str(pathlib.Path(o.file).resolve()),
                                  'no_digest': o.no_digest or None, 'expired': o.expired or None, 'created_at': rfc3339(store.now())})


# --- the repository -------------------------------------------------------------------------------------------------------------

def pull(store, o):
    if o.remove:
        store.remove('pulls', number=o.number)
        return
    now = rfc3339(store.now())
    known = store.find('pulls', number=o.number)
    if known is None:
        store['pulls'].append(known := {
            'number': o.number, 'state': 'open', 'head_sha': sha_of(f'head {o.number}'), 'head_ref': f'change-{o.number}', 'fork': None,
            'base_sha': sha_of('base'), 'base_ref': store['repository']['default_branch'], 'author': 'octocat', 'title': f'Change {o.number}',
            'created_at': now, 'pushed_at': now, 'draft': False, 'merged': False, 'changed_files': None})
    if o.head_sha and o.head_sha != known['head_sha']:
        known['pushed_at'] = now
    if o.fork:
        known['fork'] = fork_of(store, o.fork)
    if o.fork_deleted:
        known['fork'] = {'deleted': True}
    named = {'state': o.state, 'head_sha': o.head_sha, 'head_ref': o.head_ref, 'base_sha': o.base_sha, 'base_ref': o.base_ref, 'author': o.author,
             'title': o.title, 'pushed_at': o.pushed_at, 'changed_files': o.changed_files, 'draft': o.draft or None, 'merged': o.merged or None}
    known |= {key: value for key, value in named.items() if value is not None} | {'updated_at': now}
    if known['merged']:
        known['state'] = 'closed'


def file(store, o):
    names = o.name + [f'{o.prefix}{index:05}' for index in range(o.count)]
    if o.action == 'remove' and o.first:
        names += [item['filename'] for item in store['files'] if item['number'] == o.number][:o.first]
    named = set(names)
    store['files'] = [item for item in store['files'] if item['number'] != o.number or item['filename'] not in named]
    if o.action == 'add':
        store['files'] += [{'number': o.number, 'filename': name, 'status': o.status, 'previous_filename': o.previous} for name in names]


def comment(store, o):
    if o.action == 'remove':
        store.remove('comments', id=o.id)
        return
    now = rfc3339(store.now())
    for index in range(o.count):
        add_comment(store, o.issue, o.body if o.count == 1 else f'{o.body} {index}', o.login, o.user_id or number_of(o.login), now, o.id)


def add_comment(store, issue, body, login, user_id, now, id=None):
    new = {'id': id or max([item['id'] for item in store['comments']], default=FIRST_COMMENT) + 1, 'issue': issue, 'body': body, 'login': login,
           'user_id': user_id, 'created_at': now, 'updated_at': now}
    store['comments'].append(new)
    return new


def user(store, o):
    levels = {'maintain': 'write', 'triage': 'read'}
    known = store.find('users', login=o.login) or {'id': number_of(o.login), 'role': 'read'}
    role = o.role or o.level or known['role']
    store.put('users', 'login', {'login': o.login, 'id': o.id or known['id'], 'level': o.level or levels.get(role, role), 'role': role,
                                 'organisation': o.organisation or None})


def package(store, o):
    """A tag is of one version: that of the last command that names it."""
    name = f'{o.owner}/{o.name}'
    if o.role:
        store['package_roles'][name] = o.role
    if o.id is None:
        return
    if o.remove:
        store.remove('packages', id=o.id)
        return
    for other in store['packages']:
        if other['package'] == name:
            other['tags'] = [tag for tag in other['tags'] if tag not in o.tag]
    known = store.put('packages', 'id', {'id': o.id, 'package': name, 'digest': f'sha256:{hashlib.sha256(str(o.id).encode()).hexdigest()}',
                                         'created_at': rfc3339(store.now())})
    known['tags'] = known.get('tags', []) + o.tag


def commit(store, o):
    for other in store['commits']:
        other['refs'] = [ref for ref in other['refs'] if ref not in o.ref]
    known = store.put('commits', 'sha', {'sha': o.sha, 'parents': o.parent or None, 'message': o.message, 'date': rfc3339(store.now())})
    known['refs'] = sorted(set(known.get('refs', [])) | set(o.ref))


# --- what goes wrong ------------------------------------------------------------------------------------------------------------

def limit(store, o):
    for name in [o.token] if o.token is not None else [*store['tokens'], '']:
        known = store['limits'].setdefault(name, {})
        known |= {'remaining': o.remaining, 'reset': int(store.now()) + o.reset_in, 'status': o.status}
        if o.limit:
            known['limit'] = o.limit


def fail(store, o):
    store['faults'].append({'kind': o.kind, 'status': o.status or {'secondary': 403}.get(o.kind, 500), 'times': o.times, 'skip': o.skip, 'match': o.match,
                            'body': o.body, 'retry_after': o.retry_after, 'seconds': o.seconds})


def clock(store, o):
    store['clock']['skew'] = o.skew


def clear(store, _):
    store['faults'], store['hooks'] = [], []
    store['limits'] = {}


def when(store, o):
    parser().parse_args(o.then)
    store['hooks'].append({'match': o.match, 'nth': o.nth, 'then': o.then})


# --- what was asked -------------------------------------------------------------------------------------------------------------

def line_of(entry):
    target = entry['path'] + ('?' + entry['query'] if entry['query'] else '')
    return f'{entry["method"]} {target} {entry["status"]}'


def entries(folder, log):
    path = pathlib.Path(log) if log else folder / 'requests.log'
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def violations(folder, o):
    wrong = [entry for entry in entries(folder, o.log) if entry.get('violations')]
    for entry in wrong:
        print(f'{line_of(entry)}: {"; ".join(entry["violations"])}')
    return 1 if wrong else 0


def count(folder, o):
    print(sum(1 for entry in entries(folder, o.log) if re.search(o.match, line_of(entry)) and (o.status is None or entry['status'] == o.status)
              and not (o.billed and not entry['billed']) and not (o.conditional and not entry['conditional'])))
    return 0


# --- the command line -----------------------------------------------------------------------------------------------------------

def parser():
    top = argparse.ArgumentParser(prog='state.py DIR', usage=__doc__[__doc__.index('state.py DIR'):])
    commands = top.add_subparsers(dest='command', required=True)

    def add(act, **options):
        each = commands.add_parser(act.__name__)
        for name, more in options.items():
            each.add_argument(*([name] if more.pop('place', False) else ['--' + name.replace('_', '-')]), **more)
        each.set_defaults(act=act)
        return each

    text, whole, need, flag, many = {}, {'type': int}, {'required': True}, {'action': 'store_true'}, {'nargs': '*', 'default': []}

    def of(*kinds, **more):
        return {key: value for kind in (*kinds, more) for key, value in kind.items()}

    add(init, repository=of(default='octo/app'), id=of(whole), public=of(flag), token=of(text), branch=of(default='main'))
    add(token, token=of(need), kind=of(choices=['installation', 'personal', 'user']), login=of(text), user_id=of(whole), only=of(nargs='*'),
        denial=of(whole, choices=[403, 404]), remove=of(flag))
    add(app, id=of(whole, need), key=of(text), only=of(nargs='*'), uninstall=of(flag))
    add(permission, token=of(need), name=of(need), level=of(need, choices=LEVELS))
    add(workflow, file=of(need), rename=of(text), remove=of(flag))
    add(run, id=of(whole, need), sha=of(text), branch=of(text), workflow=of(text), event=of(text), status=of(choices=STATUSES),
        conclusion=of(choices=CONCLUSIONS), attempt=of(whole), pull=of(whole), fork=of(nargs='?', const='stranger/app'), created=of(text), actor=of(text),
        remove=of(flag))
    add(artifact, id=of(whole, need), run=of(whole), name=of(text), file=of(text), expired=of(flag), no_digest=of(flag), remove=of(flag))
    add(pull, number=of(whole, need), head_sha=of(text), head_ref=of(text), base_sha=of(text), base_ref=of(text), state=of(choices=['open', 'closed']),
        author=of(text), title=of(text), fork=of(nargs='?', const='stranger/app'), fork_deleted=of(flag), draft=of(flag), merged=of(flag),
        pushed_at=of(text), changed_files=of(whole), remove=of(flag))
    add(file, action=of(place=True, choices=['add', 'remove']), number=of(whole, need), name=of(many), previous=of(text), count=of(whole, default=0),
        prefix=of(default='src/file-'), first=of(whole),
        status=of(default='modified', choices=['added', 'removed', 'modified', 'renamed', 'copied', 'changed', 'unchanged']))
    add(comment, action=of(place=True, choices=['add', 'remove']), id=of(whole), issue=of(whole), body=of(default='a comment'), login=of(default='octocat'),
        user_id=of(whole), count=of(whole, default=1))
    add(user, login=of(need), id=of(whole), level=of(choices=LEVELS), role=of(text), organisation=of(flag))
    add(package, owner=of(need), name=of(need), id=of(whole), tag=of(many), role=of(choices=LEVELS), remove=of(flag))
    add(commit, sha=of(need), ref=of(many), parent=of(many), message=of(text))
    add(limit, token=of(text), remaining=of(whole, default=0), reset_in=of(whole, default=3600), limit=of(whole), status=of(whole, default=403, choices=[403, 429]))
    add(fail, kind=of(default='status', choices=['status', 'secondary', 'drop', 'cut', 'slow']), status=of(whole), times=of(whole, default=1),
        skip=of(whole, default=0), match=of(default=''), body=of(default='json', choices=['json', 'html', 'empty']), retry_after=of(whole),
        seconds=of(type=float, default=1.0))
    add(clock, skew=of(need, type=float))
    add(clear)
    add(when, match=of(need), nth=of(whole, default=1), then=of(place=True, nargs=argparse.REMAINDER))
    add(violations, log=of(text))
    add(count, match=of(default=''), status=of(whole), billed=of(flag), conditional=of(flag), log=of(text))
    return top


PARSER = None


def apply(store, words):
    """The command `words`, inside a locked store."""
    global PARSER
    PARSER = PARSER or parser()
    options = PARSER.parse_args(words)
    options.act(store, options)


def main():
    if len(sys.argv) < 3 or sys.argv[1].startswith('-'):
        raise SystemExit(__doc__[__doc__.index('usage:'):].rstrip())
    folder, words = pathlib.Path(sys.argv[1]), sys.argv[2:]
    if words[0] in ('violations', 'count'):
        options = parser().parse_args(words)
        return options.act(folder, options)
    with Store(folder) as store:
        while words:
            end = words.index('+') if '+' in words else len(words)
            apply(store, words[:end])
            words = words[end + 1:]
    return 0


if __name__ == '__main__':
    sys.exit(main())

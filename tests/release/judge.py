#!/usr/bin/env python3
"""Judges what a release left behind. Reads the registry and the plan, nothing else of crategate's.

usage: judge.py snapshot REGISTRY PLAN            prints what every tag of the plan's repositories names
       judge.py state REGISTRY PLAN BEFORE TESTED prints a JSON verdict; exit code 1: an invariant is broken

REGISTRY is host:port; BEFORE a snapshot from before the release; TESTED a JSON object: cell -> digest of the tested
image. The invariants are I1 (no tag names an untested image), I5 (moving tags all new or all old), I6 (latest never
goes back).
"""
import json
import re
import sys
import urllib.error
import urllib.request

ACCEPT = ', '.join(f'application/vnd.{name}+json' for name in
                   ('oci.image.manifest.v1', 'oci.image.index.v1', 'docker.distribution.manifest.v2',
                    'docker.distribution.manifest.list.v2'))
MOVING = 'latest'


def get(registry, path, method='GET'):
    request = urllib.request.Request(f'http://{registry}/v2/{path}', headers={'Accept': ACCEPT}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None, None
        raise


def repository(name):
    return name.split('/', 1)[1] if '.' in name.split('/')[0] or ':' in name.split('/')[0] or name.startswith('localhost/') else name


def tags_of(registry, name):
    _, data = get(registry, f'{name}/tags/list')
    return json.loads(data)['tags'] or [] if data else []


def digest_of(registry, name, tag):
    headers, _ = get(registry, f'{name}/manifests/{tag}', 'HEAD')
    return headers['Docker-Content-Digest'] if headers is not None else None


def snapshot(registry, plan):
    names = sorted({repository(cell['image']) for cell in plan['cells']})
    return {name: {tag: digest_of(registry, name, tag) for tag in tags_of(registry, name)} for name in names}


def version_of(registry, name, digest):
    _, manifest = get(registry, f'{name}/manifests/{digest}')
    config = json.loads(manifest).get('config') if manifest else None
    if not config:
        return None
    _, data = get(registry, f'{name}/blobs/{config["digest"]}')
    return (json.loads(data)['config'].get('Labels') or {}).get('org.opencontainers.image.version') if data else None


def numbers(version):
    return tuple(int(part) for part in re.findall(r'\d+', version or '')[:3])


def judge(registry, plan, before, tested):
    now = snapshot(registry, plan)
    broken, versions, moving = [], [], []
    for cell in plan['cells']:
        name, wanted = repository(cell['image']), tested[cell['key']]
        old = before.get(name, {})
        for tag in cell['tags']:
            found = now[name].get(tag)
            versions.append('new' if found == wanted else 'old' if found == old.get(tag) else 'other')
        found = now[name].get(MOVING)
        moving.append('new' if found == wanted else 'old' if found == old.get(MOVING) else 'other')
        for tag, digest in now[name].items():
            if digest != wanted and digest not in old.values():
                broken.append(f'I1 {name}:{tag} names {digest}, which nobody tested')
        was, is_now = version_of(registry, name, old.get(MOVING)), version_of(registry, name, found)
        if was and (not found or numbers(is_now) < numbers(was)):
            broken.append(f'I6 {name}:{MOVING} went from {was} to {is_now or "nothing"}')

    def whole(places):
        kinds = set(places)
        return kinds.pop() if len(kinds) == 1 else 'mixed'
    return {'versions': whole(versions), 'moving': whole(moving), 'new': versions.count('new') + moving.count('new'),
            'of': len(versions) + len(moving), 'broken': broken}


def main(arguments):
    if len(arguments) == 3 and arguments[0] == 'snapshot':
        print(json.dumps(snapshot(arguments[1], json.load(open(arguments[2])))))
        return 0
    if len(arguments) == 5 and arguments[0] == 'state':
        plan, before, tested = (json.load(open(name)) for name in arguments[2:])
        verdict = judge(arguments[1], plan, before, tested)
        print(json.dumps(verdict))
        return 1 if verdict['broken'] else 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

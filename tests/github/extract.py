#!/usr/bin/env python3
"""Makes openapi.json, payloads.json and LICENSE of the npm packages @octokit/openapi and @octokit/webhooks-examples.

usage: extract.py [FOLDER]      FOLDER: where the packages are kept, or unpacked with npm (default: a temporary one)

openapi.json is GitHub's description of the operations below and what they refer to, without prose and examples.
payloads.json has the description's own examples, which bodies.py fills in, and real payloads, which the test compares.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
DESCRIPTION, WEBHOOKS = ('@octokit/openapi', '23.0.2'), ('@octokit/webhooks-examples', '7.6.1')
REPOSITORY = '/repos/{owner}/{repo}'
OPERATIONS = {
    '': ['get'],
    '/actions/artifacts/{artifact_id}': ['delete'],
    '/actions/artifacts/{artifact_id}/{archive_format}': ['get'],
    '/actions/runs': ['get'],
    '/actions/runs/{run_id}': ['get'],
    '/actions/runs/{run_id}/artifacts': ['get'],
    '/actions/workflows/{workflow_id}/runs': ['get'],
    '/collaborators/{username}/permission': ['get'],
    '/commits/{ref}': ['get'],
    '/installation': ['get'],
    '/issues/comments/{comment_id}': ['get', 'patch'],
    '/issues/comments/{comment_id}/reactions': ['post'],
    '/issues/{issue_number}/comments': ['get', 'post'],
    '/pulls/{pull_number}': ['get'],
    '/pulls/{pull_number}/files': ['get'],
}
PACKAGE_VERSIONS = '/packages/{package_type}/{package_name}/versions'
ELSEWHERE = {
    '/app/installations/{installation_id}/access_tokens': ['post'],
    '/installation/token': ['delete'],
    '/users/{username}': ['get'],
    **{owner + path: methods for owner in ('/orgs/{org}', '/users/{username}')
       for path, methods in ((PACKAGE_VERSIONS, ['get']), (PACKAGE_VERSIONS + '/{package_version_id}', ['delete', 'get']))},
}
EXAMPLES = ['artifact-paginated', 'commit', 'diff-entry-items', 'full-repository', 'installation', 'installation-token', 'issue-comment', 'package-version-org', 'public-user-default-response', 'pull-request', 'reaction', 'workflow-run']
REAL = {'issue_comment': ('created', 'comment'), 'pull_request': ('opened', 'pull_request'), 'workflow_run': ('completed', 'workflow_run')}
PROSE = {'description', 'example', 'examples', 'externalDocs', 'summary', 'tags', 'title'}


def unpacked(folder, package):
    name, version = package
    place = folder / f'{name.rpartition("/")[2]}-{version}'
    if not place.is_dir():
        packed = subprocess.run(['npm', 'pack', '--silent', f'{name}@{version}'], cwd=folder, check=True, capture_output=True, text=True)
        place.mkdir()
        subprocess.run(['tar', 'xf', folder / packed.stdout.split()[-1], '-C', place, '--strip-components=1'], check=True)
    return place


def bare(value, names=False):
    """Without prose. `names`: the keys are names that the API uses."""
    if isinstance(value, list):
        return [bare(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: bare(item, key == 'properties') for key, item in value.items()
            if names or not (key in PROSE or key.startswith('x-'))}


def follow(document, reference):
    for key in reference.removeprefix('#/').split('/'):
        document = document[key]
    return document


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get('$ref'), str):
            yield value['$ref']
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from references(item)


def subset(document):
    paths = {}
    for path, methods in ({REPOSITORY + path: methods for path, methods in OPERATIONS.items()} | ELSEWHERE).items():
        described = document['paths'][path]
        paths[path] = {method: bare(described[method]) for method in methods}
    components, left = {}, sorted(set(references(paths)))
    while left:
        reference = left.pop()
        kind, name = reference.split('/')[2:]
        if name not in components.setdefault(kind, {}):
            components[kind][name] = bare(follow(document, reference))
            left += references(components[kind][name])
    info = {'title': "GitHub's REST API, some operations", 'version': document['info']['version'], 'license': document['info']['license']}
    return {'openapi': document['openapi'], 'info': info, 'paths': paths,
            'components': {kind: dict(sorted(members.items())) for kind, members in sorted(components.items())}}


def real_payload(events, name):
    """The fullest of the event's examples."""
    action, key = REAL[name]
    event = next(event for event in events if event['name'] == name)
    return max((example[key] for example in event['examples'] if example['action'] == action), key=lambda payload: len(json.dumps(payload)))


def write(name, value):
    (HERE / name).write_text(json.dumps(value, indent=1, ensure_ascii=False) + '\n')


def main():
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else scratch)
        description = unpacked(folder, DESCRIPTION)
        document = json.loads((description / 'generated/api.github.com.json').read_text())
        shutil.copyfile(description / 'LICENSE', HERE / 'LICENSE')
        events = json.loads((unpacked(folder, WEBHOOKS) / 'api.github.com/index.json').read_text())
    write('openapi.json', subset(document))
    write('payloads.json', {'described': {name: document['components']['examples'][name]['value'] for name in EXAMPLES},
                            'real': {name: real_payload(events, name) for name in REAL}})


if __name__ == '__main__':
    main()

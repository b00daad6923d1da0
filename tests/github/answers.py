"""What each operation answers, from the state; an operation's name is that of GitHub's description.

Not here: who may ask and how often (server), how a body looks (bodies).
"""
import re
import urllib.parse

from bodies import FACES, Bodies
from state import LEVELS, add_comment
from store import rfc3339

DOCUMENTS = 'https://docs.github.com/rest'
LONGEST_COMMENT, MOST_FILES, MOST_FILTERED_RUNS = 65536, 3000, 1000
ANSWERS = {}


class Refusal(Exception):
    def __init__(self, status, message, headers=(), **more):
        super().__init__(message)
        self.status, self.headers = status, dict(headers)
        self.body = {'message': message, **more, 'documentation_url': DOCUMENTS, 'status': str(status)}


class Unscripted(Exception):
    """Asked for as GitHub describes, but this server does not know it."""


class Answer:
    def __init__(self, status, body=None, headers=()):
        self.status, self.body, self.headers = status, body, dict(headers)


def answers(operation, rights, anonymous=True, by_app=False):
    """`rights`: as X-Accepted-GitHub-Permissions has them, None = every token has them. `anonymous`: nobody needs a token where the
    repository is public. `by_app`: an App itself asks, by its proof."""
    def keep(act):
        act.rights, act.anonymous, act.by_app = rights, anonymous, by_app
        ANSWERS[operation] = act
        return act
    return keep


class Case:
    """One question to the repository. `who`: the token's owner, None = nobody. `api`, `storage`: where they are asked."""

    def __init__(self, store, api, storage, path, query, body, token, who):
        self.store, self.path, self.query, self.body, self.token, self.who = store, path, query, body, token, who
        self.api, self.storage, self.bodies = api, storage, Bodies(store, api)
        self.now = rfc3339(store.now())

    def found(self, kind, **wanted):
        item = self.store.find(kind, **wanted)
        if item is None:
            raise Refusal(404, 'Not Found')
        return item

    def number(self, name):
        return int(self.path[name])

    def page(self, items, rest, base=None):
        """The page asked for, and the header that leads to the others; `rest`: the address below the repository's, or below `base`."""
        size, page = int(self.query.get('per_page', 30)), int(self.query.get('page', 1))
        last = max(1, -(-len(items) // size))
        pages = {'prev': min(page - 1, last) if page > 1 else None, 'next': page + 1 if page < last else None,
                 'last': last if page < last else None, 'first': 1 if page > 1 else None}
        base = (base or f'{self.api}/repositories/{self.store["repository"]["id"]}') + rest
        links = [f'<{base}?{urllib.parse.urlencode(self.query | {"page": number})}>; rel="{name}"' for name, number in pages.items() if number]
        return items[(page - 1) * size:page * size], {'Link': ', '.join(links)} if links else {}


# --- Actions --------------------------------------------------------------------------------------------------------------------

def runs_page(case, runs, rest):
    if 'created' in case.query:
        raise Unscripted('runs by the time they were created')
    wanted = {name: case.query[name] for name in ('actor', 'branch', 'event', 'head_sha', 'status', 'check_suite_id') if name in case.query}
    for name, value in wanted.items():
        facts = {'actor': ['actor'], 'branch': ['branch'], 'event': ['event'], 'head_sha': ['sha'], 'status': ['status', 'conclusion']}.get(name)
        runs = [run for run in runs if (value in [run[fact] for fact in facts] if facts else value == str(run['id'] + 1))]
    runs = sorted(runs, key=lambda run: (run['created_at'], run['id']), reverse=True)
    items, headers = case.page(runs[:MOST_FILTERED_RUNS] if wanted else runs, rest)
    return Answer(200, {'total_count': len(runs), 'workflow_runs': [run_body(case, run) for run in items]}, headers)


def run_body(case, run):
    body = case.bodies.run(run)
    return body | {'pull_requests': []} if case.query.get('exclude_pull_requests') == 'true' else body


@answers('actions/list-workflow-runs-for-repo', 'actions=read')
def list_runs(case):
    return runs_page(case, case.store['runs'], '/actions/runs')


@answers('actions/list-workflow-runs', 'actions=read')
def list_runs_of_workflow(case):
    wanted = case.path['workflow_id']
    workflow = case.found('workflows', id=int(wanted)) if wanted.isdigit() else case.found('workflows', path=f'.github/workflows/{wanted}')
    runs = [run for run in case.store['runs'] if run['workflow_id'] == workflow['id']]
    return runs_page(case, runs, f'/actions/workflows/{urllib.parse.quote(wanted, safe="")}/runs')


@answers('actions/get-workflow-run', 'actions=read')
def get_run(case):
    return Answer(200, run_body(case, case.found('runs', id=case.number('run_id'))))


@answers('actions/list-workflow-run-artifacts', 'actions=read')
def list_artifacts(case):
    run = case.found('runs', id=case.number('run_id'))
    artifacts = [item for item in case.store['artifacts'] if item['run'] == run['id'] and case.query.get('name', item['name']) == item['name']]
    artifacts.sort(key=lambda item: item['id'], reverse=case.query.get('direction') != 'asc')
    items, headers = case.page(artifacts, f'/actions/runs/{run["id"]}/artifacts')
    return Answer(200, {'total_count': len(artifacts), 'artifacts': [case.bodies.artifact(item) for item in items]}, headers)


@answers('actions/download-artifact', 'actions=read', anonymous=False)
def download_artifact(case):
    artifact = case.found('artifacts', id=case.number('artifact_id'))
    if case.path['archive_format'] != 'zip':
        raise Refusal(404, 'Not Found')
    if artifact.get('expired'):
        raise Refusal(410, 'Artifact has expired')
    return Answer(302, None, {'Location': f'{case.storage}/archives/{artifact["id"]}?sig=signature-{artifact["id"]}'})


@answers('actions/delete-artifact', 'actions=write')
def delete_artifact(case):
    case.store.remove('artifacts', id=case.found('artifacts', id=case.number('artifact_id'))['id'])
    return Answer(204)


# --- pull requests --------------------------------------------------------------------------------------------------------------

@answers('pulls/get', 'pull_requests=read')
def get_pull(case):
    return Answer(200, case.bodies.pull(case.found('pulls', number=case.number('pull_number'))))


@answers('pulls/list-files', 'pull_requests=read')
def list_files(case):
    pull = case.found('pulls', number=case.number('pull_number'))
    files = sorted((item for item in case.store['files'] if item['number'] == pull['number']), key=lambda item: item['filename'])
    items, headers = case.page(files[:MOST_FILES], f'/pulls/{pull["number"]}/files')
    return Answer(200, [case.bodies.file(item, pull['head_sha']) for item in items], headers)


# --- comments -------------------------------------------------------------------------------------------------------------------

def checked_text(case):
    text = case.body['body']
    wrong = {'message': 'Body cannot be blank', 'code': 'missing_field'} if not text.strip() else None
    if len(text) > LONGEST_COMMENT:
        wrong = {'message': f'Body is too long (maximum is {LONGEST_COMMENT} characters)', 'code': 'unprocessable'}
    if wrong:
        raise Refusal(422, 'Validation Failed', errors=[{'resource': 'IssueComment', 'field': 'data', **wrong}])
    return text


@answers('issues/list-comments', 'issues=read; pull_requests=read')
def list_comments(case):
    number = case.found('pulls', number=case.number('issue_number'))['number']
    comments = [item for item in case.store['comments'] if item['issue'] == number and item['updated_at'] >= case.query.get('since', '')]
    items, headers = case.page(sorted(comments, key=lambda item: item['id']), f'/issues/{number}/comments')
    return Answer(200, [case.bodies.comment(item) for item in items], headers)


@answers('issues/create-comment', 'issues=write; pull_requests=write')
def create_comment(case):
    number = case.found('pulls', number=case.number('issue_number'))['number']
    body = case.bodies.comment(add_comment(case.store, number, checked_text(case), case.who['login'], case.who['user_id'], case.now))
    return Answer(201, body, {'Location': body['url']})


@answers('issues/get-comment', 'issues=read; pull_requests=read')
def get_comment(case):
    return Answer(200, case.bodies.comment(case.found('comments', id=case.number('comment_id'))))


@answers('issues/update-comment', 'issues=write; pull_requests=write')
def update_comment(case):
    comment = case.found('comments', id=case.number('comment_id'))
    comment |= {'body': checked_text(case), 'updated_at': case.now}
    return Answer(200, case.bodies.comment(comment))


@answers('reactions/create-for-issue-comment', 'issues=write; pull_requests=write')
def create_reaction(case):
    comment = case.found('comments', id=case.number('comment_id'))
    assert case.body['content'] in FACES
    wanted = {'comment': comment['id'], 'content': case.body['content'], 'login': case.who['login'], 'user_id': case.who['user_id']}
    known = case.store.find('reactions', **wanted)
    if known:
        return Answer(200, case.bodies.reaction(known))
    case.store['reactions'].append(wanted | {'id': len(case.store['reactions']) + 1, 'created_at': case.now})
    return Answer(201, case.bodies.reaction(case.store['reactions'][-1]))


# --- the repository, users and commits ----------------------------------------------------------------------------------------------------------

@answers('repos/get', 'metadata=read')
def get_repository(case):
    return Answer(200, case.bodies.whole_repository(case.who))


@answers('repos/get-collaborator-permission-level', 'metadata=read', anonymous=False)
def get_permission(case):
    login = case.path['username']
    user = next((each for each in case.store['users'] if each['login'].lower() == login.lower()), None)
    if user is None:
        raise Refusal(404, f'{login} is not a user')
    return Answer(200, case.bodies.permission(user))


@answers('repos/get-commit', 'contents=read')
def get_commit(case):
    ref = case.path['ref']
    named = re.sub('^(heads|tags)/', '', ref)
    known = next((each for each in case.store['commits'] if each['sha'] == ref or named in each['refs']), None)
    heads = {run['sha'] for run in case.store['runs']} | {pull['head_sha'] for pull in case.store['pulls']}
    if known is None and ref in heads:
        known = {'sha': ref, 'date': '2026-01-01T00:00:00Z'}
    if known is None:
        raise Refusal(422, f'No commit found for SHA: {ref}')
    return Answer(200, case.bodies.commit(known))


@answers('users/get-by-username', 'metadata=read')
def get_user(case):
    return Answer(200, case.bodies.account(owner_of(case)))


def owner_of(case):
    login = case.path.get('org') or case.path['username']
    user = next((each for each in case.store['users'] if each['login'].lower() == login.lower()), None)
    if user is None:
        raise Refusal(404, 'Not Found')
    return user


# --- packages -------------------------------------------------------------------------------------------------------------------

def package_of(case):
    """Those of an organisation have an address of their own."""
    owner = owner_of(case)
    if case.path['package_type'] != 'container':
        raise Unscripted('packages of another kind')
    if bool(owner.get('organisation')) != ('org' in case.path):
        raise Refusal(404, 'Package not found.')
    name = f'{owner["login"]}/{case.path["package_name"]}'
    versions = [item for item in case.store['packages'] if item['package'] == name]
    if not versions or role_in(case, name) == 'none':
        raise Refusal(404, 'Package not found.')
    return name, versions


def role_in(case, name):
    return case.store['package_roles'].get(name, 'admin')


def version_of(case):
    name, versions = package_of(case)
    found = next((item for item in versions if item['id'] == case.number('package_version_id')), None)
    if found is None:
        raise Refusal(404, 'Package version not found.')
    return name, versions, found


def list_versions(case):
    name, versions = package_of(case)
    items, headers = case.page(sorted(versions, key=lambda item: item['id'], reverse=True), '', case.bodies.versions_url(case.path))
    return Answer(200, [case.bodies.version(item, case.path) for item in items], headers)


def get_version(case):
    return Answer(200, case.bodies.version(version_of(case)[2], case.path))


def delete_version(case):
    name, versions, found = version_of(case)
    if role_in(case, name) != 'admin':
        raise Refusal(404, 'Package not found.')
    if found['tags'] and not any(item['tags'] for item in versions if item is not found):
        raise Refusal(400, 'You cannot delete the last tagged version of a package. You must delete the package instead.')
    case.store.remove('packages', id=found['id'])
    return Answer(204)


for _end, _version in (('org', 'organization'), ('user', 'user')):
    answers(f'packages/get-all-package-versions-for-package-owned-by-{_end}', 'packages=read', anonymous=False)(lambda case: list_versions(case))
    answers(f'packages/get-package-version-for-{_version}', 'packages=read', anonymous=False)(lambda case: get_version(case))
    answers(f'packages/delete-package-version-for-{_end}', 'packages=write', anonymous=False)(lambda case: delete_version(case))


# --- Apps -----------------------------------------------------------------------------------------------------------------------

def installation_of(case, number=None):
    app = case.who['app']
    if not app['installed'] or number not in (None, app['installation']):
        raise Refusal(404, 'Not Found')
    return app


@answers('apps/get-repo-installation', None, anonymous=False, by_app=True)
def get_installation(case):
    return Answer(200, case.bodies.installation(installation_of(case)))


@answers('apps/create-installation-access-token', None, anonymous=False, by_app=True)
def create_app_token(case):
    app, wanted = installation_of(case, case.number('installation_id')), case.body or {}
    if 'repository_ids' in wanted:
        raise Unscripted('a token for repositories by their numbers')
    if set(wanted.get('repositories', [])) - {case.store['repository']['full_name'].split('/')[1]}:
        raise Refusal(422, 'There is at least one repository that does not exist or is not accessible to the parent installation.')
    permissions = wanted.get('permissions', app['permissions'])
    if any(LEVELS.index(level) > LEVELS.index(app['permissions'].get(name, 'none')) for name, level in permissions.items()):
        raise Refusal(422, 'The permissions requested are not granted to this installation.')
    token = f'ghs_app{app["id"]}x{len(app["made"]) + 1:028}'
    app['made'].append({'token': token, 'permissions': permissions, 'repositories': wanted.get('repositories'), 'revoked': False})
    case.store['tokens'][token] = {'kind': 'installation', 'permissions': {'metadata': 'read'} | permissions, 'login': f'{app["slug"]}[bot]',
                                   'user_id': app['id']}
    return Answer(201, case.bodies.app_token(app['made'][-1]))


@answers('apps/revoke-installation-access-token', None, anonymous=False)
def revoke_app_token(case):
    made = next((each for app in case.store['apps'] for each in app['made'] if each['token'] == case.token), None)
    if made is None:
        raise Unscripted('the end of a token that no App has made')
    made['revoked'] = True
    del case.store['tokens'][case.token]
    return Answer(204)

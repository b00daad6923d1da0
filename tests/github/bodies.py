"""Whole answers from compact state: the description's own examples (payloads.json), with the values of the state in them.

Not here: which answer is due (server), whether it is as described (description).
"""
import base64
import functools
import hashlib
import io
import json
import pathlib
import urllib.parse
import zipfile

from state import number_of, sha_of
from store import rfc3339

PAYLOADS = json.loads((pathlib.Path(__file__).resolve().parent / 'payloads.json').read_text())['described']
EXAMPLE_USER, EXAMPLE_REPOSITORY = PAYLOADS['pull-request']['user'], PAYLOADS['pull-request']['base']['repo']
EXAMPLE_MINIMAL = PAYLOADS['workflow-run']['repository']
HOUR = 3600
API, SITE = 'https://api.github.com', 'https://github.com'
FACES = ['+1', '-1', 'laugh', 'hooray', 'confused', 'heart', 'rocket', 'eyes']


def dressed(example, api, *pairs):
    """A copy of `example` with other texts; pairs of (as in the example, instead)."""
    text = json.dumps(example)
    for old, new in (*pairs, (API, api)):
        text = text.replace(old, json.dumps(new)[1:-1])
    return json.loads(text)


def node_id(kind, number):
    return base64.b64encode(f'0:{kind}{number}'.encode()).decode()


@functools.lru_cache(4096)
def user_text(api, login, number):
    bot = login.endswith('[bot]')
    user = dressed(EXAMPLE_USER, api, ('octocat', urllib.parse.quote(login)))
    user |= {'login': login, 'id': number, 'node_id': node_id('User', number), 'type': 'Bot' if bot else 'User', 'user_view_type': 'public'}
    if bot:
        user['html_url'] = f'{SITE}/apps/{urllib.parse.quote(login.removesuffix("[bot]"))}'
    return json.dumps(user)


class Bodies:
    def __init__(self, store, api):
        self.store, self.api = store, api
        self.home = store['repository']
        self.url = f'{api}/repos/{self.home["full_name"]}'
        self.site = f'{SITE}/{self.home["full_name"]}'

    def user(self, login, number=None):
        known = self.store.find('users', login=login) or {}
        return json.loads(user_text(self.api, login, number or known.get('id') or number_of(login)))

    def repository(self, fork=None, whole=False):
        """Of the state, or a fork of it; `whole`: as pull requests have it."""
        name, number = (fork or self.home)['full_name'], (fork or self.home)['id']
        example = EXAMPLE_REPOSITORY if whole else EXAMPLE_MINIMAL
        owner, short = name.split('/')
        body = dressed(example, self.api, (example['full_name'], name))
        private = self.home['private'] and not fork
        body |= {'id': number, 'node_id': node_id('Repository', number), 'name': short, 'full_name': name, 'owner': self.user(owner),
                 'private': private, 'fork': bool(fork)}
        if whole:
            body |= {'visibility': 'private' if private else 'public', 'default_branch': self.home['default_branch'], 'is_template': False,
                     'web_commit_signoff_required': False}
            body.pop('temp_clone_token', None)
            body.pop('permissions', None)
        return body

    def whole_repository(self, who):
        """As it is asked for by itself; `who`: the token's owner, None = there is no token."""
        example = PAYLOADS['full-repository']
        body = dressed(example, self.api, (example['full_name'], self.home['full_name'])) | self.repository(whole=True)
        for name in ('temp_clone_token', 'template_repository', 'organization', 'parent', 'source', 'permissions'):
            body.pop(name, None)
        if who is not None:
            # The role of a person. An installation has none, whatever its token may do.
            level = 'none' if who['kind'] == 'installation' else who['permissions'].get('contents', 'none')
            body['permissions'] = {'admin': level == 'admin', 'maintain': level == 'admin', 'push': level in ('write', 'admin'),
                                   'triage': level in ('write', 'admin'), 'pull': level != 'none'}
        return body

    # --- Actions ----------------------------------------------------------------------------------------------------------------

    def head_of(self, run):
        fork = run.get('head_repository')
        return None if fork and fork.get('deleted') else self.repository(fork)

    def minimal_pull(self, pull):
        home = {'id': self.home['id'], 'url': self.url, 'name': self.home['full_name'].split('/')[1]}
        return {'url': f'{self.url}/pulls/{pull["number"]}', 'id': number_of(f'pull {pull["number"]}'), 'number': pull['number'],
                'head': {'ref': pull['head_ref'], 'sha': pull['head_sha'], 'repo': home},
                'base': {'ref': pull['base_ref'], 'sha': pull['base_sha'], 'repo': home}}

    def run(self, run):
        example = PAYLOADS['workflow-run']
        body = dressed(example, self.api, (example['repository']['full_name'], self.home['full_name']), (f'/runs/{example["id"]}', f'/runs/{run["id"]}'),
                       (f'/workflows/{example["workflow_id"]}', f'/workflows/{run["workflow_id"]}'), ('check-suites/414944374', f'check-suites/{run["id"] + 1}'))
        file = pathlib.PurePosixPath(run['path'])
        actor = self.user(run['actor'])
        head = self.head_of(run)
        # None of a fork's: the list has those of the same repository only.
        pull = self.store.find('pulls', number=run['pull']) if run.get('pull') and not run.get('head_repository') else None
        previous = f'{self.url}/actions/runs/{run["id"]}/attempts/{run["attempt"] - 1}' if run['attempt'] > 1 else None
        return body | {
            'id': run['id'], 'name': file.stem, 'node_id': node_id('WorkflowRun', run['id']), 'check_suite_id': run['id'] + 1,
            'check_suite_node_id': node_id('CheckSuite', run['id'] + 1), 'head_branch': run['branch'], 'head_sha': run['sha'], 'path': run['path'],
            'display_title': 'A change', 'run_number': run['number'], 'event': run['event'], 'status': run['status'], 'conclusion': run['conclusion'],
            'workflow_id': run['workflow_id'], 'pull_requests': [self.minimal_pull(pull)] if pull else [], 'created_at': run['created_at'],
            'updated_at': run['updated_at'], 'run_started_at': run['started_at'], 'actor': actor, 'triggering_actor': actor, 'run_attempt': run['attempt'],
            'referenced_workflows': [], 'previous_attempt_url': previous, 'repository': self.repository(), 'head_repository': head,
            'head_commit': body['head_commit'] | {'id': run['sha'], 'tree_id': sha_of(run['sha']), 'message': 'A change', 'timestamp': run['created_at']}}

    @staticmethod
    def archive(artifact):
        if artifact.get('file'):
            return pathlib.Path(artifact['file']).read_bytes()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, 'w') as archive:
            archive.writestr(zipfile.ZipInfo('content.txt'), f'artifact {artifact["name"]}\n')
        return packed.getvalue()

    def artifact(self, artifact):
        run = self.store.find('runs', id=artifact['run'])
        data = self.archive(artifact)
        url = f'{self.url}/actions/artifacts/{artifact["id"]}'
        head = (run.get('head_repository') or self.home) if run else self.home
        return PAYLOADS['artifact-paginated']['artifacts'][0] | {
            'id': artifact['id'], 'node_id': node_id('Artifact', artifact['id']), 'name': artifact['name'], 'size_in_bytes': len(data), 'url': url,
            'archive_download_url': f'{url}/zip', 'expired': bool(artifact.get('expired')), 'created_at': artifact['created_at'],
            'updated_at': artifact['created_at'], 'expires_at': '2099-01-01T00:00:00Z',
            'digest': None if artifact.get('no_digest') else f'sha256:{hashlib.sha256(data).hexdigest()}',
            'workflow_run': run and {'id': run['id'], 'repository_id': self.home['id'], 'head_repository_id': head.get('id', 0),
                                     'head_branch': run['branch'], 'head_sha': run['sha']}}

    # --- pull requests ----------------------------------------------------------------------------------------------------------

    def side(self, ref, sha, repository):
        name = (repository or {'full_name': 'unknown/repository'})['full_name']
        owner = name.split('/')[0]
        return {'label': f'{owner}:{ref}', 'ref': ref, 'sha': sha, 'user': self.user(owner), 'repo': repository}

    def pull(self, pull):
        example, number = PAYLOADS['pull-request'], pull['number']
        body = dressed({key: value for key, value in example.items() if key not in ('head', 'base')}, self.api,
                       (example['base']['repo']['full_name'], self.home['full_name']), (f'/{example["number"]}', f'/{number}'),
                       (example['head']['sha'], pull['head_sha']))
        fork = pull.get('fork')
        pushed = {'pushed_at': pull['pushed_at']}
        head = None if fork and fork.get('deleted') else self.repository(fork, whole=True) | pushed
        base = self.repository(whole=True) | ({} if fork else pushed)
        is_open, merged = pull['state'] == 'open', pull['merged']
        closed = None if is_open else pull['updated_at']
        files = [item for item in self.store['files'] if item['number'] == number]
        comments = sum(item['issue'] == number for item in self.store['comments'])
        return body | {
            'id': number_of(f'pull {number}'), 'node_id': node_id('PullRequest', number), 'number': number, 'state': pull['state'], 'locked': False,
            'active_lock_reason': None, 'title': pull['title'], 'user': self.user(pull['author']), 'body': None, 'labels': [], 'milestone': None,
            'created_at': pull['created_at'], 'updated_at': pull['updated_at'], 'closed_at': closed, 'merged_at': closed if merged else None,
            'merge_commit_sha': sha_of(f'merge {pull["head_sha"]}'), 'assignee': None, 'assignees': [], 'requested_reviewers': [], 'requested_teams': [],
            'head': self.side(pull['head_ref'], pull['head_sha'], head), 'base': self.side(pull['base_ref'], pull['base_sha'], base),
            'author_association': 'CONTRIBUTOR' if fork else 'MEMBER', 'draft': pull['draft'], 'merged': merged, 'mergeable': True if is_open else None,
            'rebaseable': True if is_open else None, 'mergeable_state': 'clean' if is_open else 'unknown',
            'merged_by': self.user('octocat') if merged else None, 'comments': comments, 'commits': 1, 'additions': len(files), 'deletions': len(files),
            'changed_files': len(files) if pull.get('changed_files') is None else pull['changed_files'],
            'maintainer_can_modify': bool(fork) and is_open}

    def file(self, item, sha):
        name = urllib.parse.quote(item['filename'], safe='')
        added, removed = item['status'] != 'removed', item['status'] != 'added'
        renamed = item['status'] in ('renamed', 'copied')
        body = {'sha': sha_of(item['filename']), 'filename': item['filename'], 'status': item['status'], 'additions': int(added and not renamed),
                'deletions': int(removed and not renamed), 'changes': 0 if renamed else int(added) + int(removed),
                'blob_url': f'{self.site}/blob/{sha}/{name}', 'raw_url': f'{self.site}/raw/{sha}/{name}',
                'contents_url': f'{self.url}/contents/{name}?ref={sha}'}
        if not renamed:
            body['patch'] = '@@ -1 +1 @@\n' + '-old\n' * removed + '+new' * added
        if item.get('previous_filename'):
            body['previous_filename'] = item['previous_filename']
        return body

    # --- comments, users, commits -----------------------------------------------------------------------------------------------

    def comment(self, comment):
        url = f'{self.url}/issues/comments/{comment["id"]}'
        faces = [item['content'] for item in self.store['reactions'] if item['comment'] == comment['id']]
        return PAYLOADS['issue-comment'] | {
            'id': comment['id'], 'node_id': node_id('IssueComment', comment['id']), 'url': url, 'body': comment['body'],
            'html_url': f'{self.site}/pull/{comment["issue"]}#issuecomment-{comment["id"]}', 'issue_url': f'{self.url}/issues/{comment["issue"]}',
            'user': self.user(comment['login'], comment['user_id']), 'created_at': comment['created_at'], 'updated_at': comment['updated_at'],
            'author_association': 'NONE', 'performed_via_github_app': None,
            'reactions': {'url': f'{url}/reactions', 'total_count': len(faces)} | {face: faces.count(face) for face in FACES}}

    def reaction(self, reaction):
        return PAYLOADS['reaction'] | {'id': reaction['id'], 'node_id': node_id('Reaction', reaction['id']), 'content': reaction['content'],
                                       'user': self.user(reaction['login'], reaction['user_id']), 'created_at': reaction['created_at']}

    def permission(self, user):
        level, role = user['level'], user['role']
        rank = ['none', 'read', 'write', 'admin'].index(level)
        rights = {'admin': rank == 3, 'maintain': rank == 3 or role == 'maintain', 'push': rank >= 2, 'triage': rank >= 2 or role == 'triage', 'pull': rank >= 1}
        return {'permission': level, 'role_name': role, 'user': self.user(user['login'], user['id']) | {'permissions': rights, 'role_name': role}}

    def commit(self, commit):
        example, sha = PAYLOADS['commit'], commit['sha']
        body = dressed(example, self.api, ('octocat/Hello-World', self.home['full_name']), (example['sha'], sha))
        body['commit'] |= {'message': commit.get('message') or 'A change', 'tree': {'url': f'{self.url}/git/trees/{sha_of(sha)}', 'sha': sha_of(sha)},
                           'author': body['commit']['author'] | {'date': commit['date']}, 'committer': body['commit']['committer'] | {'date': commit['date']}}
        parents = [{'sha': parent, 'url': f'{self.url}/commits/{parent}', 'html_url': f'{self.site}/commit/{parent}'} for parent in commit.get('parents', [])]
        return body | {'node_id': node_id('Commit', sha), 'author': self.user('octocat'), 'committer': self.user('octocat'), 'parents': parents,
                       'stats': {'additions': 0, 'deletions': 0, 'total': 0}, 'files': []}

    def account(self, user):
        """A person or an organisation, as its own page has it."""
        example = PAYLOADS['public-user-default-response']
        known = self.user(user['login'], user['id']) | {'type': 'Organization' if user.get('organisation') else 'User'}
        return example | {key: value for key, value in known.items() if key in example} | {'user_view_type': 'public'}

    # --- packages ---------------------------------------------------------------------------------------------------------------

    def versions_url(self, path):
        owner = f'orgs/{path["org"]}' if 'org' in path else f'users/{path["username"]}'
        return f'{self.api}/{owner}/packages/container/{urllib.parse.quote(path["package_name"], safe="")}/versions'

    def version(self, version, path):
        page = f'{SITE}/{version["package"].split("/")[0]}/packages/container/{urllib.parse.quote(path["package_name"], safe="")}'
        return PAYLOADS['package-version-org'] | {
            'id': version['id'], 'name': version['digest'], 'url': f'{self.versions_url(path)}/{version["id"]}', 'package_html_url': page,
            'html_url': f'{page}/{version["id"]}', 'created_at': version['created_at'], 'updated_at': version['created_at'],
            'metadata': {'package_type': 'container', 'container': {'tags': version['tags']}}}

    # --- Apps -------------------------------------------------------------------------------------------------------------------

    def installation(self, app):
        owner, number = self.user(self.home['full_name'].split('/')[0]), app['installation']
        return dressed(PAYLOADS['installation'], self.api) | {
            'id': number, 'account': owner, 'access_tokens_url': f'{self.api}/app/installations/{number}/access_tokens', 'app_id': app['id'],
            'html_url': f'{SITE}/organizations/{owner["login"]}/settings/installations/{number}', 'client_id': app['client_id'],
            'target_id': owner['id'], 'permissions': app['permissions'], 'app_slug': app['slug']}

    def app_token(self, made):
        limits = {'repositories': [self.repository(whole=True)]} if made['repositories'] else {}
        return {'token': made['token'], 'expires_at': rfc3339(self.store.now() + HOUR), 'permissions': {'metadata': 'read'} | made['permissions'],
                'repository_selection': 'selected' if limits else 'all', **limits}

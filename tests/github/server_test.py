#!/usr/bin/env python3
"""The scripted server answers as GitHub describes it, and takes nothing else.

usage: server_test.py [CASE...]
"""
import base64
import concurrent.futures
import contextlib
import functools
import http.client
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import app_proof  # noqa: E402
from answers import ANSWERS  # noqa: E402
from bodies import Bodies  # noqa: E402
from description import Description  # noqa: E402
from server import GitHub  # noqa: E402
from state import apply, parser  # noqa: E402
from store import Store  # noqa: E402

TOKEN = 'ghs_sesame'
SHA = 'a' * 40
HEADERS = {'User-Agent': 'test', 'Accept': 'application/vnd.github+json', 'X-GitHub-Api-Version': '2022-11-28', 'Authorization': f'Bearer {TOKEN}'}
WORLD = [
    f'init --token {TOKEN}',
    f'run --id 1 --sha {SHA} --workflow build.yml --event pull_request --pull 7 --conclusion success',
    f'run --id 2 --sha {SHA} --workflow build.yml --event pull_request --pull 7 --fork --status in_progress --attempt 2',
    'artifact --id 3 --run 1 --name logs', 'artifact --id 4 --run 1 --name old --no-digest', 'artifact --id 5 --run 1 --name gone --expired',
    f'pull --number 7 --head-sha {SHA}', 'pull --number 8 --fork --state closed', 'pull --number 9 --fork-deleted --merged',
    'file add --number 7 --name Dockerfile new', 'file add --number 7 --name b --status renamed --previous a',
    'comment add --issue 7 --body first --id 1001', 'user --login octocat --level admin', 'user --login keeper --role maintain',
    'user --login nobody --level none', 'user --login octo --organisation', 'package --owner octo --name app/ci --id 21 --tag latest',
    'package --owner octo --name app/ci --id 22 --tag pr-7', 'package --owner octocat --name ci --id 31 --tag latest',
    'package --owner octocat --name ci --id 32 --tag pr-7', f'commit --sha {"b" * 40} --ref main --parent {SHA}',
]
REPO = '/repos/octo/app'
OF_ORG, OF_USER = '/orgs/octo/packages/container/app%2Fci/versions', '/users/octocat/packages/container/ci/versions'
ALL_VERSIONS = 'packages/get-all-package-versions-for-package-owned-by'
APP_TOKEN = '/app/installations/7012/access_tokens'
WRITER = {'repositories': ['app'], 'permissions': {'contents': 'write'}}
# Every operation, as often as it answers differently: name, method, address (below the repository's, or of an account), body, status.
QUESTIONS = [
    ('actions/list-workflow-runs', 'GET', '/actions/workflows/build.yml/runs?per_page=100', None, 200),
    ('actions/list-workflow-runs', 'GET', '/actions/workflows/other.yml/runs', None, 404),
    ('actions/list-workflow-runs-for-repo', 'GET', f'/actions/runs?head_sha={SHA}&event=pull_request&status=success', None, 200),
    ('actions/get-workflow-run', 'GET', '/actions/runs/1', None, 200),
    ('actions/get-workflow-run', 'GET', '/actions/runs/2?exclude_pull_requests=true', None, 200),
    ('actions/get-workflow-run', 'GET', '/actions/runs/99', None, 404),
    ('actions/list-workflow-run-artifacts', 'GET', '/actions/runs/1/artifacts?name=logs&direction=asc', None, 200),
    ('actions/list-workflow-run-artifacts', 'GET', '/actions/runs/1/artifacts', None, 200),
    ('actions/download-artifact', 'GET', '/actions/artifacts/3/zip', None, 302),
    ('actions/download-artifact', 'GET', '/actions/artifacts/5/zip', None, 410),
    ('actions/delete-artifact', 'DELETE', '/actions/artifacts/3', None, 204),
    ('pulls/get', 'GET', '/pulls/7', None, 200),
    ('pulls/get', 'GET', '/pulls/8', None, 200),
    ('pulls/get', 'GET', '/pulls/9', None, 200),
    ('pulls/get', 'GET', '/pulls/99', None, 404),
    ('pulls/list-files', 'GET', '/pulls/7/files', None, 200),
    ('issues/list-comments', 'GET', '/issues/7/comments?since=2020-01-01T00%3A00%3A00Z', None, 200),
    ('issues/create-comment', 'POST', '/issues/7/comments', {'body': 'two'}, 201),
    ('issues/create-comment', 'POST', '/issues/7/comments', {'body': ' '}, 422),
    ('issues/create-comment', 'POST', '/issues/7/comments', {'body': 'é' * 65537}, 422),
    ('issues/create-comment', 'POST', '/issues/99/comments', {'body': 'two'}, 404),
    ('issues/get-comment', 'GET', '/issues/comments/1001', None, 200),
    ('issues/update-comment', 'PATCH', '/issues/comments/1001', {'body': 'second'}, 200),
    ('issues/update-comment', 'PATCH', '/issues/comments/1', {'body': 'second'}, 404),
    ('reactions/create-for-issue-comment', 'POST', '/issues/comments/1001/reactions', {'content': 'rocket'}, 201),
    ('repos/get', 'GET', '', None, 200),
    ('repos/get-collaborator-permission-level', 'GET', '/collaborators/OctoCat/permission', None, 200),
    ('repos/get-collaborator-permission-level', 'GET', '/collaborators/keeper/permission', None, 200),
    ('repos/get-collaborator-permission-level', 'GET', '/collaborators/nobody/permission', None, 200),
    ('repos/get-collaborator-permission-level', 'GET', '/collaborators/stranger/permission', None, 404),
    ('repos/get-commit', 'GET', '/commits/heads/main', None, 200),
    ('repos/get-commit', 'GET', f'/commits/{SHA}', None, 200),
    ('repos/get-commit', 'GET', '/commits/elsewhere', None, 422),
    ('apps/get-repo-installation', 'GET', '/installation', None, 200),
    ('apps/create-installation-access-token', 'POST', APP_TOKEN, WRITER, 201),
    ('apps/create-installation-access-token', 'POST', APP_TOKEN, None, 201),
    ('apps/create-installation-access-token', 'POST', APP_TOKEN, {'permissions': {'issues': 'write'}}, 422),
    ('apps/create-installation-access-token', 'POST', APP_TOKEN, {'repositories': ['other']}, 422),
    ('apps/create-installation-access-token', 'POST', '/app/installations/1/access_tokens', WRITER, 404),
    ('apps/revoke-installation-access-token', 'DELETE', '/installation/token', None, 204),
    ('users/get-by-username', 'GET', '/users/Octo', None, 200),
    ('users/get-by-username', 'GET', '/users/octocat', None, 200),
    ('users/get-by-username', 'GET', '/users/stranger', None, 404),
    (f'{ALL_VERSIONS}-org', 'GET', f'{OF_ORG}?per_page=1', None, 200),
    (f'{ALL_VERSIONS}-org', 'GET', '/orgs/octocat/packages/container/ci/versions', None, 404),
    (f'{ALL_VERSIONS}-user', 'GET', f'{OF_USER}?per_page=1&page=2', None, 200),
    ('packages/get-package-version-for-organization', 'GET', f'{OF_ORG}/21', None, 200),
    ('packages/get-package-version-for-organization', 'GET', f'{OF_ORG}/31', None, 404),
    ('packages/get-package-version-for-user', 'GET', f'{OF_USER}/31', None, 200),
    ('packages/delete-package-version-for-org', 'DELETE', f'{OF_ORG}/22', None, 204),
    ('packages/delete-package-version-for-org', 'DELETE', f'{OF_ORG}/21', None, 400),
    ('packages/delete-package-version-for-user', 'DELETE', f'{OF_USER}/32', None, 204),
]
# What a client could do wrong: name, method, address, what differs from HEADERS (None = left out), body.
WRONG = [
    ('no User-Agent', 'GET', '/pulls/7', {'User-Agent': None}, None),
    ('no version', 'GET', '/pulls/7', {'X-GitHub-Api-Version': None}, None),
    ('an unknown version', 'GET', '/pulls/7', {'X-GitHub-Api-Version': '2020-01-01'}, None),
    ('another media type', 'GET', '/pulls/7', {'Accept': '*/*'}, None),
    ('a length that is none', 'POST', '/issues/7/comments', {'Content-Length': 'many'}, {'body': 'x'}),
    ('pieces', 'POST', '/issues/7/comments', {'Transfer-Encoding': 'chunked'}, b'0\r\n\r\n'),
    ('another scheme', 'GET', '/pulls/7', {'Authorization': 'Basic c2VzYW1l'}, None),
    ('no entity tag', 'GET', '/pulls/7', {'If-None-Match': 'abc'}, None),
    ('a tag at a change', 'POST', '/issues/7/comments', {'If-None-Match': '"a"'}, {'body': 'x'}),
    ('no number', 'GET', '/pulls/seven', {}, None),
    ('an unknown address', 'GET', '/pull/7', {}, None),
    ('an unknown method', 'PUT', '/pulls/7', {}, None),
    ('a way up', 'GET', '/pulls/../pulls/7', {}, None),
    ('a coded way up', 'GET', '/commits/a%2F..%2Fb', {}, None),
    ('a character that needs a code', 'GET', '/commits/a"b', {}, None),
    ('half a code', 'GET', '/commits/a%2', {}, None),
    ('an unknown parameter', 'GET', '/issues/7/comments?sort=created', {}, None),
    ('a parameter twice', 'GET', '/pulls/7/files?page=1&page=2', {}, None),
    ('a parameter without a value', 'GET', '/actions/runs?event=', {}, None),
    ('too long pages', 'GET', '/pulls/7/files?per_page=101', {}, None),
    ('page 0', 'GET', '/pulls/7/files?page=0', {}, None),
    ('a status that there is not', 'GET', '/actions/runs?status=done', {}, None),
    ('a flag that is none', 'GET', '/actions/runs?exclude_pull_requests=1', {}, None),
    ('a time that is none', 'GET', '/issues/7/comments?since=today', {}, None),
    ('a filter that is not scripted', 'GET', '/actions/runs?created=2020-01-01', {}, None),
    ('a body of a GET', 'GET', '/pulls/7', {}, {'a': 1}),
    ('no body', 'POST', '/issues/7/comments', {}, None),
    ('another content type', 'POST', '/issues/7/comments', {'Content-Type': 'text/plain'}, {'body': 'x'}),
    ('no text', 'POST', '/issues/7/comments', {}, {'body': 7}),
    ('an unknown key', 'POST', '/issues/7/comments', {}, {'body': 'x', 'sticky': True}),
    ('a list', 'PATCH', '/issues/comments/1001', {}, ['x']),
    ('no JSON', 'PATCH', '/issues/comments/1001', {}, b'{'),
    ('an unknown face', 'POST', '/issues/comments/1001/reactions', {}, {'content': 'smile'}),
]
TAKEN_AWAY = {'packages=read': ['packages'], 'packages=write': ['packages'],
              'actions=read': ['actions'], 'actions=write': ['actions'], 'contents=read': ['contents'], 'pull_requests=read': ['pull_requests'],
              'issues=read; pull_requests=read': ['issues', 'pull_requests'], 'issues=write; pull_requests=write': ['issues', 'pull_requests']}


def address(path):
    return path if path.startswith(('/app/', '/installation/', '/orgs/', '/users/')) else REPO + path


@functools.cache
def key_pair():
    """Private and public key of an App."""
    private = app_proof.openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048').stdout
    return private, app_proof.openssl('pkey', '-in', '{key}', '-pubout', key=private).stdout


def proof(**claims):
    """Of the App 12; `claims`: what differs from a good one."""
    now = int(time.time())
    return app_proof.make({'iss': '12', 'iat': now - 60, 'exp': now + 540} | claims, key_pair()[0])


class Reply:
    def __init__(self, response):
        self.status, self.headers, self.data = response.status, response.headers, response.read()

    def json(self):
        return json.loads(self.data)


class Scene(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(dir='/dev/shm' if pathlib.Path('/dev/shm').is_dir() else None)
        self.server = GitHub(self.folder.name)
        self.state(*WORLD)
        pathlib.Path(self.folder.name, 'app.pem').write_bytes(key_pair()[1])
        self.state(f'app --id 12 --key {self.folder.name}/app.pem')

    def tearDown(self):
        self.server.stop()
        self.folder.cleanup()

    def state(self, *commands):
        with Store(self.folder.name) as store:
            for command in commands:
                apply(store, command.split())

    def ask(self, method, path, body=None, port=None, **changes):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = HEADERS | ({'Content-Type': 'application/json'} if data else {}) | {name.replace('_', '-'): value for name, value in changes.items()}
        connection = http.client.HTTPConnection('127.0.0.1', port or self.server.port, timeout=10)
        with contextlib.closing(connection):
            connection.request(method, path, data, {name: value for name, value in headers.items() if value is not None})
            return Reply(connection.getresponse())

    def ask_as_wanted(self, operation, *question):
        """By whom the operation is for: an App, the token that it was given last, or a job."""
        with Store(self.folder.name) as store:
            made = store.find('apps', id=12)['made']
        if ANSWERS[operation].by_app:
            return self.ask(*question, Authorization=f'Bearer {proof()}')
        return self.ask(*question, **({'Authorization': f'Bearer {made[-1]["token"]}'} if operation.startswith('apps/') else {}))

    def get(self, path, **changes):
        return self.ask('GET', REPO + path, **changes)

    def log(self):
        return [json.loads(line) for line in self.server.log.read_text().splitlines()]

    def violations(self):
        return [entry for entry in self.log() if entry.get('violations')]


class Answers(Scene):
    def test_every_operation_is_scripted_and_asked_here(self):
        described = {operation.id for operation in Description().operations}
        self.assertEqual(set(ANSWERS), described)
        self.assertEqual({name for name, *_ in QUESTIONS}, described)

    def test_every_answer_is_as_described(self):
        for name, method, path, body, status in QUESTIONS:
            with self.subTest(f'{method} {path} {status}'):
                reply = self.ask_as_wanted(name, method, address(path), body)
                self.assertEqual(reply.status, status, reply.data)
                self.assertEqual(self.log()[-1]['operation'], name)
                self.assertTrue(reply.headers['X-GitHub-Request-Id'])
                self.assertEqual(reply.headers['X-Accepted-GitHub-Permissions'], ANSWERS[name].rights)
        self.assertEqual(self.violations(), [])

    def test_what_payloads_have_is_there(self):
        payloads = json.loads((HERE / 'payloads.json').read_text())
        real, described = payloads['real'], payloads['described']
        with Store(self.folder.name) as store:
            bodies = Bodies(store, 'http://localhost')
            comment, pull, run = bodies.comment(store['comments'][0]), bodies.pull(store['pulls'][0]), bodies.run(store['runs'][0])
            pairs = [(real['issue_comment'], comment), (real['pull_request'], pull), (real['workflow_run'], run), (described['issue-comment'], comment),
                     (described['pull-request'], pull), (described['workflow-run'], run), (described['commit'], bodies.commit(store['commits'][0])),
                     (described['artifact-paginated']['artifacts'][0], bodies.artifact(store['artifacts'][0])),
                     (described['diff-entry-items'][0], bodies.file(store['files'][0], SHA))]
        for payload, ours in pairs:
            self.assertEqual(list(self.missing(payload, ours)), [])

    def missing(self, real, ours, way=''):
        for name, value in real.items():
            # Of the organisation's settings of a repository: payloads of events only.
            if name not in ours and not way.endswith('.repo') or name in ours and value is not None and ours[name] is not None \
                    and not isinstance(ours[name], type(value)):
                yield f'{way}.{name}'
            if isinstance(value, dict) and isinstance(ours.get(name), dict):
                yield from self.missing(value, ours[name], f'{way}.{name}')

    def test_an_answer_that_is_not_as_described_does_not_leave(self):
        with Store(self.folder.name) as store:
            store['pulls'][0]['number'], store['pulls'][0]['title'] = 7, None
        self.assertEqual(self.get('/pulls/7').status, 599)
        self.assertIn('title', self.violations()[0]['violations'][0])

    def test_a_fork_that_is_deleted_is_null(self):
        self.assertIsNone(self.get('/pulls/9').json()['head']['repo'])
        self.assertNotEqual(self.get('/pulls/8').json()['head']['repo']['id'], self.get('/pulls/8').json()['base']['repo']['id'])

    def test_runs_are_the_newest_attempt_and_list_pulls_of_the_repository_only(self):
        runs = self.get('/actions/runs').json()['workflow_runs']
        self.assertEqual([(run['id'], run['run_attempt'], run['conclusion'], len(run['pull_requests'])) for run in runs], [(2, 2, None, 0), (1, 1, 'success', 1)])

    def test_a_renamed_workflow_keeps_its_runs(self):
        self.state('workflow --file build.yml --rename image.yml')
        self.assertEqual(self.get('/actions/workflows/build.yml/runs').status, 404)
        self.assertEqual(self.get('/actions/workflows/image.yml/runs').json()['total_count'], 2)

    def test_who_writes_is_the_token(self):
        comment = self.ask('POST', f'{REPO}/issues/7/comments', {'body': 'mine'}).json()
        query = {'query': 'query { viewer { databaseId login } }'}
        viewer = self.ask('POST', '/graphql', query).json()['data']['viewer']
        self.assertEqual(viewer, {'databaseId': comment['user']['id'], 'login': comment['user']['login']})
        self.assertEqual((viewer['login'], comment['user']['type']), ('github-actions[bot]', 'Bot'))
        self.assertEqual(self.get('/issues/7/comments').json()[1]['body'], 'mine')
        for wrong in ({'query': '{ viewer { email } }'}, {'query': '{ viewer { login } rateLimit { cost } }'}, {**query, 'more': 1}, {}):
            self.assertEqual(self.ask('POST', '/graphql', wrong).status, 599)
        self.assertEqual(self.ask('POST', '/graphql', query, Authorization=None).status, 401)

    def test_a_face_is_there_once_for_each_account(self):
        for status in (201, 200):
            self.assertEqual(self.ask('POST', f'{REPO}/issues/comments/1001/reactions', {'content': 'eyes'}).status, status)
        self.assertEqual(self.get('/issues/comments/1001').json()['reactions']['eyes'], 1)

    def test_a_push_is_a_push_to_its_repository(self):
        def pushed(number):
            pull = self.get(f'/pulls/{number}').json()
            return pull['head']['repo']['pushed_at'], pull['base']['repo']['pushed_at']
        self.state('pull --number 7 --pushed-at 2026-01-02T03:04:05Z', 'pull --number 8 --pushed-at 2026-01-02T03:04:05Z')
        self.assertEqual(pushed(7), ('2026-01-02T03:04:05Z',) * 2)
        self.assertNotEqual(*pushed(8))
        self.state(f'pull --number 7 --head-sha {SHA} --draft')
        self.assertEqual(pushed(7)[0], '2026-01-02T03:04:05Z', 'the same commit')
        self.state(f'pull --number 7 --head-sha {"c" * 40}')
        self.assertGreater(pushed(7)[0], '2026-01-03')

    def test_an_archive_comes_from_elsewhere_without_the_token(self):
        place = urllib.parse.urlsplit(self.get('/actions/artifacts/3/zip').headers['Location'])
        path = f'{place.path}?{place.query}'
        whole = self.ask('GET', path, port=place.port, Authorization=None)
        part = self.ask('GET', path, port=place.port, Authorization=None, Range='bytes=5-9')
        self.assertEqual((whole.status, part.status, part.data), (200, 206, whole.data[5:10]))
        self.assertEqual(self.get('/actions/runs/1/artifacts?name=logs').json()['artifacts'][0]['size_in_bytes'], len(whole.data))
        self.assertEqual(self.ask('GET', place.path, port=place.port, Authorization=None).status, 403)
        self.assertEqual(self.violations(), [])
        self.assertEqual(self.ask('GET', path, port=place.port).status, 599)
        self.assertEqual(len(self.violations()), 1)

    def test_enterprise_has_the_same_below_its_own_path(self):
        reply = self.ask('GET', f'/api/v3{REPO}/actions/runs?per_page=1')
        self.assertIn('/api/v3/repositories/', reply.headers['Link'])
        self.assertIn('/api/v3/', reply.json()['workflow_runs'][0]['url'])
        query = {'query': '{viewer{login}}'}
        self.assertEqual([self.ask('POST', path, query).status for path in ('/api/graphql', '/api/v3/graphql')], [200, 599])


class GitServer(Scene):
    ADDRESS = '/octo/app.git/info/refs?service=git-receive-pack'

    def setUp(self):
        super().setUp()
        self.state(f'permission --token {TOKEN} --name contents --level write')

    def push(self, token=TOKEN, path=ADDRESS, method='GET', **changes):
        login = base64.b64encode(f'x-access-token:{token}'.encode()).decode()
        return self.ask(method, path, **{'Accept': None, 'X-GitHub-Api-Version': None, 'Authorization': f'Basic {login}'} | changes)

    def test_a_push_is_let_in_by_the_right_to_write_contents(self):
        reply = self.push()
        self.assertEqual((reply.status, reply.data[:31]), (200, b'001f# service=git-receive-pack\n'))
        self.assertEqual(reply.headers['Content-Type'], 'application/x-git-receive-pack-advertisement')
        self.state(f'permission --token {TOKEN} --name contents --level read')
        self.assertEqual((self.push().status, self.push().data), (403, b'Write access to repository not granted.\n'))
        self.assertEqual([self.push(Authorization=None).status, self.push('another').status], [401, 401])
        self.assertEqual(self.push(path=self.ADDRESS.replace('app', 'other')).status, 404)
        self.assertEqual((self.violations(), self.log()[0]['billed'], self.log()[0]['operation']), ([], False, 'git'))

    def test_a_person_has_a_role_and_an_installation_has_none(self):
        self.state('token --token person --kind personal', 'permission --token person --name contents --level write')
        roles = [self.get('', Authorization=f'token {token}').json()['permissions']['push'] for token in (TOKEN, 'person')]
        self.assertEqual(roles, [False, True])

    def test_it_fails_as_asked(self):
        self.state('fail --status 502 --match receive-pack')
        self.assertEqual([self.push().status for _ in range(2)], [502, 200])

    def test_nothing_else_is_known_of_it(self):
        wrong = [self.push(path=self.ADDRESS.replace('receive', 'upload')), self.push(method='POST'), self.push(Authorization=f'Bearer {TOKEN}'),
                 self.push(User_Agent=None), self.push(path='/octo/app.git/git-receive-pack')]
        self.assertEqual({reply.status for reply in wrong}, {599})
        self.assertEqual(len(self.violations()), len(wrong))


class Wrong(Scene):
    def test_wrong_requests_are_violations(self):
        for name, method, path, changes, body in WRONG:
            with self.subTest(name):
                before = len(self.violations())
                self.assertEqual(self.ask(method, REPO + path, body, **changes).status, 599)
                self.assertEqual(len(self.violations()), before + 1)

    def test_a_mistake_in_the_state_is_one_too(self):
        self.state('pull --number 5')
        with Store(self.folder.name) as store:
            del store.find('pulls', number=5)['head_sha']
        with contextlib.redirect_stderr(io.StringIO()):
            self.assertEqual(self.get('/pulls/5').status, 599)
        self.assertIn('KeyError', self.violations()[0]['violations'][0])

    def test_state_tells_them(self):
        tell = [sys.executable, HERE / 'state.py', self.folder.name]
        self.get('/pulls/7')
        self.assertEqual(subprocess.run([*tell, 'violations'], capture_output=True).returncode, 0)
        self.get('/pulls/x')
        told = subprocess.run([*tell, 'violations'], capture_output=True, text=True)
        self.assertEqual(told.returncode, 1)
        self.assertIn('GET /repos/octo/app/pulls/x 599: ', told.stdout)
        counted = subprocess.run([*tell, 'count', '--match', 'pulls/', '--billed'], capture_output=True, text=True)
        self.assertEqual(counted.stdout, '1\n')


class Conditional(Scene):
    def test_what_has_not_changed_costs_nothing(self):
        first = self.get('/actions/runs')
        again = self.get('/actions/runs', If_None_Match=first.headers['ETag'])
        self.assertEqual((again.status, again.data, again.headers['ETag']), (304, b'', first.headers['ETag']))
        self.assertEqual(again.headers['X-RateLimit-Remaining'], first.headers['X-RateLimit-Remaining'])
        self.assertEqual([(entry['conditional'], entry['billed']) for entry in self.log()], [(False, True), (True, False)])
        self.state('run --id 2 --conclusion failure')
        changed = self.get('/actions/runs', If_None_Match=first.headers['ETag'])
        self.assertEqual((changed.status, changed.json()['workflow_runs'][0]['conclusion']), (200, 'failure'))
        self.assertNotEqual(changed.headers['ETag'], first.headers['ETag'])

    def test_a_tag_is_of_one_token(self):
        self.state('token --token other')
        tag = self.get('/pulls/7').headers['ETag']
        self.assertEqual(self.get('/pulls/7', Authorization='token other', If_None_Match=tag).status, 200)


class Pages(Scene):
    def pages(self, path):
        """Of a list, as links lead through it: the items, and the addresses."""
        items, seen, target = [], [], REPO + path
        while target:
            reply = self.ask('GET', target)
            self.assertEqual(reply.status, 200, reply.data)
            seen.append(target)
            items += reply.json() if isinstance(reply.json(), list) else reply.json()['workflow_runs']
            link = next((part for part in (reply.headers['Link'] or '').split(', ') if 'rel="next"' in part), '')
            parts = urllib.parse.urlsplit(link.partition('>')[0].lstrip('<'))
            target = f'{parts.path}?{parts.query}' if link else None
        return items, seen

    def test_links_lead_through_all_of_them(self):
        self.state('comment add --issue 7 --count 70 --login someone')
        items, seen = self.pages('/issues/7/comments?per_page=30')
        self.assertEqual((len(items), len(seen), len({item['id'] for item in items})), (71, 3, 71))
        self.assertEqual(seen[1], '/repositories/1296269/issues/7/comments?per_page=30&page=2')
        self.assertEqual(self.get('/issues/7/comments?page=9').json(), [])
        self.assertEqual(self.ask('GET', '/repositories/7/issues/7/comments').status, 404)

    def test_versions_of_packages_have_pages_too(self):
        for path in (OF_ORG, OF_USER):
            link = self.ask('GET', f'{path}?per_page=1').headers['Link']
            self.assertIn(f'{path}?per_page=1&page=2>; rel="next"', link)
            self.assertEqual(len(self.ask('GET', f'{path}?per_page=1&page=2').json()), 1)
        self.assertEqual(self.violations(), [])

    def test_files_end_at_three_thousand(self):
        self.state('file add --number 7 --count 3100')
        items, seen = self.pages('/pulls/7/files?per_page=100')
        self.assertEqual((len(items), len(seen)), (3000, 30))
        self.assertEqual(self.get('/pulls/7').json()['changed_files'], 3103)

    def test_of_filtered_runs_a_thousand_are_listed(self):
        with Store(self.folder.name) as store:
            store['runs'] = [{**store['runs'][0], 'id': number} for number in range(1, 1102)]
        pages = [self.get(f'/actions/runs?per_page=50&page={page}{event}') for event in ('', '&event=pull_request') for page in (20, 21)]
        self.assertEqual([len(page.json()['workflow_runs']) for page in pages], [50, 50, 50, 0])
        self.assertEqual(pages[3].json()['total_count'], 1101)

    def test_pages_shrink_while_they_are_read(self):
        self.state('file add --number 8 --count 40', 'when --match pulls/8/files.*page=1 file remove --number 8 --first 15')
        items, seen = self.pages('/pulls/8/files?per_page=20&page=1')
        self.assertEqual((len(items), len(seen)), (25, 2))
        self.assertEqual(self.get('/pulls/8').json()['changed_files'], 25)


class Together(Scene):
    def test_many_at_once_do_not_meet(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda index: self.ask('POST', f'{REPO}/issues/7/comments', {'body': str(index)}), range(40)))
        self.assertEqual({reply.status for reply in replies}, {201})
        self.assertEqual(len({reply.json()['id'] for reply in replies}), 40)
        self.assertEqual(sorted(int(reply.headers['X-RateLimit-Remaining']) for reply in replies), list(range(960, 1000)))


class Limits(Scene):
    def test_a_used_up_hour(self):
        self.state('limit --remaining 2 --reset-in 1000')
        self.assertEqual([self.get('/pulls/7').headers['X-RateLimit-Remaining'] for _ in range(2)], ['1', '0'])
        for status in (403, 429):
            reply = self.get('/pulls/7')
            self.assertEqual((reply.status, reply.headers['X-RateLimit-Remaining'], reply.headers['Retry-After']), (status, '0', None))
            self.assertAlmostEqual(int(reply.headers['X-RateLimit-Reset']), time.time() + 1000, delta=20)
            self.assertFalse(self.log()[-1]['billed'])
            self.state('limit --remaining 0 --reset-in 1000 --status 429')
        self.state('limit --remaining 0 --reset-in 0')
        reply = self.get('/pulls/7')
        self.assertEqual((reply.status, reply.headers['X-RateLimit-Remaining'], reply.headers['X-RateLimit-Limit']), (200, '999', '1000'))

    def test_too_many_at_once(self):
        self.state('fail --kind secondary --retry-after 7', 'fail --kind secondary --status 429')
        first, second, third = (self.get('/pulls/7') for _ in range(3))
        self.assertEqual((first.status, first.headers['Retry-After'], first.headers['X-RateLimit-Remaining']), (403, '7', '1000'))
        self.assertEqual((second.status, second.headers['Retry-After'], third.status), (429, None, 200))
        self.assertIn('secondary rate limit', first.json()['message'])

    def test_servers_fail_as_often_as_asked(self):
        self.state('fail --status 502 --body html --times 2 --skip 1 --match pulls', 'fail --kind drop --match runs/1', 'fail --kind cut --match runs/2')
        self.assertEqual([self.get(path).status for path in ('/actions/runs', '/pulls/7', '/pulls/7', '/pulls/7', '/pulls/7')], [200, 200, 502, 502, 200])
        with self.assertRaises(http.client.RemoteDisconnected):
            self.get('/actions/runs/1')
        with self.assertRaises(http.client.IncompleteRead):
            self.get('/actions/runs/2')
        self.assertEqual(self.violations(), [])

    def test_answers_take_their_time(self):
        self.state('fail --kind slow --seconds 0.2')
        began = time.monotonic()
        self.assertEqual(self.get('/pulls/7').status, 200)
        self.assertGreater(time.monotonic() - began, 0.2)

    def test_its_clock_can_be_wrong(self):
        self.state('clock --skew 5000', 'limit --remaining 0 --reset-in 10')
        reply = self.get('/pulls/7')
        date = time.mktime(time.strptime(reply.headers['Date'], '%a, %d %b %Y %H:%M:%S GMT')) - time.timezone
        self.assertAlmostEqual(date, time.time() + 5000, delta=20)
        self.assertAlmostEqual(int(reply.headers['X-RateLimit-Reset']), date + 10, delta=20)

    def test_something_happens_after_a_request(self):
        self.state('when --match runs/1.*200 --nth 2 run --id 1 --remove')
        self.assertEqual([self.get('/actions/runs/1').status for _ in range(3)], [200, 200, 404])


class Rights(Scene):
    def test_each_right_taken_away_is_named(self):
        for name, method, path, body, status in QUESTIONS:
            rights = ANSWERS[name].rights
            if rights not in TAKEN_AWAY or status >= 300:
                continue
            with self.subTest(f'{method} {path}'):
                for right in TAKEN_AWAY[rights]:
                    level = 'read' if '=write' in rights else 'none'
                    self.state(f'permission --token {TOKEN} --name {right.replace("_", "-")} --level {level}')
                reply = self.ask(method, address(path), body)
                self.assertEqual((reply.status, reply.json()['message']), (403, 'Resource not accessible by integration'))
                self.assertEqual(reply.headers['X-Accepted-GitHub-Permissions'], rights)
                self.state(f'token --token {TOKEN} --denial 404')
                self.assertEqual(self.ask(method, address(path), body).status, 404)
                self.state(f'token --token {TOKEN} --remove', f'token --token {TOKEN}')
        self.assertEqual(self.violations(), [])

    def test_one_of_two_rights_is_enough(self):
        self.state(f'token --token {TOKEN} --only issues=write')
        self.assertEqual(self.ask('POST', f'{REPO}/issues/7/comments', {'body': 'x'}).status, 201)

    def test_a_public_repository_is_read_by_all(self):
        self.assertEqual(self.get('/pulls/7', Authorization=None).status, 404)
        self.state(f'init --public --token {TOKEN}', f'permission --token {TOKEN} --name pull_requests --level none')
        self.assertEqual(self.get('/pulls/7').status, 200)
        reply = self.get('/pulls/7', Authorization=None)
        self.assertEqual((reply.status, reply.headers['X-RateLimit-Limit'], reply.headers['X-Accepted-GitHub-Permissions']), (200, '60', None))
        self.assertEqual(self.get('/actions/artifacts/3/zip', Authorization=None).status, 401)
        self.assertEqual(self.ask('POST', f'{REPO}/issues/7/comments', {'body': 'x'}, Authorization=None).status, 401)
        self.state(f'permission --token {TOKEN} --name actions --level none')
        self.assertEqual([self.get(path).status for path in ('/actions/runs/1', '/actions/artifacts/3/zip')], [200, 403])

    def test_a_package_has_rights_of_its_own(self):
        self.state('package --owner octo --name app/ci --role write')
        self.assertEqual(self.ask('DELETE', f'{OF_ORG}/22').status, 404)
        self.assertEqual(self.ask('GET', f'{OF_ORG}/22').json()['metadata']['container']['tags'], ['pr-7'])
        self.state('package --owner octo --name app/ci --role none')
        self.assertEqual(self.ask('GET', OF_ORG).status, 404)
        self.assertEqual(self.ask('GET', OF_ORG, Authorization=None).status, 404)

    def test_a_wrong_token_and_another_repository(self):
        self.assertEqual(self.get('/pulls/7', Authorization='Bearer wrong').status, 401)
        self.assertEqual(self.ask('GET', '/repos/octo/other/pulls/7').status, 404)
        self.state(f'token --token {TOKEN} --kind personal --login me --user-id 5 --only')
        reply = self.get('/pulls/7')
        self.assertEqual((reply.status, reply.json()['message']), (403, 'Resource not accessible by personal access token'))


class Apps(Scene):
    def as_app(self, method, path, body=None, **claims):
        return self.ask(method, path, body, Authorization=f'Bearer {proof(**claims)}')

    def test_a_token_has_what_was_asked_for_until_it_is_revoked(self):
        number = self.as_app('GET', f'{REPO}/installation').json()['id']
        made = self.as_app('POST', f'/app/installations/{number}/access_tokens', WRITER).json()
        self.assertEqual(made['permissions'], {'contents': 'write', 'metadata': 'read'})
        self.assertEqual([each['full_name'] for each in made['repositories']], ['octo/app'])
        token = {'Authorization': f'Bearer {made["token"]}'}
        self.assertEqual(self.ask('GET', REPO, **token).json()['permissions']['push'], False)  # of no installation's token is it told
        self.assertEqual(self.ask('POST', f'{REPO}/issues/7/comments', {'body': 'x'}, **token).status, 403)
        self.assertEqual(self.ask('DELETE', '/installation/token', **token).status, 204)
        self.assertEqual(self.ask('GET', REPO, **token).status, 401)
        self.assertEqual(self.violations(), [])

    def test_a_proof_is_looked_at(self):
        now, other = int(time.time()), key_pair.__wrapped__()[0]
        whole = proof().split('.')
        rows = [
            ('another key', app_proof.make({'iss': '12', 'iat': now - 60, 'exp': now + 540}, other), 401, 'could not be decoded'),
            ('another claim', '.'.join([whole[0], proof(exp=now + 500).split('.')[1], whole[2]]), 401, 'could not be decoded'),
            ('padding', '.'.join([*whole[:2], whole[2] + '==']), 401, 'could not be decoded'),
            ('no signature', '.'.join([*whole[:2], '']), 401, 'could not be decoded'),
            ("a job's token", TOKEN, 401, 'could not be decoded'),
            ('nobody', None, 401, 'could not be decoded'),
            ('another App', proof(iss='13'), 404, 'Integration not found'),
            ('from tomorrow', proof(iat=now + 300), 401, "('iat')"),
            ('ended', proof(exp=now - 1), 401, "('exp') must be"),
            ('too long', proof(exp=now + 700), 401, 'too far in the future'),
            ('no times', proof(iat='now', exp=None), 401, "('iat')"),
            ('its client id', proof(iss='Iv23li12'), 200, ''),
            ('a number', proof(iss=12), 200, ''),
        ]
        for name, token, status, text in rows:
            with self.subTest(name):
                reply = self.get('/installation', Authorization=token and f'Bearer {token}')
                self.assertEqual(reply.status, status, reply.data)
                self.assertIn(text, reply.json().get('message', ''))
        self.assertEqual(self.get('/pulls/7', Authorization=f'Bearer {proof()}').status, 401)
        self.assertEqual(self.violations(), [])

    def test_what_is_not_installed_or_not_granted(self):
        self.state('app --id 12 --only contents=read')
        reply = self.as_app('POST', APP_TOKEN, WRITER)
        self.assertEqual((reply.status, reply.json()['message']), (422, 'The permissions requested are not granted to this installation.'))
        self.state('app --id 12 --uninstall')
        self.assertEqual((self.as_app('GET', f'{REPO}/installation').status, self.as_app('POST', APP_TOKEN, WRITER).status), (404, 404))
        self.assertEqual(self.as_app('GET', '/repos/octo/other/installation').status, 404)


class CommandLine(Scene):
    def test_a_server_of_its_own(self):
        with tempfile.TemporaryDirectory() as folder:
            process = subprocess.Popen([sys.executable, HERE / 'server.py', folder, '--log', f'{folder}/asked'], stdout=subprocess.PIPE, text=True)
            try:
                port = int(process.stdout.readline().removeprefix('listening '))
                change = [sys.executable, HERE / 'state.py', folder]
                subprocess.run([*change, 'init', '--token', TOKEN], check=True)
                subprocess.run([*change, 'run', '--id', '1', '--workflow', 'a.yml'], check=True)
                self.assertEqual(self.ask('GET', f'{REPO}/actions/runs', port=port).json()['total_count'], 1)
                self.assertEqual(json.loads(pathlib.Path(folder, 'asked').read_text())['status'], 200)
            finally:
                process.kill()
                process.communicate()

    def test_every_command_explains_itself(self):
        for name in ('init', 'run', 'when', 'fail'):
            with self.assertRaises(SystemExit) as end, open('/dev/null', 'w') as sink:
                out, sys.stdout = sys.stdout, sink
                try:
                    parser().parse_args([name, '--help'])
                finally:
                    sys.stdout = out
            self.assertEqual(end.exception.code, 0)


if __name__ == '__main__':
    unittest.main()

#!/usr/bin/env python3
"""GitHub's REST API, scripted and strict: what GitHub does not describe is refused and written down.

usage: server.py DIR [--port N] [--log FILE]     prints `listening PORT`; serves plain HTTP on 127.0.0.1 until it is killed

DIR is the state, which state.py changes at any time. FILE (default: DIR/requests.log) has a line of JSON for each request:
method, path, query, status, conditional, billed, operation, and `violations` where a request was not as described, or an
answer of this server. Such a request is answered 599. `state.py DIR violations` tells whether there was one.

Archives of artifacts are at a second port, as GitHub's are at another host: whoever sends a token there is in violation.
Not here: what is answered (answers), what is described (description).
"""
import argparse
import functools
import hashlib
import http.server
import json
import pathlib
import re
import sys
import threading
import time
import traceback
import urllib.parse
from email.utils import formatdate

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import git_server  # noqa: E402
from app_proof import app_of  # noqa: E402
from answers import ANSWERS, DOCUMENTS, Answer, Case, Refusal, Unscripted  # noqa: E402
from bodies import Bodies  # noqa: E402
from description import Description  # noqa: E402
from state import apply, line_of  # noqa: E402
from store import Store  # noqa: E402

VIOLATION = 599
VERSIONS = ['2022-11-28']
ACCEPTED = 'application/vnd.github+json'
HOUR = 3600
HOURLY = {'installation': 1000, 'personal': 5000, 'user': 5000}
ANONYMOUS_HOURLY = 60
LEVELS = ['none', 'read', 'write', 'admin']
PERSON = {'installation': 'integration', 'personal': 'personal access token', 'user': 'personal access token'}
PATH = re.compile(r"(/([A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-F]{2})+)+")
ETAG = re.compile(r'(W/)?"[^"]*"')
VIEWER = re.compile(r'\s*(query(\s+\w+)?)?\s*\{\s*viewer\s*\{([\sA-Za-z,]+)\}\s*\}\s*')
TOO_FAST = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.'
PAGE = '<!DOCTYPE html>\n<html><body><h1>Something went wrong</h1></body></html>\n'


class Question:
    def __init__(self, handler, body):
        self.method, self.target, self.headers, self.body = handler.command, handler.path, handler.headers, body
        path, _, self.query_text = self.target.partition('?')
        # As an Enterprise Server has it: /api/v3/repos/..., /api/graphql.
        self.prefix = '/api/v3' if path.startswith('/api/v3/') else ''
        self.path = path.removeprefix(self.prefix)
        self.api = f'http://{self.headers.get("Host", "")}{self.prefix}'
        self.is_graphql = self.method == 'POST' and path in ('/graphql', '/api/graphql')
        git = git_server.PATH.fullmatch(path)
        self.git_repository = git and git[1]
        authorization = self.headers.get('Authorization', '')
        match = re.fullmatch(r'(Bearer|token) (\S+)', authorization)
        self.token = git_server.token_of(authorization) if git else match and match[2]
        self.query, self.operation, self.values = {}, None, {}

    def entry(self):
        return {'method': self.method, 'path': self.path, 'query': self.query_text, 'status': 0, 'conditional': 'If-None-Match' in self.headers,
                'billed': False, 'authorized': self.token is not None, 'operation': self.operation.id if self.operation else 'git' if self.git_repository else None}


# --- what is wrong with a request -----------------------------------------------------------------------------------------------

def wrong_headers(question):
    headers = question.headers
    for name in {name.lower() for name in headers}:
        if len(headers.get_all(name)) > 1:
            yield f'two headers {name}'
    if 'Transfer-Encoding' in headers or not headers.get('Content-Length', '0').isdigit():
        yield 'a body without its length'
    if not headers.get('User-Agent', '').strip():
        yield 'no User-Agent'
    if 'Authorization' in headers and question.token is None:
        yield 'Authorization: wanted Bearer or token, and the token'
    if question.is_graphql:
        return
    if headers.get('Accept') != ACCEPTED:
        yield f'Accept: {headers.get("Accept")!r}: wanted {ACCEPTED}'
    if headers.get('X-GitHub-Api-Version') not in VERSIONS:
        yield f'X-GitHub-Api-Version: {headers.get("X-GitHub-Api-Version")!r}: wanted one of {VERSIONS}'
    if 'If-None-Match' in headers:
        if question.method != 'GET':
            yield f'If-None-Match at a {question.method}'
        if not all(ETAG.fullmatch(tag.strip()) for tag in headers['If-None-Match'].split(',')):
            yield f'If-None-Match: {headers["If-None-Match"]!r}: wanted entity tags'


def wrong_query(question):
    try:
        pairs = urllib.parse.parse_qsl(question.query_text, keep_blank_values=True, strict_parsing=bool(question.query_text), errors='strict')
    except ValueError as error:
        yield f'query: {error}'
        return
    question.query = dict(pairs)
    if len(question.query) != len(pairs):
        yield 'query: a parameter twice'
    for name, value in pairs:
        if not value:
            yield f'query: {name} without a value'
    for name, most in (('per_page', 100), ('page', 10 ** 6)):
        value = question.query.get(name, '1')
        if not value.isdigit() or not 1 <= int(value) <= most:
            yield f'query: {name}={value}: wanted 1 to {most}'


def wrong_graphql(question):
    try:
        body = json.loads(question.body)
        if set(body) - {'query', 'variables'} or not VIEWER.fullmatch(body['query']):
            yield 'GraphQL: only { viewer { databaseId login } } is scripted'
    except (ValueError, KeyError, TypeError):
        yield 'GraphQL: the body has no query'


def of_repository(store, path):
    """Further pages of a list are at the repository's number."""
    match = re.fullmatch(r'/repositories/(\d+)(/.*)', path)
    if not match:
        return path
    home = store['repository']
    return f'/repos/{home["full_name"] if int(match[1]) == home["id"] else "-/-"}{match[2]}'


def violations(description, store, question):
    if question.git_repository:
        return list(git_server.violations(question))
    wrong = list(wrong_headers(question))
    if question.is_graphql:
        return wrong + list(wrong_graphql(question))
    if not PATH.fullmatch(question.path) or any(part in ('.', '..') for part in urllib.parse.unquote(question.path).split('/')):
        return [*wrong, 'path: not as addresses are written']
    wrong += wrong_query(question)
    question.operation, question.values = description.operation(question.method, of_repository(store, question.path))
    if question.operation is None:
        return [*wrong, 'no operation that is described, or none that openapi.json has']
    return (wrong + description.check_parameters(question.operation, 'path', question.values)
            + description.check_parameters(question.operation, 'query', question.query)
            + description.check_body(question.operation, question.body, question.headers.get('Content-Type', '')))


# --- who may ask, and how often -------------------------------------------------------------------------------------------------

def limit_of(store, token):
    kind = store['tokens'].get(token, {}).get('kind')
    limit = store['limits'].setdefault(token or '', {})
    limit.setdefault('limit', HOURLY.get(kind, ANONYMOUS_HOURLY))
    if limit.get('reset', 0) <= store.now():
        limit |= {'reset': int(store.now()) + HOUR, 'remaining': limit['limit']}
    return limit


def limit_headers(limit, resource):
    return {'X-RateLimit-Limit': limit['limit'], 'X-RateLimit-Remaining': limit['remaining'], 'X-RateLimit-Reset': limit['reset'],
            'X-RateLimit-Used': max(0, limit['limit'] - limit['remaining']), 'X-RateLimit-Resource': resource}


def may(permissions, rights):
    """Whether one of the sets "a=read,b=write; c=read" is granted."""
    def has(pair):
        name, level = pair.strip().split('=')
        return LEVELS.index(permissions.get(name, 'none')) >= LEVELS.index(level)
    return any(all(has(pair) for pair in each.split(',')) for each in rights.split(';'))


def is_elsewhere(store, question):
    """Of another repository; what no repository has is judged by the operation."""
    values, home = question.values, store['repository']['full_name'].lower()
    return 'repo' in values and f'{values["owner"]}/{values["repo"]}'.lower() != home


def check_rights(store, question, who, act):
    home = store['repository']
    if is_elsewhere(store, question):
        raise Refusal(404, 'Not Found')
    reads = question.method == 'GET'
    if who is None:
        if home['private'] and reads:
            raise Refusal(404, 'Not Found')
        if not reads or not act.anonymous:
            raise Refusal(401, 'Requires authentication')
        return
    if act.rights is None or may({'metadata': 'read'} | who['permissions'], act.rights) or (reads and act.anonymous and not home['private']):
        return
    if who.get('denial') == 404:
        raise Refusal(404, 'Not Found')
    raise Refusal(403, f'Resource not accessible by {PERSON[who["kind"]]}')


def take_fault(store, question):
    for fault in store['faults']:
        if fault['times'] == 0 or not re.search(fault['match'], f'{question.method} {question.target}'):
            continue
        if fault['skip'] > 0:
            fault['skip'] -= 1
            continue
        if fault['times'] > 0:
            fault['times'] -= 1
        return fault
    return None


# --- the server -----------------------------------------------------------------------------------------------------------------

@functools.lru_cache(1)
def described():
    return Description()


class GitHub:
    def __init__(self, folder, port=0, log=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = pathlib.Path(log) if log else self.folder / 'requests.log'
        self.log.touch()
        self.description, self.count = described(), 0
        self.listener, self.storage = self.serve(ApiHandler, port), self.serve(StorageHandler, 0)
        self.port = self.listener.server_port

    def serve(self, handler, port):
        listener = http.server.ThreadingHTTPServer(('127.0.0.1', port), handler)
        listener.daemon_threads, listener.github = True, self
        threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True).start()
        return listener

    def stop(self):
        for listener in (self.listener, self.storage):
            listener.shutdown()
            listener.server_close()

    def write(self, store, entry):
        """The line, and what tests want to happen after such a request. The folder is locked."""
        with open(self.log, 'a') as log:
            log.write(json.dumps({'time': round(time.time(), 3)} | entry) + '\n')
        for hook in list(store['hooks']):
            if re.search(hook['match'], line_of(entry)):
                hook['nth'] -= 1
                if hook['nth'] <= 0:
                    store['hooks'].remove(hook)
                    apply(store, hook['then'])

    def answer(self, question):
        """The answer, its bytes, and the fault that it is sent with."""
        with Store(self.folder) as store:
            wrong = violations(self.description, store, question)
            entry = question.entry()
            fault = None
            if wrong:
                answer = Answer(VIOLATION, {'message': 'not as GitHub describes it: ' + '; '.join(wrong)})
            else:
                fault = take_fault(store, question)
                answer, wrong = self.settled(store, question, fault, entry)
            self.count += 1
            answer.headers |= {'Date': formatdate(store.now(), usegmt=True), 'Server': 'github.com',
                               'X-GitHub-Request-Id': f'{self.count:04X}:{hashlib.sha256(str(self.count).encode()).hexdigest()[:20].upper()}'}
            entry |= {'status': 0 if fault and fault['kind'] == 'drop' else answer.status, 'request_id': answer.headers['X-GitHub-Request-Id']}
            if fault:
                entry['fault'] = fault['kind']
            if wrong:
                entry['violations'] = wrong
            self.write(store, entry)
        return answer, fault

    def broken(self, question, error):
        """A mistake of the server or of its state must not look like a fault that was asked for."""
        wrong = [f'this server: {error!r}']
        with Store(self.folder) as store:
            self.write(store, question.entry() | {'status': VIOLATION, 'violations': wrong})
        return Answer(VIOLATION, {'message': wrong[0]}), None

    def settled(self, store, question, fault, entry):
        """An answer that is as described, and what is wrong with it otherwise."""
        scripted = fault is not None and fault['kind'] in ('status', 'secondary')
        try:
            if question.git_repository and not scripted:
                return git_server.answer(store, question), []
            answer = self.scripted(store, question, fault) if scripted else self.asked(store, question, entry)
        except Unscripted as reason:
            return Answer(VIOLATION, {'message': f'not scripted: {reason}'}), [f'not scripted: {reason}']
        # Of answers that a test wants to be odd, only errors in JSON are as described.
        odd = scripted and not (isinstance(answer.body, dict) and answer.status >= 400)
        wrong = [] if question.is_graphql or question.git_repository or odd else self.description.check_answer(question.operation, answer.status, answer.body)
        if wrong:
            return Answer(VIOLATION, {'message': 'this server answers what GitHub does not: ' + '; '.join(wrong)}), wrong
        return answer, []

    def scripted(self, store, question, fault):
        headers = {'Retry-After': fault['retry_after']} if fault['retry_after'] is not None else {}
        if fault['kind'] == 'secondary':
            limit = limit_headers(limit_of(store, question.token), 'core')
            return Answer(fault['status'], {'message': TOO_FAST, 'documentation_url': DOCUMENTS}, headers | limit)
        body = {'json': {'message': 'Server Error' if fault['status'] >= 500 else 'Scripted', 'documentation_url': DOCUMENTS},
                'html': PAGE, 'empty': ''}[fault['body']]
        return Answer(fault['status'], body, headers)

    def asked(self, store, question, entry):
        """By whom: a wrong token, a used up limit, a missing permission end it before the operation is looked at."""
        act = None if question.is_graphql else ANSWERS[question.operation.id]
        try:
            who = self.asker(store, question, act)
        except Refusal as refusal:
            return Answer(refusal.status, refusal.body, refusal.headers)
        limit = limit_of(store, question.token)
        resource = 'graphql' if question.is_graphql else 'core'
        if limit['remaining'] <= 0:
            whom = 'installation ID 1' if who else '127.0.0.1'
            return Answer(limit.get('status', 403), {'message': f'API rate limit exceeded for {whom}.', 'documentation_url': DOCUMENTS},
                          limit_headers(limit, resource))
        try:
            answer = self.viewer(question, who) if act is None else self.operate(store, question, who, act)
        except Refusal as refusal:
            answer = Answer(refusal.status, refusal.body, refusal.headers)
        answer = self.if_changed(question, answer)
        if answer.status != 304 or who is None:
            limit['remaining'] -= 1
            entry['billed'] = True
        answer.headers |= limit_headers(limit, resource)
        if act is not None:
            answer.headers['X-GitHub-Api-Version-Selected'] = question.headers['X-GitHub-Api-Version']
            if who and who['kind'] != 'user' and act.rights:
                answer.headers['X-Accepted-GitHub-Permissions'] = act.rights
        return answer

    @staticmethod
    def asker(store, question, act):
        """None = nobody: there is no token."""
        if act is not None and act.by_app:
            return {'kind': 'app', 'app': app_of(store, question.token or '')}
        if question.token is not None and question.token not in store['tokens']:
            raise Refusal(401, 'Bad credentials')
        return store['tokens'].get(question.token)

    def operate(self, store, question, who, act):
        check_rights(store, question, who, act)
        body = json.loads(question.body) if question.body else None
        return act(Case(store, question.api, f'http://127.0.0.1:{self.storage.server_port}', question.values, question.query, body,
                        question.token, who))

    @staticmethod
    def viewer(question, who):
        if who is None:
            raise Refusal(401, 'This endpoint requires you to be authenticated.')
        known = {'login': who['login'], 'databaseId': who['user_id']}
        names = re.findall(r'[A-Za-z]+', VIEWER.fullmatch(json.loads(question.body)['query'])[3])
        unknown = [name for name in names if name not in known]
        if unknown:
            raise Unscripted(f'viewer {unknown[0]}')
        return Answer(200, {'data': {'viewer': {name: known[name] for name in names}}})

    @staticmethod
    def if_changed(question, answer):
        """An answer that is the same for the same token has the same tag."""
        if question.method != 'GET' or answer.status != 200:
            return answer
        tag = hashlib.sha256(f'{question.token} {json.dumps(answer.body)} {answer.headers}'.encode()).hexdigest()
        answer.headers |= {'ETag': f'W/"{tag}"', 'Cache-Control': 'private, max-age=60, s-maxage=60',
                           'Vary': 'Accept, Authorization, Cookie, X-GitHub-OTP'}
        known = [each.strip().removeprefix('W/') for each in question.headers.get('If-None-Match', '').split(',')]
        return Answer(304, None, answer.headers) if f'"{tag}"' in known else answer


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    wbufsize = 1 << 16  # an answer leaves in one piece
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def send(self, status, headers, data, cut=False):
        # After a violation nobody knows where the next request begins.
        self.close_connection = self.close_connection or cut or status == VIOLATION
        self.send_response_only(status)
        for name, value in (headers | ({'Connection': 'close'} if self.close_connection else {})).items():
            self.send_header(name, str(value))
        if status not in (204, 304):
            self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        if self.command != 'HEAD' and status not in (204, 304):
            self.wfile.write(data[:len(data) // 2] if cut else data)


class ApiHandler(Handler):
    def answer(self):
        length = self.headers.get('Content-Length', '0')
        question = Question(self, self.rfile.read(int(length)) if length.isdigit() else b'')
        try:
            answer, fault = self.server.github.answer(question)
        except Exception as error:
            traceback.print_exc()
            answer, fault = self.server.github.broken(question, error)
        kind = fault['kind'] if fault else ''
        if kind == 'slow':
            time.sleep(fault['seconds'])
        if kind == 'drop':
            self.close_connection = True
            return
        if isinstance(answer.body, str):
            data, media = answer.body.encode(), 'text/html; charset=utf-8'
        else:
            data, media = b'' if answer.body is None else json.dumps(answer.body).encode(), 'application/json; charset=utf-8'
        of_api = {} if question.git_repository else {'X-GitHub-Media-Type': 'github.v3; format=json'}
        headers = ({'Content-Type': media} | of_api if data else {}) | answer.headers
        self.send(answer.status, headers, data, cut=kind == 'cut')

    do_DELETE = do_GET = do_HEAD = do_OPTIONS = do_PATCH = do_POST = do_PUT = answer


class StorageHandler(Handler):
    """Signed addresses. A token has no business here."""

    def do_GET(self):
        path, _, query = self.path.partition('?')
        with Store(self.server.github.folder) as store:
            match = re.fullmatch(r'/archives/(\d+)', path)
            artifact = store.find('artifacts', id=int(match[1])) if match else None
            wrong = [f'{name} is sent to the storage' for name in ('Authorization', 'Cookie') if name in self.headers]
            signed = artifact and query == f'sig=signature-{artifact["id"]}'
            data = Bodies(store, '').archive(artifact) if signed else b'AuthenticationFailed'
            status, part = (200 if signed else 403), {'Content-Type': 'application/zip' if signed else 'text/plain'}
            span = re.fullmatch(r'bytes=(\d+)-(\d*)', self.headers.get('Range', ''))
            if signed and span:
                first, last = int(span[1]), min(int(span[2] or len(data)), len(data) - 1)
                part |= {'Content-Range': f'bytes {first}-{last}/{len(data)}'}
                status, data = 206, data[first:last + 1]
            entry = {'method': 'GET', 'path': path, 'query': '', 'status': VIOLATION if wrong else status, 'conditional': False, 'billed': False,
                     'authorized': 'Authorization' in self.headers, 'operation': 'storage'}
            self.server.github.write(store, entry | ({'violations': wrong} if wrong else {}))
        self.send(VIOLATION if wrong else status, part | {'Date': formatdate(usegmt=True)}, data)


def main():
    parser = argparse.ArgumentParser(usage=__doc__[__doc__.index('server.py DIR'):])
    parser.add_argument('folder')
    parser.add_argument('--port', type=int, default=0)
    parser.add_argument('--log')
    options = parser.parse_args()
    server = GitHub(options.folder, options.port, options.log)
    print('listening', server.port, flush=True)
    threading.Event().wait()


if __name__ == '__main__':
    main()

"""GitHub's git server: the request that a push begins with, and nothing else of it.

Not here: the API (server), which has other rules for headers, tokens and limits.
"""
import base64
import binascii
import re

from answers import Answer

PATH = re.compile(r'/([\w.-]+/[\w.-]+)\.git/info/refs')
QUERY = 'service=git-receive-pack'
USER = 'x-access-token'
PLAIN = {'Content-Type': 'text/plain; charset=utf-8'}


def token_of(authorization):
    """Of `Basic`, as git sends it; None = there is none that can be read."""
    try:
        user, _, token = base64.b64decode(authorization.removeprefix('Basic '), validate=True).decode().partition(':')
    except (binascii.Error, UnicodeDecodeError):
        return None
    return token if authorization.startswith('Basic ') and user == USER and token else None


def violations(question):
    headers = question.headers
    for name in {name.lower() for name in headers}:
        if len(headers.get_all(name)) > 1:
            yield f'two headers {name}'
    if question.method != 'GET' or question.query_text != QUERY:
        yield f'of the git server only GET with {QUERY} is scripted'
    if question.body:
        yield 'a body, which this request has not'
    if not headers.get('User-Agent', '').strip():
        yield 'no User-Agent'
    if 'Authorization' in headers and question.token is None:
        yield f'Authorization: wanted Basic, of {USER} and the token'


def answer(store, question):
    who = store['tokens'].get(question.token)
    home = store['repository']['full_name']
    if who is None:
        return Answer(401, 'Invalid username or token.\n' if question.token else 'No anonymous write access.\n',
                      PLAIN | {'WWW-Authenticate': 'Basic realm="GitHub"'})
    if question.git_repository.lower() != home.lower():
        return Answer(404, 'Repository not found.\n', PLAIN)
    if who['permissions'].get('contents', 'none') not in ('write', 'admin'):
        return Answer(403, 'Write access to repository not granted.\n', PLAIN)
    return Answer(200, '001f# service=git-receive-pack\n0000', {'Content-Type': 'application/x-git-receive-pack-advertisement', 'Cache-Control': 'no-cache'})

#!/usr/bin/env python3
"""A token server for registries under test (https://distribution.github.io/distribution/spec/auth/).

usage: token_server.py --port N --users FILE --key FILE --certificate FILE --log FILE [--tls-key FILE --tls-certificate FILE]

`GET /token` with Basic or without a name, and the OAuth2 `POST /token` with the grants password and refresh_token;
refresh tokens for who asks for them.  Tokens are RS256, signed by the openssl program.  The users are JSON:
{"writer": {"password": "…", "actions": ["pull", "push", "delete"]}}; without a name one may pull below public/.
`POST /settings` with lifetime=SECONDS, refuse=COUNT (so many times 429), retry-after=TEXT or delay=SECONDS says how the
next requests are answered.  The log has one JSON object per token request, and no secret.
"""
import argparse
import base64
import hmac
import http.server
import json
import secrets
import ssl
import subprocess
import threading
import time
import urllib.parse

ISSUER = 'crategate-token-server'


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode('ascii')


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code = status, code


class Signer:
    """JSON web tokens with the certificate in their header, as distribution verifies them."""

    def __init__(self, key, certificate):
        self.key = key
        with open(certificate, encoding='ascii') as file:
            body = file.read().split('-----BEGIN CERTIFICATE-----')[1].split('-----END')[0]
        self.header = base64url(json.dumps({'typ': 'JWT', 'alg': 'RS256', 'x5c': [''.join(body.split())]}).encode())

    def sign(self, claims):
        text = f'{self.header}.{base64url(json.dumps(claims).encode())}'
        signature = subprocess.run(['openssl', 'dgst', '-sha256', '-sign', self.key], input=text.encode('ascii'),
                                   check=True, capture_output=True).stdout
        return f'{text}.{base64url(signature)}'


class Settings:
    def __init__(self):
        self.lock = threading.Lock()
        self.lifetime, self.refuse, self.retry_after, self.delay = 300, 0, '1', 0.0

    def change(self, form):
        with self.lock:
            self.lifetime = int(form.get('lifetime', self.lifetime))
            self.refuse = int(form.get('refuse', self.refuse))
            self.retry_after = form.get('retry-after', self.retry_after)
            self.delay = float(form.get('delay', self.delay))

    def take_refusal(self):
        with self.lock:
            taken = self.refuse > 0
            self.refuse -= taken
            return taken


class Authority:
    """Who may do what, and the tokens that say so."""

    def __init__(self, users, signer, settings):
        self.users, self.signer, self.settings = users, signer, settings
        self.refresh_tokens = {}

    def check(self, user, password):
        known = self.users.get(user, {}).get('password')
        if known is None or not hmac.compare_digest(known.encode(), password.encode()):
            raise Refused(401, 'UNAUTHORIZED', 'wrong name or password')
        return user

    def user_of_basic(self, header):
        """None = nobody said a name."""
        if not header:
            return None
        scheme, _, credential = header.partition(' ')
        try:
            user, colon, password = base64.b64decode(credential, validate=True).decode().partition(':')
        except ValueError:
            colon = ''
        if scheme.lower() != 'basic' or not colon:
            raise Refused(400, 'UNSUPPORTED', 'no Basic authorization')
        return self.check(user, password)

    def user_of_grant(self, form):
        if form.get('grant_type') == 'password':
            return self.check(form.get('username', ''), form.get('password', ''))
        if form.get('grant_type') == 'refresh_token':
            user = self.refresh_tokens.get(form.get('refresh_token', ''))
            if user is None:
                raise Refused(401, 'UNAUTHORIZED', 'unknown refresh token')
            return user
        raise Refused(400, 'UNSUPPORTED', 'unknown grant_type')

    def grant(self, user, scopes):
        access = []
        for scope in scopes:
            kind, _, rest = scope.partition(':')
            name, _, asked = rest.rpartition(':')
            if user is None:
                may = ['pull'] if name.startswith('public/') else []
            else:
                may = self.users[user]['actions']
            given = [action for action in asked.split(',') if kind == 'repository' and action in may]
            if given:
                access.append({'type': kind, 'name': name, 'actions': given})
        return access

    def answer(self, user, service, access, wants_refresh):
        now, lifetime = int(time.time()), self.settings.lifetime
        token = self.signer.sign({'iss': ISSUER, 'sub': user or '', 'aud': service, 'iat': now, 'nbf': now - 10,
                                  'exp': now + lifetime, 'jti': secrets.token_hex(8), 'access': access})
        body = {'token': token, 'access_token': token, 'expires_in': lifetime,
                'issued_at': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(now)),
                'scope': ' '.join(f'{a["type"]}:{a["name"]}:{",".join(a["actions"])}' for a in access)}
        if wants_refresh and user is not None:
            body['refresh_token'] = secrets.token_urlsafe(24)
            self.refresh_tokens[body['refresh_token']] = user
        return body


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    timeout = 60
    authority = log = None

    def do_GET(self):
        self.serve(urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query))

    def do_POST(self):
        length = int(self.headers.get('Content-Length') or 0)
        self.serve(urllib.parse.parse_qs(self.rfile.read(min(length, 65536)).decode('utf-8', 'replace')))

    def serve(self, fields):
        form = {name: values[-1] for name, values in fields.items()}
        path = urllib.parse.urlsplit(self.path).path
        if path == '/settings' and self.command == 'POST':
            self.authority.settings.change(form)
            self.send(200, {})
        elif path == '/token':
            self.serve_token(form, [scope for text in fields.get('scope', []) for scope in text.split()])
        else:
            self.send(404, {'errors': [{'code': 'NOT_FOUND', 'message': 'only /token'}]})

    def serve_token(self, form, scopes):
        authority, post = self.authority, self.command == 'POST'
        record = {'time': round(time.time(), 3), 'method': self.command, 'grant': form.get('grant_type', ''), 'scopes': scopes,
                  'service': form.get('service', ''), 'client': form.get('client_id', '')}
        time.sleep(authority.settings.delay)
        try:
            if authority.settings.take_refusal():
                raise Refused(429, 'TOOMANYREQUESTS', 'too many tokens')
            user = authority.user_of_grant(form) if post else authority.user_of_basic(self.headers.get('Authorization'))
            wants = form.get('access_type') == 'offline' if post else form.get('offline_token') == 'true'
            access = authority.grant(user, scopes)
            answer = authority.answer(user, record['service'], access, wants)
            record.update(status=200, user=user or '', granted=answer['scope'].split(), refresh_token='refresh_token' in answer)
            self.send(200, answer)
        except Refused as refusal:
            record.update(status=refusal.status)
            headers = {429: {'Retry-After': authority.settings.retry_after},
                       401: {} if post else {'WWW-Authenticate': 'Basic realm="token server"'}}.get(refusal.status, {})
            self.send(refusal.status, {'errors': [{'code': refusal.code, 'message': str(refusal)}]}, headers)
        self.log.write(json.dumps(record) + '\n')

    def send(self, status, body, headers=None):
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {'Content-Type': 'application/json', 'Content-Length': len(data), 'Cache-Control': 'no-store',
                            **(headers or {})}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """The log is our own: the request line may carry names."""


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    context = None

    def finish_request(self, request, client_address):
        """In the thread of the connection: a client that is slow to shake hands holds nobody up."""
        if self.context:
            request.settimeout(30)
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except OSError:
                return
        super().finish_request(request, client_address)
        if self.context:
            request.close()

    def handle_error(self, request, client_address):
        """A client that goes away is its own matter."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--port', type=int, required=True)
    for name in ('users', 'key', 'certificate', 'log'):
        parser.add_argument(f'--{name}', required=True)
    parser.add_argument('--tls-key')
    parser.add_argument('--tls-certificate')
    options = parser.parse_args()
    with open(options.users, encoding='utf-8') as file:
        users = json.load(file)
    Handler.authority = Authority(users, Signer(options.key, options.certificate), Settings())
    with open(options.log, 'a', encoding='utf-8', buffering=1) as Handler.log:
        with Server(('127.0.0.1', options.port), Handler) as server:
            if options.tls_certificate:
                server.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                server.context.load_cert_chain(options.tls_certificate, options.tls_key)
            server.serve_forever()


if __name__ == '__main__':
    main()

#!/usr/bin/env python3
"""A git server over HTTPS for tests: git http-backend behind a login.

usage: git_server.py DIRECTORY LOGIN

DIRECTORY gets certificate.pem (self-signed, for 127.0.0.1) and requests.log (method, path and login of each request). The
line "port N" is printed once it serves; it ends when DIRECTORY/stop is there. Of LOGIN (user:password) everything below
DIRECTORY is served; pushes below /read-only, and to a repository with a file read-only, are 403, and /moved is a redirect to /.
"""
import base64
import http.server
import os
import pathlib
import ssl
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(sys.argv[1])
LOGIN = 'basic ' + base64.b64encode(sys.argv[2].encode()).decode()
CHUNK = 1 << 16


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *arguments):
        pass

    def refuse(self, status, headers=()):
        self.send_response(status)
        for name, value in (*headers, ('Content-Length', '0')):
            self.send_header(name, value)
        self.end_headers()

    def body(self):
        if self.headers.get('Transfer-Encoding', '') != 'chunked':
            return self.rfile.read(int(self.headers.get('Content-Length', 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b''.join(parts)

    def serve(self):
        body = self.body()
        login = self.headers.get('Authorization', '')
        with (ROOT / 'requests.log').open('a') as log:
            log.write(f'{self.command} {self.path} {login}\n')
        if self.path.startswith('/moved/'):
            return self.refuse(301, [('Location', self.path.removeprefix('/moved'))])
        if login.lower() != LOGIN.lower():
            return self.refuse(401, [('WWW-Authenticate', 'Basic realm="test"')])
        path, _, query = self.path.removeprefix('/read-only').partition('?')
        marked = (ROOT / path.partition('.git/')[0].lstrip('/')).with_suffix('.git') / 'read-only'
        if (self.path.startswith('/read-only') or marked.exists()) and 'git-receive-pack' in self.path:
            return self.refuse(403)
        environment = {'PATH': os.environ['PATH'], 'GIT_PROJECT_ROOT': str(ROOT), 'GIT_HTTP_EXPORT_ALL': '1',
                       'PATH_INFO': path, 'QUERY_STRING': query, 'REQUEST_METHOD': self.command, 'REMOTE_USER': 'x',
                       'CONTENT_TYPE': self.headers.get('Content-Type', ''), 'CONTENT_LENGTH': str(len(body)),
                       'HTTP_CONTENT_ENCODING': self.headers.get('Content-Encoding', ''),
                       'GIT_PROTOCOL': self.headers.get('Git-Protocol', ''), 'GIT_CONFIG_GLOBAL': '/dev/null'}
        answer = subprocess.run(['git', 'http-backend'], input=body, env=environment, stdout=subprocess.PIPE,
                                check=False).stdout
        head, _, content = answer.partition(b'\r\n\r\n')
        headers = [line.split(': ', 1) for line in head.decode().split('\r\n')]
        self.send_response(int(next((value.split()[0] for name, value in headers if name == 'Status'), 200)))
        for name, value in headers:
            if name != 'Status':
                self.send_header(name, value)
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = serve


def main():
    key, certificate = ROOT / 'key.pem', ROOT / 'certificate.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1',
                    '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate],
                   check=True, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print('port', server.server_port, flush=True)
    while not (ROOT / 'stop').exists():
        time.sleep(0.02)


main()

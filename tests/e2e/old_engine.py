"""An engine that is too old, on a unix socket: it tells its version and nothing else. usage: old_engine.py SOCKET API"""
import socketserver
import sys


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline().strip():
            pass
        body = '{"Version":"19.03.15","ApiVersion":"%s","MinAPIVersion":"1.12"}' % sys.argv[2]
        self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body.encode())


with socketserver.UnixStreamServer(sys.argv[1], Handler) as server:
    print("listening", flush=True)
    server.serve_forever()

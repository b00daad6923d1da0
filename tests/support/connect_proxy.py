#!/usr/bin/env python3
"""A proxy that puts servers of a test in the place of public ones: only what it was told to is reached.

usage: connect_proxy.py HOST:PORT=PORT...     each CONNECT to HOST:PORT goes to that port of this machine

Prints the port that it listens on.
"""
import socket
import socketserver
import sys
import threading


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Tunnel(socketserver.StreamRequestHandler):
    places = {}

    def handle(self):
        method, place, *_ = self.rfile.readline(8192).decode('latin-1').split()
        while self.rfile.readline(8192).strip():
            pass
        if method != 'CONNECT' or place not in self.places:
            self.wfile.write(b'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
            return
        with socket.create_connection(('127.0.0.1', self.places[place])) as server:
            self.wfile.write(b'HTTP/1.1 200 Connected\r\n\r\n')
            back = threading.Thread(target=pump, args=(server, self.connection), daemon=True)
            back.start()
            pump(self.connection, server)
            back.join()


class Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True


def main():
    for pair in sys.argv[1:]:
        place, _, port = pair.partition('=')
        Tunnel.places[place] = int(port)
    with Proxy(('127.0.0.1', 0), Tunnel) as proxy:
        print(proxy.server_address[1], flush=True)
        proxy.serve_forever()


if __name__ == '__main__':
    main()

"""A server that answers every request as a file says at that time: STATUS [NAME:VALUE...], `_` for a space."""
import http.server
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with open(sys.argv[1], encoding="utf-8") as file:
            status, *headers = file.read().split()
        self.send_response(int(status))
        for header in headers:
            name, _, value = header.partition(":")
            self.send_header(name, value.replace("_", " "))
        body = b"<html>not a registry</html>"
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = answer


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("listening on", server.server_port, flush=True)
server.serve_forever()

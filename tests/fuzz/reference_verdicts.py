#!/usr/bin/env python3
"""What docker's grammar says of image references: one verdict a line.

Standard input: for each reference a line with its length, then its bytes.  Verdicts: "-" for what is none, else the
normal form with the registry.  Written from the grammar in the documentation of the package
https://pkg.go.dev/github.com/distribution/reference, with regular expressions where crategate reads by hand.
One difference: what that package takes for a path without any host (`h_x.io/a`) is no reference here.
"""
import re
import sys

LABEL = rb"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
DOMAIN = re.compile(rb"(?:" + LABEL + rb"(?:\." + LABEL + rb")*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
COMPONENT = rb"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
REST = re.compile(
    rb"(?P<path>" + COMPONENT + rb"(?:/" + COMPONENT + rb")*)"
    rb"(?::(?P<tag>[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}))?"
    rb"(?:@(?P<digest>sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}))?")


def normal_form(text):
    """None for what is no reference."""
    if re.fullmatch(rb"[a-f0-9]{64}", text):
        return None
    first, slash, others = text.partition(b"/")
    is_host = slash and (re.search(rb"[.:]", first) or first == b"localhost" or first.lower() != first)
    domain, rest = (first, others) if is_host else (b"docker.io", text)
    if domain == b"index.docker.io":
        domain = b"docker.io"
    if domain == b"docker.io" and b"/" not in rest:
        rest = b"library/" + rest
    matched = REST.fullmatch(rest)
    if not DOMAIN.fullmatch(domain) or not matched or len(matched["path"]) > 255:
        return None
    return domain + b"/" + rest


def main():
    stream = sys.stdin.buffer
    while header := stream.readline():
        form = normal_form(stream.read(int(header)))
        print("-" if form is None else form.decode("ascii"))


main()

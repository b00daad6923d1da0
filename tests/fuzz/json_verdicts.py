#!/usr/bin/env python3
"""What Python's json says of documents: one verdict a line.

Standard input: for each document two lines, "LENGTH LENGTH", then the bytes of the document and of crategate's
canonical text of it (empty: refused).  Verdicts: "sound" and whether the two texts are the same value, "duplicate"
when only a key stands twice, "invalid" for all that json.loads takes in its lenience and RFC 8259 or UTF-8 do not.
"""
import json
import sys


class Duplicate(Exception):
    pass


def no_constant(name):
    raise ValueError(name)


def finite(text):
    number = float(text)
    vanished = number == 0 and any(digit in "123456789" for digit in text.lower().split("e")[0])
    if vanished or abs(number) == float("inf"):
        raise ValueError(text)
    return number


def whole(text):
    number = int(text)
    return number if -(2**63) <= number < 2**64 else finite(text)


def once(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise Duplicate
    return dict(pairs)


def load(text, pairs_hook):
    value = json.loads(text, object_pairs_hook=pairs_hook, parse_constant=no_constant, parse_float=finite,
                       parse_int=whole)
    json.dumps(value, ensure_ascii=False).encode("utf-8")  # half a surrogate pair cannot be encoded
    return value


def verdict(document, canonical):
    try:
        text = document.decode("utf-8")
        load(text, list)
        value = load(text, once)
    except Duplicate:
        return "duplicate"
    except ValueError:
        return "invalid"
    if not canonical:
        return "sound"
    return "sound, the same" if same(json.loads(canonical), value) else "sound, another value"


def same(a, b):
    """Equal, and true is not 1."""
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == sorted(a, key=str.encode) and a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def main():
    stream = sys.stdin.buffer
    while header := stream.readline():
        lengths = [int(word) for word in header.split()]
        print(verdict(*(stream.read(length) for length in lengths)))


main()

#!/usr/bin/env python3
"""What the tests of the GitHub client ask and answer, held against GitHub's description.

usage: exchanges.py PROGRAM

PROGRAM is tests/wire_github; it runs with a file for its exchanges (api_server.h). Every request must be one that GitHub
describes. An answer has only the members that its test is about, so none is missed; those that are there must be as
described. Tests that answer wrongly on purpose are in exchanges.txt, each with a reason, and must do so.
"""
import base64
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.parse

from description import HERE, Description

ENTERPRISE = '/api/v3'


def without_required(schema):
    """Of a part of an object the rest is not asked for, and `oneOf` cannot tell by what is missing."""
    if isinstance(schema, list):
        return [without_required(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {'anyOf' if key == 'oneOf' else key: without_required(each) for key, each in schema.items()
            if key != 'required' or not isinstance(each, list)}


class Judge:
    def __init__(self):
        self.description = Description()
        self.partial = {}

    def request(self, method, target, content_type, body):
        path, _, query = target.partition('?')
        path = re.sub(r'^/repositories/\d+/', '/repos/o/r/', path)  # as GitHub names further pages, and what was renamed
        operation, values = self.description.operation(method, path)
        if operation is None:
            return None, [f'{method} {path} is no operation of the description']
        asked = urllib.parse.parse_qsl(query, keep_blank_values=True)
        return operation, (self.description.check_parameters(operation, 'path', values)
                           + self.description.check_parameters(operation, 'query', dict(asked))
                           + [f'{name} is there twice' for name, count in collections.Counter(name for name, _ in asked).items() if count > 1]
                           + self.description.check_body(operation, body, content_type))

    def answer(self, operation, status, text):
        described = operation.responses.get(str(status))
        if described is None:
            return [] if status >= 300 or status == 202 else [f'{operation.id} never answers {status}']
        if status >= 400 and not text:
            return []
        if 'content' not in described:
            return [f'{operation.id} answers {status} without a body'] if text else []
        try:
            value = json.loads(text)
        except ValueError as error:
            return [f'answer {status} is no JSON: {error}']
        schema = described['content']['application/json']['schema']
        if id(schema) not in self.partial:
            self.partial[id(schema)] = without_required(schema)
        return self.description.check(self.partial[id(schema)], value, f'answer {status}')


def exchanges(program):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / 'exchanges'
        subprocess.run([program, '--gtest_brief=1'], env=os.environ | {'CRATEGATE_EXCHANGES': str(file)}, check=True)
        for line in file.read_text().splitlines():
            test, method, target, content_type, body, status, text = line.split('\t')
            if target.startswith(ENTERPRISE + '/'):  # all else is storage, or somewhere that a client must not follow to
                yield test, method, target.removeprefix(ENTERPRISE), content_type, base64.b64decode(body), int(status), base64.b64decode(text)


def main(program):
    rows = [line.split(' ', 1) for line in (HERE / 'exchanges.txt').read_text().splitlines() if line and not line.startswith('#')]
    on_purpose = {test for test, _ in rows}
    judge, wrong, used, count = Judge(), [], set(), 0
    for test, method, target, content_type, body, status, text in exchanges(program):
        count += 1
        operation, of_request = judge.request(method, target, content_type, body)
        of_answer = judge.answer(operation, status, text) if operation else []
        if (of_request or of_answer) and test in on_purpose:
            used.add(test)
        else:
            wrong += [f'{test}: {method} {target}: {each}' for each in of_request + of_answer]
    wrong += [f'{test}: nothing wrong, but it is in exchanges.txt' for test in sorted(on_purpose - used)]
    print('\n'.join(dict.fromkeys(wrong)))
    print(f'{count} exchanges, {len(used)} tests wrong on purpose, {len(wrong)} violations')
    return 1 if wrong or count == 0 else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))

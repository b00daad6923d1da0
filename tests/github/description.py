"""GitHub's description of its API (openapi.json): what is wrong with a request, and with an answer.

Every function answers with a list of sentences; empty = nothing is wrong.
Not here: what the description leaves to prose, as which headers a request has (server).
"""
import json
import pathlib
import re
import urllib.parse

import jsonschema

HERE = pathlib.Path(__file__).resolve().parent
JSON = 'application/json'
# GitHub answers null there once a fork is deleted; the description of webhooks says so, that of the API does not.
NULL_OF_A_DELETED_FORK = [('pull-request', 'head', 'repo'), ('workflow-run', 'head_repository')]
# Its list has pages as that of an organisation has, and GitHub's own action asks for them; the description forgets them.
PAGES_OF_A_USER = ('packages/get-all-package-versions-for-package-owned-by-user', 'packages/get-all-package-versions-for-package-owned-by-org')
FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks('date-time')
def is_date_time(text):
    return not isinstance(text, str) or re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)', text) is not None


@FORMATS.checks('uri')
def is_uri(text):
    return not isinstance(text, str) or re.fullmatch(r"[a-z]+:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+", text) is not None


@FORMATS.checks('email')
def is_email(text):
    return not isinstance(text, str) or '@' in text


class Operation:
    def __init__(self, method, path, described):
        self.method, self.path, self.id = method.upper(), path, described['operationId']
        self.parameters = {(each['in'], each['name']): each for each in described.get('parameters', [])}
        self.body = described.get('requestBody')
        self.responses = described['responses']
        # The last part of an address may have slashes in it.
        pattern = re.sub(r'\\{(\w+)\\}', r'(?P<\1>[^/]+)', re.escape(path))
        self.pattern = re.compile(re.sub(r'\(\?P<ref>\[\^/\]\+\)$', '(?P<ref>.+)', pattern))


class Description:
    def __init__(self):
        self.document = json.loads((HERE / 'openapi.json').read_text())
        for schema, *way in NULL_OF_A_DELETED_FORK:
            self.allow_null(self.document['components']['schemas'][schema], way)
        self.plain, self.known, self.validators = {}, set(), {}
        self.operations = [Operation(method, path, self.resolved(described))
                           for path, methods in self.document['paths'].items() for method, described in methods.items()]
        of_user, of_org = (next(each for each in self.operations if each.id == name) for name in PAGES_OF_A_USER)
        of_user.parameters |= {key: each for key, each in of_org.parameters.items() if key in (('query', 'page'), ('query', 'per_page'))}
        self.error = self.resolved({'$ref': '#/components/schemas/basic-error'})

    @staticmethod
    def allow_null(schema, way):
        for name in way[:-1]:
            schema = schema['properties'][name]
        schema['properties'][way[-1]] = {'nullable': True, 'allOf': [schema['properties'][way[-1]]]}

    def resolved(self, value):
        """As JSON Schema has it, with what is referred to in its place."""
        if isinstance(value, list):
            return [self.resolved(item) for item in value]
        if not isinstance(value, dict):
            return value
        if isinstance(value.get('$ref'), str):
            reference = value['$ref']
            if reference not in self.plain:
                target = self.document
                for key in reference.removeprefix('#/').split('/'):
                    target = target[key]
                self.plain[reference] = self.resolved(target)
            return self.plain[reference]
        plain = {key: self.resolved(item) for key, item in value.items() if key != 'nullable' or isinstance(item, dict)}
        return {'anyOf': [{'type': 'null'}, plain]} if value.get('nullable') is True else plain

    def operation(self, method, path):
        """And the values in the path, decoded."""
        for each in self.operations:
            match = each.pattern.fullmatch(path) if each.method == method else None
            if match:
                return each, {name: urllib.parse.unquote(text) for name, text in match.groupdict().items()}
        return None, {}

    # --- values -----------------------------------------------------------------------------------------------------------------

    def check(self, schema, value, where):
        """Of a list each item by itself, and nothing twice: servers are asked the same again and again."""
        if schema.get('type') == 'array' and isinstance(value, list):
            return [wrong for index, item in enumerate(value) for wrong in self.check(schema['items'], item, f'{where}[{index}]')]
        if not isinstance(value, dict):
            return self.violations(schema, value, where)
        lists = {name: part for name, part in schema.get('properties', {}).items() if part.get('type') == 'array' and isinstance(value.get(name), list)}
        wrong = [each for name, part in lists.items() for each in self.check(part, value[name], f'{where}.{name}')]
        return wrong + self.violations(schema, value | {name: [] for name in lists}, where)

    def violations(self, schema, value, where):
        key = (id(schema), json.dumps(value))
        if key in self.known:
            return []
        if id(schema) not in self.validators:
            self.validators[id(schema)] = jsonschema.Draft4Validator(schema, format_checker=FORMATS)
        wrong = [f'{where}{"".join(f".{part}" for part in error.path)}: {error.message[:200]}'
                 for error in self.validators[id(schema)].iter_errors(value)]
        if not wrong:
            self.known.add(key)
        return wrong

    def check_text(self, schema, text, where):
        """Of a parameter, which is text: as the kind of value that the schema wants."""
        kinds = {each.get('type') for each in [schema, *schema.get('oneOf', [])]}
        value = text
        if 'integer' in kinds and re.fullmatch(r'-?(0|[1-9]\d{0,17})', text):
            value = int(text)
        elif 'boolean' in kinds and text in ('true', 'false'):
            value = text == 'true'
        return self.violations(schema, value, where)

    # --- requests and answers ---------------------------------------------------------------------------------------------------

    def check_parameters(self, operation, place, values):
        wrong = []
        for name, text in values.items():
            described = operation.parameters.get((place, name))
            if described is None:
                wrong.append(f'{operation.id} has no parameter {name} in its {place}')
            else:
                wrong += self.check_text(described['schema'], text, f'{place} {name}')
        missing = [name for (kind, name), each in operation.parameters.items() if kind == place and each.get('required') and name not in values]
        return wrong + [f'{operation.id} needs the parameter {name} in its {place}' for name in missing]

    def check_body(self, operation, body, content_type):
        if operation.body is None:
            return ['a body, which this request has not'] if body else []
        if not body and not operation.body.get('required'):
            return []
        if content_type.partition(';')[0].strip().lower() != JSON:
            return [f'content type {content_type!r}: wanted {JSON}']
        try:
            value = json.loads(body)
        except ValueError as error:
            return [f'the body is no JSON: {error}']
        schema = operation.body['content'][JSON]['schema']
        unknown = sorted(set(value) - set(schema['properties'])) if isinstance(value, dict) else []
        return [f'body: {name} is not described' for name in unknown] + self.check(schema, value, 'body')

    def check_answer(self, operation, status, value):
        """`value`: None = no body. What every operation can answer is not described with each."""
        described = operation.responses.get(str(status)) if operation else None
        if described is None:
            if status == 304:
                return [] if value is None else ['a 304 with a body']
            return self.check(self.error, value, f'answer {status}') if status >= 400 else [f'{operation.id} never answers {status}']
        if 'content' not in described:
            return [] if value is None else [f'{operation.id} answers {status} without a body']
        if value is None:
            return [f'{operation.id} answers {status} with a body']
        return self.check(described['content'][JSON]['schema'], value, f'answer {status}')

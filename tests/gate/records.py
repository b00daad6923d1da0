"""Records and text values that were replayed, edited, emptied or damaged.

Not here: images (images), signatures (signatures).
"""
import json
import shutil

from cases import ADMITTED, OTHER, add, case
from stand import SECRET, SIGNED, VARIABLE, canonical

EMPTY = {'a line feed': '01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b',
         'no layers': '37517e5f3dc66819f61f5a7bb8ace1921282415f10551d2defa5c3eb0985b570',
         'nothing': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'}


# --- replayed records ---------------------------------------------------------------------------------------------------------

case('replay: the record of another run', {'record-foreign'})(lambda s: s.write(s.variants['another run']))
case('replay: the record of a later attempt', {'record-foreign'})(lambda s: s.write(s.variants['a later attempt']))
case('replay: a record of no run', {'record-foreign'})(lambda s: s.write(s.variants['no run']))
ALL_FOREIGN = {cell: {'record-foreign'} for cell in ('app', 'twin', 'one', 'deep')}
case('replay: this run, of another one', ALL_FOREIGN, environment={'GITHUB_RUN_ID': '1'})(lambda s: None)
case('replay: another commit and plan, the cell itself made anew', {cell: {'record-foreign'} for cell in ('twin', 'one', 'deep')},
     kept='replayed')(lambda s: None)


@case('replay: the record of the commit before', ALL_FOREIGN, kept='replayed')
def _(s):
    for name in ('record.json', 'digest-app.txt'):
        shutil.copy(s.root / 'plain/records/app' / name, s.state() / 'records/app' / name)


@case('replay: the record of the commit before, moved to the new plan and commit', ALL_FOREIGN, kept='replayed')
def _(s):
    plan = s.read_plan()
    for name in ('record.json', 'digest-app.txt'):
        shutil.copy(s.root / 'plain/records/app' / name, s.state() / 'records/app' / name)
    s.edit(plan_id=plan['plan_id'], commit=plan['commit'])


@case('plan: another image in plan.json', 2)
def _(s):
    path = s.state() / 'plan.json'
    path.write_text(path.read_text().replace('tamper/app', 'tamper/twin'))


@case('plan: a cell less in plan.json', 2)
def _(s):
    plan = s.read_plan()
    plan['cells'].pop()
    (s.state() / 'plan.json').write_text(json.dumps(plan))

# --- each member of the record ------------------------------------------------------------------------------------------------

MEMBERS = {
    'plan_id': (OTHER, {'record-foreign'}), 'run': ('4712', {'record-foreign'}), 'attempt': ('9', {'record-foreign'}),
    'commit': ('f' * 40, {'record-foreign'}), 'cell': ('twin', {'record-foreign'}), 'candidate': ('evil/app:latest', {'candidate-swapped'}),
    'config_digest': (OTHER, {'config-differs'}), 'manifest_digest': (OTHER, {'candidate-missing'}),
    'fingerprint': ('v1:' + OTHER[7:], {'config-differs'}), 'layer_text': (OTHER[7:], {'layer-differs', 'digest-text-differs'}),
    'diff_ids': ([OTHER], {'layer-differs'}), 'scan': ('passed', {'record-unreadable'}), 'schema': (2, {'record-unreadable'}),
    'finished_at': ('yesterday', {'record-unreadable'}), 'manifest_size': (7, {'candidate-swapped'}),
    'platform': ('linux/riscv64', {'platform-differs'}), 'tests__verdict': ('failed', {'tests-not-passed'}),
    'tests__failed': (1, {'tests-not-passed'}), 'tests__exit_code': (1, {'tests-not-passed'}),
    'tests__plan_id': (OTHER, {'record-foreign'}), 'tests__cell': ('twin', {'record-foreign'}), 'tests__config_digest': (OTHER, {'config-differs'}),
}
for member, (value, wanted) in MEMBERS.items():
    add(f'record: {member.replace("__", ".")} of another', (lambda m, v: lambda s: s.edit(**{m: v}))(member, value), wanted)
for member, value in {'finished_at': '2026-01-01T00:00:00Z', 'tests__total': 99}.items():
    name = member.replace('__', '.')
    add(f'record: {name} of another: only a signature tells', (lambda m, v: lambda s: s.edit(**{m: v}))(member, value), ADMITTED)
    add(f'record: {name} of another, signatures demanded', (lambda m, v: lambda s: s.edit(**{m: v}))(member, value), {'signature-invalid'},
        kept='signed', options=SIGNED, environment={VARIABLE: SECRET})
for member in ('plan_id', 'run', 'attempt', 'commit', 'cell', 'platform', 'candidate', 'config_digest', 'manifest_digest', 'manifest_size', 'fingerprint',
               'layer_text', 'diff_ids', 'tests', 'scan', 'finished_at', 'schema'):
    add(f'record: without {member}', (lambda m: lambda s: s.edit(**{m: None}))(member), {'record-unreadable'})
for member in ('plan_id', 'run', 'attempt', 'commit', 'cell'):
    add(f'record: {member} empty', (lambda m: lambda s: s.edit(**{m: ''}))(member), {'record-foreign'})
case('record: candidate empty', {'candidate-missing'})(lambda s: s.edit(candidate=''))
case('record: tests not configured', {'tests-not-passed', 'record-foreign', 'config-differs'})(
    lambda s: s.edit(tests={**s.record()['tests'], 'verdict': 'not-configured', 'plan_id': '', 'cell': '', 'config_digest': None}))

# --- evidence of nothing --------------------------------------------------------------------------------------------------------

EMPTIED = {
    'layer text value': (lambda s, v: s.edit(layer_text=v), {'empty-evidence', 'layer-differs', 'digest-text-differs'}),
    'fingerprint': (lambda s, v: s.edit(fingerprint='v1:' + v), {'empty-evidence', 'config-differs'}),
    'config digest': (lambda s, v: s.edit(config_digest='sha256:' + v), {'empty-evidence', 'config-differs'}),
    'manifest digest': (lambda s, v: s.edit(manifest_digest='sha256:' + v), {'empty-evidence', 'candidate-missing'}),
    'a diff ID': (lambda s, v: s.edit(diff_ids=['sha256:' + v]), {'empty-evidence', 'layer-differs'}),
    'the value in the text file': (lambda s, v: s.text_path().write_text(v + '\n'), {'digest-text-differs'}),
}
for what, value in EMPTY.items():
    for name, (change, wanted) in EMPTIED.items():
        add(f'empty evidence: {what} as {name}', (lambda c, v: lambda s: c(s, v))(change, value), wanted)
case('empty evidence: no layers in the record', {'empty-evidence', 'layer-differs'})(lambda s: s.edit(diff_ids=[]))

# --- records that are none --------------------------------------------------------------------------------------------------------


def rewrite(change):
    return lambda s: s.record_path().write_bytes(change(s.record_path().read_bytes()))


def replace(old, new):
    def change(data):
        assert old in data, old
        return data.replace(old, new, 1)
    return change


UNREADABLE = {
    'a mark of byte order': lambda data: b'\xef\xbb\xbf' + data, 'CRLF': lambda data: data.replace(b'\n', b'\r\n'), 'no line feed': bytes.rstrip,
    'two lines': lambda data: data + data, 'a line more': lambda data: data + b'\n', 'text behind it': lambda data: data + b'x',
    'a mebibyte of blanks behind it': lambda data: data + b' ' * (1 << 20),
    'a mebibyte in a member': replace(b'"log":"', b'"log":"' + b'a' * (1 << 20)),
    'indentation': lambda data: json.dumps(json.loads(data), indent=2, sort_keys=True).encode() + b'\n',
    'members in another order': lambda data: json.dumps(dict(reversed(json.loads(data).items())), separators=(',', ':')).encode() + b'\n',
    'another way to escape': replace(b'"commit"', b'"\\u0063ommit"'), 'a member twice': replace(b'{"attempt"', b'{"cell":"twin","attempt"'),
    'a member that nobody knows': replace(b'{"attempt"', b'{"admit":true,"attempt"'),
    'a member of the tests that nobody knows': replace(b'"tests":{', b'"tests":{"admit":true,'), 'half of it': lambda data: data[:len(data) // 2],
    'null': lambda data: b'null\n', 'a list': lambda data: b'[]\n', 'not JSON': lambda data: b'yes\n', 'not UTF-8': replace(b'"log":"', b'"log":"\xff'),
    'a fraction': replace(b'"failed":0', b'"failed":0.0'),
    'a manifest digest in upper case': lambda data: recase(data, 'manifest_digest'),
    'a layer text value in upper case': lambda data: recase(data, 'layer_text'),
    'a fingerprint in upper case': lambda data: recase(data, 'fingerprint'),
    'a manifest digest of 63 digits': lambda data: shorten(data, 'manifest_digest'),
    'a config digest of 63 digits': lambda data: shorten(data, 'config_digest'),
    'a layer text value of 63 digits': lambda data: shorten(data, 'layer_text'),
    'a fingerprint of 63 digits': lambda data: shorten(data, 'fingerprint'),
    'a layer text value with a line end': lambda data: members(data, layer_text=json.loads(data)['layer_text'] + '\r\n'),
    'two layer text values': lambda data: members(data, layer_text='\n'.join(2 * [json.loads(data)['layer_text']])),
    'no layer text value': lambda data: members(data, layer_text=''), 'no fingerprint': lambda data: members(data, fingerprint=''),
    'a diff ID that is a path': lambda data: members(data, diff_ids=['sha256:../../../etc/passwd']),
    'a manifest digest of SHA-512': lambda data: members(data, manifest_digest='sha512:' + 'a' * 128),
    'a config digest of MD5': lambda data: members(data, config_digest='md5:' + 'a' * 32),
}


def members(data, **values):
    return (canonical({**json.loads(data), **values}) + '\n').encode()


def recase(data, member):
    value = json.loads(data)[member]
    prefix = value[:len(value) - 64]
    return members(data, **{member: prefix + value[-64:].upper()})


def shorten(data, member):
    return members(data, **{member: json.loads(data)[member][:-1]})


for what, change in UNREADABLE.items():
    add(f'record: {what}', rewrite(change), {'record-unreadable'})
case('record: none', {'record-missing'})(lambda s: s.record_path().unlink())
case('record: an empty file', {'record-missing'})(lambda s: s.record_path().write_bytes(b''))
case('record: none of any cell', {cell: {'record-missing'} for cell in ALL_FOREIGN})(lambda s: shutil.rmtree(s.state() / 'records'))


@case('record: a link', {'record-unreadable'})
def _(s):
    s.record_path().unlink()
    s.record_path().symlink_to(s.root / 'plain/records/app/record.json')


@case('record: a folder', {'record-unreadable'})
def _(s):
    s.record_path().unlink()
    s.record_path().mkdir()


# --- the text value beside it ---------------------------------------------------------------------------------------------------

def text(change):
    return lambda s: s.text_path().write_bytes(change(s.text_path().read_bytes()))


TEXTS = {'CRLF': lambda data: data.replace(b'\n', b'\r\n'), 'two lines': lambda data: data + data, 'no line feed': bytes.rstrip, 'upper case': bytes.upper,
         'a mark of byte order': lambda data: b'\xef\xbb\xbf' + data, '63 digits': lambda data: data[1:], 'with the name of a file': lambda data: data.rstrip() + b'  -\n',
         'another value': lambda data: b'0' * 64 + b'\n', 'an empty file': lambda data: b'', 'a mebibyte': lambda data: data * (1 << 14)}
for what, change in TEXTS.items():
    add(f'text value: {what}', text(change), {'digest-text-differs'})
case('text value: none', {'digest-text-differs'})(lambda s: s.text_path().unlink())


@case('text value: a link', {'digest-text-differs'})
def _(s):
    s.text_path().unlink()
    s.text_path().symlink_to(s.root / 'plain/records/app/digest-app.txt')

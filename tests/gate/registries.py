"""A registry that lies, and one that loses what it had between verify and push.
"""
import json
import time

from cases import ADMITTED, OTHER, add
from stand import INDEX, digest_of

SCHEMA1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws'


# --- the registry ---------------------------------------------------------------------------------------------------------------

def is_manifest(request):
    return request.method == 'GET' and '/app/manifests/sha256:' in request.path


def is_config(s):
    digest = s.manifest()[1]['config']['digest']
    return lambda request: request.method == 'GET' and request.path.endswith(f'/app/blobs/{digest}')


def lies(of, answer):
    def act(s):
        s.lie(is_manifest if of == 'manifest' else is_config(s), lambda status, headers, body: answer(s, status, headers, body))
    return act


def typed(headers, value):
    return [(name, item) for name, item in headers if name.lower() != 'content-type'] + [('Content-Type', value)]


def announced(headers, digest):
    return [(name, item) for name, item in headers if name.lower() not in ('docker-content-digest', 'content-length')] + [('Docker-Content-Digest', digest)]


def sized(headers, data):
    return [(name, item) for name, item in headers if name.lower() != 'content-length'] + [('Content-Length', str(len(data)))]


def instead(make, media_type=None):
    """`make(scene, body)` in place of the body."""
    def answer(s, status, headers, body):
        data = make(s, body)
        return status, sized(typed(headers, media_type) if media_type else headers, data), data
    return answer


def as_type(media_type):
    return lambda s, status, headers, body: (status, typed(headers, media_type), body)


def under(digest):
    return lambda s, status, headers, body: (status, announced(headers, digest), body)


def refused(status, code, text=None):
    data = json.dumps({'errors': [{'code': code}]}).encode() if text is None else text
    return lambda *_: (status, [('Content-Type', 'application/json' if text is None else 'text/html')], data)


def other_manifest(s, status, headers, body):
    data = s.manifest('twin')[0]
    return status, announced(headers, digest_of(data)), data


def flipped(s, body):
    return body[:40] + bytes([body[40] ^ 1]) + body[41:]


def config_of_twin(s, body):
    return s.blob(s.manifest('twin')[1]['config']['digest'], 'twin')


LIES = {
    'the manifest of another image': ('manifest', other_manifest, 25),
    'the manifest of another image, under the digest that was asked for': ('manifest', instead(lambda s, _: s.manifest('twin')[0]), 25),
    'a manifest with one bit flipped': ('manifest', instead(flipped), 25),
    'a manifest with another key before it': ('manifest', instead(lambda _, body: b'{"x":1,' + body[1:]), 25),
    'a manifest that is cut off': ('manifest', instead(lambda _, body: body[:-20]), 25),
    'a right manifest under another announced digest': ('manifest', under(OTHER), 25),
    'a right manifest as an index': ('manifest', as_type(INDEX), 25),
    'a right manifest as schema 1, which its own bytes deny': ('manifest', as_type(SCHEMA1), ADMITTED),
    'a right manifest as text/html, which its own bytes deny': ('manifest', as_type('text/html'), ADMITTED),
    'a manifest of schema 1': ('manifest', instead(lambda *_: b'{"schemaVersion":1}', SCHEMA1), 25),
    'five megabytes instead of a manifest': ('manifest', instead(lambda *_: b' ' * 5_000_000), 25),
    'no such manifest': ('manifest', refused(404, 'MANIFEST_UNKNOWN'), {'candidate-missing'}),
    'a page that says 404': ('manifest', refused(404, '', b'<html>not here</html>'), 24),
    'a refused manifest': ('manifest', refused(403, 'DENIED'), 21),
    'the configuration of another image': ('config', instead(config_of_twin), 25),
    'a configuration with one bit flipped': ('config', instead(flipped), 25),
    'a configuration that is cut off': ('config', instead(lambda _, body: body[:-20]), 25),
    'a configuration of 100 MB': ('config', instead(lambda *_: b'a' * 100_000_000), 25),
    'no such configuration': ('config', refused(404, 'BLOB_UNKNOWN'), {'candidate-missing'}),
    'a refused configuration': ('config', refused(403, 'DENIED'), 21),
}
for what, (of, answer, wanted) in LIES.items():
    add(f'the registry serves {what}', lies(of, answer), wanted)


def a_copy(s):
    """Another candidate with the same evidence, whose loss harms no other case."""
    manifest, config = s.image()
    manifest['annotations'] = {'org.example.copy': str(time.time())}
    config['created'] = time.strftime('%Y-%m-%dT%H:%M:%SZ')
    config['history'].append({'created_by': str(time.time()), 'empty_layer': True})
    s.forge(manifest, config, 3)


add('candidate: deleted between verify and push', a_copy, ADMITTED,
    between=(lambda s: s.ask('DELETE', f'/v2/tamper/app/manifests/{s.record()["manifest_digest"]}'), {'candidate-missing'}))
add('candidate: its configuration deleted between verify and push', a_copy, ADMITTED,
    between=(lambda s: s.ask('DELETE', f'/v2/tamper/app/blobs/{s.record()["config_digest"]}'), {'candidate-missing'}))
add('candidate: swapped in the record between verify and push', lambda s: None, ADMITTED,
    between=(lambda s: s.edit(manifest_digest=OTHER), {'candidate-missing'}))
add('candidate: tests withdrawn between verify and push', lambda s: None, ADMITTED,
    between=(lambda s: s.record_path().write_bytes(b''), {'record-missing'}))

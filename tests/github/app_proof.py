"""The JSON Web Token by which an App says who it is: whether GitHub would take it, with the openssl program as the judge.

Not here: what an App may then ask for (answers).
"""
import base64
import json
import pathlib
import subprocess
import tempfile

from answers import Refusal

LONGEST = 600  # seconds from now until it ends
UNREADABLE = 'A JSON web token could not be decoded'
ISSUED = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
ENDED = "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"
TOO_LONG = "'Expiration time' claim ('exp') is too far in the future"
UNKNOWN = 'Integration not found'


def decoded(part):
    """Exactly as RFC 7515 writes it: no padding, no bits left over."""
    data = base64.urlsafe_b64decode(part + '=' * (-len(part) % 4))
    if encoded(data) != part:
        raise ValueError('not as base64url is written')
    return data


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def openssl(*arguments, **files):
    """`{name}` in an argument is a file with these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            pathlib.Path(folder, name).write_bytes(data)
        places = {name: f'{folder}/{name}' for name in files}
        return subprocess.run(['openssl', *(each.format(**places) for each in arguments)], capture_output=True, check=False)


def make(claims, private_key):
    """For tests of the server."""
    said = '.'.join(encoded(json.dumps(part).encode()) for part in ({'alg': 'RS256', 'typ': 'JWT'}, claims))
    signed = openssl('dgst', '-sha256', '-sign', '{key}', '{said}', key=private_key, said=said.encode())
    return f'{said}.{encoded(signed.stdout)}'


def app_of(store, token):
    """The App whose proof it is."""
    try:
        head, claims, signature = (decoded(part) for part in token.split('.'))
        head, claims = json.loads(head), json.loads(claims)
        issuer, issued, ends = str(claims['iss']), claims['iat'], claims['exp']
    except (ValueError, KeyError, TypeError):
        raise Refusal(401, UNREADABLE) from None
    app = next((each for each in store['apps'] if issuer in (str(each['id']), each['client_id'])), None)
    if app is None:
        raise Refusal(404, UNKNOWN)
    verified = openssl('dgst', '-sha256', '-verify', '{key}', '-signature', '{signature}', '{said}', key=app['key'].encode(), signature=signature,
                       said=token.rpartition('.')[0].encode())
    if head.get('alg') != 'RS256' or verified.returncode != 0:
        raise Refusal(401, UNREADABLE)
    if not isinstance(issued, int) or issued > store.now():
        raise Refusal(401, ISSUED)
    if not isinstance(ends, int) or ends <= store.now():
        raise Refusal(401, ENDED)
    if ends > store.now() + LONGEST:
        raise Refusal(401, TOO_LONG)
    return app

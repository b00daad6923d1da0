"""Signed records, and what is done to their signatures.
"""
import hashlib
import hmac

from cases import ADMITTED, add
from images import SWAPPED, change_key, change_layer, swap
from records import MEMBERS
from stand import OTHER_SECRET, SECRET, SIGNED, VARIABLE, canonical, digest_of



# --- signatures -------------------------------------------------------------------------------------------------------------------


def signed(name, act, wanted, environment=None, options=SIGNED, says=()):
    given = {VARIABLE: SECRET} if environment is None else environment
    add(f'signature: {name}', act, wanted, kept='signed', options=options, environment=given, says=says)


def flip(s, place, bit=1):
    signature = s.record()['signature']
    digit = format(int(signature[place], 16) ^ bit, 'x')
    s.edit(signature=signature[:place] + digit + (signature[place + 1:] if place != -1 else ''))


for place in (12, 40, -1):
    signed(f'a bit flipped in digit {place}', (lambda p: lambda s: flip(s, p))(place), {'signature-invalid'})
signed('another secret', lambda s: s.write(s.signed_otherwise), {'signature-invalid'})
signed('verified with another secret', lambda s: None, {cell: {'signature-invalid'} for cell in ('app', 'twin', 'one', 'deep')},
       {VARIABLE: OTHER_SECRET})
def sign(s, secret, purpose):
    """As docs/gate.md says it."""
    record = {name: value for name, value in s.record().items() if name != 'signature'}
    s.edit(signature='hmac-sha256:' + hmac.new(secret.encode(), (purpose + canonical(record)).encode(), hashlib.sha256).hexdigest())


def changed_and_signed(secret=SECRET, purpose='crategate record v1\n'):
    def act(s):
        s.edit(finished_at='2026-01-01T00:00:00Z')
        sign(s, secret, purpose)
    return act


signed('made by another program that knows the secret', changed_and_signed(), ADMITTED)
signed('made by a program that knows another secret', changed_and_signed(OTHER_SECRET), {'signature-invalid'})
signed('without the line that names its purpose', changed_and_signed(purpose=''), {'signature-invalid'})
signed('removed', lambda s: s.edit(signature=None), {'signature-invalid'})
signed("another cell's", lambda s: s.edit(signature=s.record('twin')['signature']), {'signature-invalid'})
signed("another cell's record with its signature", swap('both'), {'app': SWAPPED, 'one': SWAPPED})
signed('upper case', lambda s: s.edit(signature=s.record()['signature'][:12] + s.record()['signature'][12:].upper()), {'record-unreadable'})
signed('63 digits', lambda s: s.edit(signature=s.record()['signature'][:-1]), {'record-unreadable'})
signed('of another kind', lambda s: s.edit(signature=s.record()['signature'].replace('hmac-sha256', 'sha256')), {'record-unreadable'})
signed('empty', lambda s: s.edit(signature=''), {'record-unreadable'})
signed('the plain hash of the record', lambda s: s.edit(signature='hmac-sha256:' + digest_of(s.record_path().read_bytes())[7:]), {'signature-invalid'})
signed('no record at all', lambda s: s.record_path().unlink(), {'record-missing'})
signed('text value of another image beside it', lambda s: s.text_path().write_text('0' * 64 + '\n'), {'digest-text-differs'})
for member, (value, wanted) in MEMBERS.items():
    if wanted != {'record-unreadable'}:
        signed(f'{member.replace("__", ".")} changed under it', (lambda m, v: lambda s: s.edit(**{m: v}))(member, value), {'signature-invalid'})
signed('Env changed, the record forged but for the fingerprint', change_key('Env', 'changed'), {'signature-invalid'})
signed('a layer replaced, the record forged but for the layers', change_layer('middle', 'replaced'), {'signature-invalid'})
REMEDY = (VARIABLE, 'openssl rand -hex 32', 'at least 32 bytes')
signed('demanded, but no secret', lambda s: None, 2, {}, says=(*REMEDY, 'found none'))
signed('demanded, but an empty secret', lambda s: None, 2, {VARIABLE: ''}, says=(*REMEDY, 'found none'))
signed('demanded, but a secret of 31 bytes', lambda s: None, 2, {VARIABLE: SECRET[:31]}, says=(*REMEDY, 'found 31 bytes'))
signed('demanded, the secret itself as the name of the variable', lambda s: None, 2, {VARIABLE: SECRET}, [f'--gate-hmac-secret-env={SECRET}'])
add('signature: demanded of records without one', lambda s: None, {cell: {'signature-invalid'} for cell in ('app', 'twin', 'one', 'deep')},
    options=SIGNED, environment={VARIABLE: SECRET})

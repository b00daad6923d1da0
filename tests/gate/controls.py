"""What the gate has to admit.
"""
import json

from cases import ADMITTED, case
from stand import SECRET, SIGNED, VARIABLE



# --- nothing, or nothing that counts ------------------------------------------------------------------------------------

case('nothing is tampered with', ADMITTED)(lambda s: None)
case('a later attempt of the same run takes the evidence of this one', ADMITTED, environment={'GITHUB_RUN_ATTEMPT': '3'})(lambda s: None)
case('a record of an earlier attempt', ADMITTED)(lambda s: s.write(s.variants['an earlier attempt']))
case('outside of a workflow, a record of some run', ADMITTED, environment={'GITHUB_RUN_ID': '', 'GITHUB_RUN_ATTEMPT': ''})(lambda s: None)
case('a signature that nobody asks for', ADMITTED, kept='signed')(lambda s: None)
case('a signature that nobody asks for, of another secret', ADMITTED)(lambda s: s.write(s.signed_otherwise))
case('signed as demanded', ADMITTED, kept='signed', options=SIGNED, environment={VARIABLE: SECRET})(lambda s: None)


@case('a login that may only read', ADMITTED)
def _(s):
    headers, body = [('Content-Type', 'application/json')], json.dumps({'errors': [{'code': 'DENIED'}]}).encode()
    s.proxy.rule = lambda handler: None if handler.command in ('GET', 'HEAD') else lambda asked, _: asked.answer(403, headers, body)


@case('an ignored label changed, forged throughout but for the fingerprint', ADMITTED)
def _(s):
    manifest, config = s.image()
    config['config']['Labels']['org.example.volatile'] = '2'
    s.forge(manifest, config, 3)


@case('an ignored label changed, record as it was: still another candidate', {'candidate-swapped', 'config-differs'})
def _(s):
    manifest, config = s.image()
    config['config']['Labels']['org.example.volatile'] = '2'
    s.forge(manifest, config, 1)

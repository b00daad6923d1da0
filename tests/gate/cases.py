"""What a case of the tamper suite is, and the list of them in the order of their table.

Not here: the cases (images, records, registries, signatures), how they are run (tamper).
"""
OTHER = 'sha256:' + '0123456789abcdef' * 4
ADMITTED = 'admitted'
CASES = []


class Case:
    """`wanted`: ADMITTED, the reasons for app alone, the reasons by cell, or an exit code. `kept`: which evidence of the scene.
    `between`: what is done between verify, which admits, and push, and the reasons then. `says`: what verify has to print."""

    def __init__(self, name, act, wanted, options=(), environment=None, kept='plain', between=None, says=()):
        self.name, self.act, self.options, self.environment = name, act, list(options), environment or {}
        self.wanted = {'app': set(wanted)} if isinstance(wanted, set) else wanted
        self.kept, self.between, self.says = kept, between, says


def add(name, act, wanted, **more):
    CASES.append(Case(name, act, wanted, **more))


def case(name, wanted, **more):
    """Of a function that tampers."""
    def keep(act):
        add(name, act, wanted, **more)
        return act
    return keep

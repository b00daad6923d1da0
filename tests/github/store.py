"""The scripted server's state: one JSON file for each kind of thing, in a folder that tests change while it serves.

A file is replaced whole. Who reads and then writes does so inside `with Store(folder) as store`, which locks the folder.
Not here: what is in it (state), what is answered (server).
"""
import copy
import fcntl
import json
import os
import pathlib
import time

EMPTY = {
    'apps': [], 'artifacts': [], 'clock': {'skew': 0}, 'comments': [], 'commits': [], 'faults': [], 'files': [], 'hooks': [], 'limits': {},
    'package_roles': {}, 'packages': [], 'pulls': [],
    'reactions': [], 'repository': {'id': 1296269, 'full_name': 'octo/app', 'private': True, 'default_branch': 'main'}, 'runs': [],
    'tokens': {}, 'users': [], 'workflows': [],
}


def rfc3339(seconds):
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(seconds))


class Store:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self):
        self.lock = open(self.folder / 'lock', 'w')
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.read, self.values = {}, {}
        return self

    def __exit__(self, failure, *_):
        try:
            if failure is None:
                self.save()
        finally:
            self.lock.close()

    def __getitem__(self, kind):
        if kind not in self.values:
            path = self.folder / f'{kind}.json'
            value = json.loads(path.read_text()) if path.exists() else copy.deepcopy(EMPTY[kind])
            self.read[kind], self.values[kind] = json.dumps(value), value
        return self.values[kind]

    def __setitem__(self, kind, value):
        self[kind]
        self.values[kind] = value

    def save(self):
        for kind, value in self.values.items():
            if json.dumps(value) == self.read[kind] and (self.folder / f'{kind}.json').exists():
                continue
            new = self.folder / f'{kind}.new'
            new.write_text(json.dumps(value, indent=1) + '\n')
            os.replace(new, self.folder / f'{kind}.json')

    def now(self):
        """By the server's clock."""
        return time.time() + self['clock']['skew']

    def find(self, kind, **wanted):
        return next((item for item in self[kind] if all(item.get(key) == value for key, value in wanted.items())), None)

    def put(self, kind, key, item):
        """What `item` has set, over what is there under its `key`; the rest stays."""
        known = self.find(kind, **{key: item[key]})
        if known is None:
            known = {}
            self[kind].append(known)
        known.update({name: value for name, value in item.items() if value is not None})
        return known

    def remove(self, kind, **wanted):
        self[kind] = [item for item in self[kind] if any(item.get(key) != value for key, value in wanted.items())]

#!/usr/bin/env python3
"""Python's zipfile as the other side of the archive layer.

usage: zipfile_peer.py make FOLDER            writes archives of every form it knows, all with the same members
       zipfile_peer.py check ARCHIVE FOLDER   fails unless the archive holds exactly the files below the folder
"""
import pathlib
import stat
import sys
import zipfile

MEMBERS = {'a.txt': b'hello\n', 'd/b.txt': b'lines of text\n' * 5000, 'd/empty': b'', 'd/e/\u00e9t\u00e9.bin': bytes(range(256)) * 64}


class Unseekable:
    """A pipe, as zipfile sees it: sizes go behind the data."""

    def __init__(self, path):
        self.file = open(path, 'wb')

    def write(self, data):
        return self.file.write(data)

    def flush(self):
        self.file.flush()


def make(folder):
    forms = {'stored': (zipfile.ZIP_STORED, False, False), 'deflated': (zipfile.ZIP_DEFLATED, False, False),
             'streamed': (zipfile.ZIP_DEFLATED, True, False), 'streamed-stored': (zipfile.ZIP_STORED, True, False),
             'zip64': (zipfile.ZIP_DEFLATED, False, True), 'streamed-zip64': (zipfile.ZIP_DEFLATED, True, True)}
    for name, (method, streamed, zip64) in forms.items():
        path = folder / f'{name}.zip'
        with zipfile.ZipFile(Unseekable(path) if streamed else path, 'w', method) as archive:
            archive.comment = name.encode()
            archive.mkdir('folder') if hasattr(archive, 'mkdir') else archive.writestr('folder/', b'')
            for member, data in MEMBERS.items():
                info = zipfile.ZipInfo(member)
                info.compress_type = method
                info.external_attr = (stat.S_IFREG | 0o640) << 16
                with archive.open(info, 'w', force_zip64=zip64) as out:
                    out.write(data)


def check(path, folder):
    expected = {str(p.relative_to(folder)): p for p in folder.rglob('*') if p.is_file()}
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None, archive.testzip()
        assert sorted(archive.namelist()) == archive.namelist(), 'not sorted'
        assert set(archive.namelist()) == set(expected), set(archive.namelist()) ^ set(expected)
        for info in archive.infolist():
            source = expected[info.filename]
            assert archive.read(info) == source.read_bytes(), info.filename
            assert info.external_attr >> 16 == source.stat().st_mode, info.filename
            assert info.date_time == (1980, 1, 1, 0, 0, 0), info.date_time
        print(archive.comment.decode())


if __name__ == '__main__':
    if sys.argv[1] == 'make':
        make(pathlib.Path(sys.argv[2]))
    else:
        check(sys.argv[2], pathlib.Path(sys.argv[3]))

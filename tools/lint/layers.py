#!/usr/bin/env python3
"""Checks includes and forbidden calls against the table of layers in ARCHITECTURE.md.

usage: layers.py REPOSITORY

Belongs here: the rule that a folder includes only what is below it, and that effects stay in their layer.
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)
COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/', re.S)
LITERAL = re.compile(r'R"\((?:.|\n)*?\)"|"(?:[^"\\\n]|\\.)*"')
THIRD_PARTY = {  # header prefix -> name used in the table
    'spdlog/': 'spdlog', 'fmt/': 'spdlog', 'openssl/': 'OpenSSL', 'tl/': 'tl::expected', 'rapidjson/': 'RapidJSON',
    'yaml-cpp/': 'yaml-cpp', 'archive': 'libarchive', 'zlib.h': 'zlib', 'libdeflate.h': 'libdeflate', 'zstd': 'libzstd', 'git2': 'libgit2',
    'gtest/': 'GoogleTest', 'gmock/': 'GoogleTest'}
POSIX = re.compile(r'^(unistd|fcntl|signal|dirent|poll|spawn|grp|pwd|pthread|netdb|termios|sched|sys/|netinet/|arpa/|linux/|errno)')
FORBIDDEN = [  # pattern, folders where it is allowed, what to use
    (r'\b(?:std::|::)?(?:secure_)?getenv\s*\(', {'sys'}, 'sys::Environment'),
    (r'\bstd::[io]?fstream\b', {'sys', 'layout'}, 'sys::FileSystem'),
    (r'\btime\s*\(\s*(?:nullptr|NULL|0|&)', {'sys'}, 'sys::Clock'),
    (r'system_clock::now', {'sys', 'base'}, 'sys::Clock'),
    (r'steady_clock::now', {'sys', 'base', 'net', 'app', 'docker'}, 'sys::Clock'),
    (r'\b(?:std::)?s?rand\s*\(', set(), 'sys::random_hex'),
    (r'\bstd::exit\b|\b_?exit\s*\(', {'sys'}, 'an Error'),
    (r'\bstd::cout\b|\bstd::cerr\b|\bprintf\s*\(', {'app', 'base'}, 'base/log or app/console'),
    (r'\b(?:std::)?system\s*\(|\bpopen\s*\(', set(), 'sys::ProcessRunner'),
]


def read_table(text):
    """Rows `| # | folders | may include | third-party |` -> {folder: (allowed folders, third-party names)}."""
    table = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip('|').split('|')]
        if len(cells) != 4 or not re.fullmatch(r'\d+', cells[0]):
            continue
        folders = re.findall(r'`(\w+)`', cells[1])
        allowed = set(re.findall(r'`(\w+)`', cells[2]))
        parties = {name.strip() for name in re.sub(r'\(.*?\)', '', cells[3]).split(',')} - {'', '–'}
        for folder in folders:
            table[folder] = (allowed | {folder}, parties)
    return table


def check_includes(path, folder, text, table, report):
    allowed, parties = table[folder]
    for kind, header in INCLUDE.findall(text):
        if kind == '"':
            target = header.split('/')[0]
            if target not in allowed:
                report(path, f'{folder} must not include "{header}" (it may include: {", ".join(sorted(allowed))})')
            continue
        party = next((name for prefix, name in THIRD_PARTY.items() if header.startswith(prefix)), None)
        if party and party not in parties:
            report(path, f'<{header}> ({party}) is not allowed in {folder}')
        if party and path.suffix == '.h' and party != 'tl::expected':
            report(path, f'<{header}> ({party}) belongs in a .cpp file')
        if not party and not POSIX.match(header) and ('/' in header or header.endswith('.h')):
            report(path, f'<{header}> is no header of the standard library, and no library of the table')
        if not party and POSIX.match(header) and 'POSIX' not in parties:
            report(path, f'<{header}> (POSIX) is not allowed in {folder}')


def check_stage(path, text, stages, report):
    """A stage uses what stages share, never another stage; one whose header includes check.h runs commands as it does."""
    for kind, header in INCLUDE.findall(text):
        other = pathlib.PurePath(header).stem
        if kind == '"' and header.startswith('stages/') and path.stem in stages and other in stages - {path.stem}:
            report(path, f'a stage must not include another stage ({header})')


def main(root):
    findings = []
    table = read_table((root / 'ARCHITECTURE.md').read_text())
    report = lambda path, text: findings.append(f'{path.relative_to(root)}: {text}')
    if not table:
        sys.exit('ARCHITECTURE.md: expected a table of layers, found none')
    stages = {p.stem for p in (root / 'docs' / 'stages').glob('*.md')}
    files = sorted(p for p in (root / 'src').rglob('*') if p.suffix in ('.h', '.cpp'))
    for path in files:
        folder = path.relative_to(root / 'src').parts[0]
        text = path.read_text()
        if path.name == 'main.cpp':
            if text.count('\n') >= 40:
                report(path, 'main.cpp stays below 40 lines')
            continue
        if folder not in table:
            report(path, f'folder {folder} is not in the table of ARCHITECTURE.md')
            continue
        code = COMMENT.sub('', text)
        check_includes(path, folder, code, table, report)
        if folder == 'stages':
            check_stage(path, code, stages, report)
        bare = LITERAL.sub('""', code)
        for pattern, where, instead in FORBIDDEN:
            if folder not in where and (found := re.search(pattern, bare)):
                report(path, f'{found.group(0).strip()} is not allowed in {folder}: use {instead}')
        limit = 450
        if text.count('\n') > limit:
            report(path, f'{text.count(chr(10))} lines, more than {limit}: split it by verb')
        if not text.startswith('// ') and path.suffix == '.h':
            report(path, 'a header opens with a // paragraph: what belongs here')
        if re.search(r'\b(TODO|FIXME|XXX|HACK)\b', text):
            report(path, 'unfinished work is not committed (TODO, FIXME)')
    print('\n'.join(findings) or f'{len(files)} files follow the {len(table)} layers')
    return 1 if findings else 0


if __name__ == '__main__':
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))

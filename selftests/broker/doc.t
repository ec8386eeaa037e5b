#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""README.md's table of messages says what messages.def says."""
import os
import re

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
SIZES = {'U8': '[1]', 'U16': '[2]', 'U32': '[4]', 'U64': '[8]', 'STR': '[s]'}

entries = {}
text = re.sub(r'/\*.*?\*/', '', open('tools/broker/messages.def').read(), flags=re.S)
for name, nr, state, fields in re.findall(r'B9P_T\((\w+),\s*(\d+),\s*(\w+),\s*((?:\w+\(\w+\)\s*)+)\)', text):
    words = [f + SIZES[kind] if kind in SIZES else f for kind, f in re.findall(r'(\w+)\((\w+)\)', fields)]
    entries['T' + name] = (nr, ' '.join(words))

rows = {}
for line in open('tools/broker/README.md'):
    cells = [c.strip() for c in line.strip().strip('|').split('|')]
    if re.match(r'\| T\w+ \| \d+ \| \w+\[', line) or re.match(r'\| T\w+ \| \d+ \|', line):
        if len(cells) == 4 and ('[' in cells[2]):
            rows[cells[0]] = (cells[1], cells[2])

n = 0
bad = 0
for name in sorted(set(entries) | set(rows)):
    n += 1
    ok = entries.get(name) == rows.get(name)
    bad += not ok
    print('%sok %d - %s%s' % ('' if ok else 'not ', n, name, '' if ok else
                              ' # list: %s, README: %s' % (entries.get(name), rows.get(name))))
print('1..%d' % n)
raise SystemExit(1 if bad or n < 30 else 0)

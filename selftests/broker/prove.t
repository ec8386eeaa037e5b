#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Prove tools/broker/wire_read.c by Frama-C/WP: no run-time error, and its contracts; then that a
mistake in it is noticed. What wraps by an explicit cast (a length of two bytes) is meant to."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FLAGS = ['-c11', '-machdep', 'gcc_x86_64', '-wp', '-wp-rte', '-wp-cache', 'none', '-wp-par', '2',
         '-wp-smoke-tests', '-wp-no-smoke-dead-code', '-wp-no-smoke-dead-call', '-wp-no-smoke-dead-loop']
FUNCTIONS = ['wire_take', 'wire_get', 'wire_get_str', 'wire_get_data', 'wire_get_names',
             'wire_text_check', 'wire_name_check']
# function, and what is changed in it
MISTAKES = [
    ('wire_take', 'r->left < n', 'r->left + 1 < n'),
    ('wire_take', 'r->left -= n;', ''),
    ('wire_get_str', 's.len = len;', 's.len = len + 1;'),
    ('wire_get_names', 'n > P9_MAX_NAMES', 'n > P9_MAX_NAMES + 1'),
    ('wire_text_check', 's.len >= cap', 's.len > cap'),
    ('wire_text_check', 'if (s.p[i] == 0)', 'if (i && s.p[i] == 0)'),
    ('wire_name_check', "s.p[1] == '.'", "s.p[1] == 'x'"),
    ('wire_name_check', 's.len == 0 || ', ''),
    ('wire_name_check', "if (s.p[i] == '/')", "if (s.p[i] == ':')"),
    ('wire_name_check', 'return -ENAMETOOLONG', 'return -EINVAL'),
]

nr = bad = 0


def test(good, name, why=''):
    global nr, bad
    nr += 1
    bad += not good
    print('%sok %d - %s%s' % ('' if good else 'not ', nr, name, ' # ' + why if why and not good else ''),
          flush=True)


def prove(folder, function, timeout, env):
    """(proven, goals, names of the failed ones); goals without the smoke tests."""
    out = subprocess.run(['frama-c'] + FLAGS + ['-wp-prover', 'cvc4,z3', '-wp-timeout', str(timeout),
                                               '-wp-fct', function, 'wire_read.c'],
                         cwd=folder, env=dict(env, PWD=folder), text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT).stdout
    total = re.search(r'Proved goals:\s+(\d+) / (\d+)', out)
    if not total:
        return 0, 0, ['frama-c failed: ' + out[-300:].replace('\n', ' ')]
    failed = re.findall(r'\[Failed\] (?:Goal|Smoke-test) (\S+)', out)
    return int(total[1]), int(total[2]), failed


def main():
    if not all(map(shutil.which, ('frama-c', 'why3', 'cvc4', 'z3'))):
        print('1..0 # SKIP no Frama-C with CVC4 and Z3 here')
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        env = dict(os.environ, HOME=scratch)
        subprocess.run(['why3', 'config', 'detect'], env=env, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        source = os.path.join(TOP, 'tools/broker')
        text = open(os.path.join(source, 'wire_read.c')).read()
        defined = re.findall(r'^\S.*?\b(wire_\w+)\(.*\)\n\{', text, re.M)
        test(sorted(defined) == sorted(FUNCTIONS), 'every function of wire_read.c is in the list')
        all_proven = all_goals = 0
        for function in FUNCTIONS:
            proven, goals, failed = prove(source, function, 10, env)
            if failed and goals:
                proven, goals, failed = prove(source, function, 60, env)
            all_proven += proven
            all_goals += goals
            test(goals > 10 and proven == goals and not failed,
                 '%s: %d / %d goals proven' % (function, proven, goals), ' '.join(failed))
        print('# wire_read.c: goals proven: %d / %d' % (all_proven, all_goals))
        for function, old, new in MISTAKES:
            copy = os.path.join(scratch, 'copy')
            shutil.rmtree(copy, ignore_errors=True)
            os.mkdir(copy)
            shutil.copy(os.path.join(source, 'wire_read.h'), copy)
            at = text.index('\n' + [m for m in re.findall(r'^\S.*\)\n\{', text, re.M)
                                    if function + '(' in m][0])
            changed = text[:at] + text[at:].replace(old, new, 1)
            with open(os.path.join(copy, 'wire_read.c'), 'w') as f:
                f.write(changed)
            _, goals, failed = prove(copy, function, 3, env)
            test(changed != text and goals and failed, '%s with "%s" for "%s" is not proven' %
                 (function, new, old))
    print('1..%d' % nr)
    return 1 if bad else 0


sys.exit(main())

# SPDX-License-Identifier: MIT
"""What in a kernel's log is a report of something gone wrong."""
import re

# One line of a report is enough to find it; its other lines follow it.
_BAD = re.compile(
    r'WARNING: |BUG: |BUG kmalloc|Oops: |KASAN: |KCSAN: |KMSAN: |KFENCE: |UBSAN: '
    r'|general protection fault|[Uu]nable to handle |Kernel panic - '
    r'|invalid opcode: |stack segment: |double fault: |divide error: '
    r'|possible circular locking|possible recursive locking'
    r'|possible irq lock inversion|inconsistent lock state'
    r'|suspicious RCU usage|held lock freed!|lock held when returning'
    r'|blocked for more than \d+ seconds|detected stalls? on|self-detected stall'
    r'|refcount_t: |unreferenced object|list_(add|del) corruption')
# A program that dies of its own fault is logged in like words, on one line.
_NOT = re.compile(r'traps: | segfault at |: WARNING: .*(deprecated|is deprecated)')
_STAMP = re.compile(r'^\[ *\d+\.\d+\](\[[^]]*\])? ?')

_REPORT_LINES = 60


def text(line):
    """The line without its time stamp."""
    return _STAMP.sub('', line)


def reports(lines):
    """The lines of all reports in a log, in order; empty when all is well."""
    found = []
    left = 0
    for line in lines:
        bare = text(line)
        if _BAD.search(bare) and not _NOT.search(bare):
            left = _REPORT_LINES
        if left:
            found.append(line)
            left -= 1
        if bare.startswith('---[ end '):
            left = 0
    return found

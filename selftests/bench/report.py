# SPDX-License-Identifier: MIT
"""Tables, and what was promised (DESIGN.md section 7) beside what was measured."""
import measure as m

NEEDS_NO_HOST = ('getpid', 'futex wake, nobody waits', 'pipe write+read', 'pread 4 KiB, file in memory',
                 'pwrite 4 KiB, file in memory')
MIB = 1 << 20
BYTES = (m.MEMORY, m.MANY_MEMORY)


def size(name, value):
    if value is None:
        return '-'
    if name in BYTES:
        return '%.2f MiB' % (value / MIB)
    for unit, scale in (('s', 1e9), ('ms', 1e6), ('us', 1e3)):
        if value >= scale * 0.95:
            return '%.3g %s' % (value / scale, unit)
    return '%.0f ns' % value


def ratio(by, env):
    return by[env]['min'] / by['native']['min'] if env in by and 'native' in by else None


def promise(what, got, limit, unit, exact=False):
    return {'what': what, 'measured': got, 'promised': limit, 'unit': unit, 'met': got <= limit, 'exact': exact}


def judge(result):
    """A line for each promise that this run has figures for."""
    figures, lines = result['figures'], []
    limit = 0.2 if result['machine']['page_table_isolation'] else 0.7
    for name in NEEDS_NO_HOST:
        if name in figures:
            lines.append(promise(name, ratio(figures[name], 'lbx'), limit, 'x native'))
    getpid = result['instructions'].get('lbx', {}).get('getpid')
    if getpid is not None:
        lines.append(promise('getpid, instructions', getpid, 100, 'instructions', exact=True))
    for name, most in (('fork+exec+wait, static true', 2), (m.START_TRUE, 3), (m.START_PYTHON, 1.3)):
        if name in figures:
            lines.append(promise(name, ratio(figures[name], 'lbx'), most, 'x native'))
    for name in BYTES:
        by = figures.get(name)
        if by:
            lines.append(promise(name + ' beyond native', (by['lbx']['min'] - by['native']['min']) / MIB, 2, 'MiB'))
    return lines


def print_table(rows):
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    for r in rows:
        print('  '.join([r[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(r[1:], widths[1:])]).rstrip())


def cell(name, by, env):
    if env not in by:
        return ['-', '']
    if name in BYTES:
        more = by[env]['min'] - by['native']['min']
        return [size(name, by[env]['min']), '%+.2f' % (more / MIB)]
    return [size(name, by[env]['min']), '%.2f x' % ratio(by, env)]


def figures_table(result):
    others = [e for e in result['environments'] if e != 'native']
    rows = [['', 'native', 'noise'] + [t for e in others for t in (e, '')]]
    for name, by in result['figures'].items():
        native = by['native']
        row = [name, size(name, native['min']), '%.0f %%' % (100 * (native['median'] / native['min'] - 1))]
        for e in others:
            row += cell(name, by, e)
        rows.append(row)
    print_table(rows)


def counts_table(result):
    counts = result['instructions']
    if not counts:
        return
    envs = list(counts)
    print('\nInstructions, those of the kernel included (lbx-vm --icount, least of many):\n')
    print_table([[''] + envs] + [[name] + [str(counts[e].get(name, '-')) for e in envs] for name in counts[envs[0]]])


def promises_table(result):
    if not result['promises']:
        return
    print('\nPromised (DESIGN.md section 7) and measured:\n')
    rows = [['', 'promised', 'measured', '']]
    for p in result['promises']:
        form = '%d' if p['exact'] else '%.2f'
        verdict = 'met' if p['met'] else 'missed by %.1f x' % (p['measured'] / p['promised'])
        rows.append([p['what'], ('at most ' + form + ' %s') % (p['promised'], p['unit']), form % p['measured'], verdict])
    print_table(rows)


def tables(result):
    machine = result['machine']
    print('Linux %s, %d processors, %s page-table isolation, load %.1f%s; least of %d rounds; ratios to native.' % (
        machine['kernel'], machine['cpus'], 'with' if machine['page_table_isolation'] else 'without', machine['load'],
        ' (SCHED_RR)' if result['realtime'] else '', result['rounds']))
    for line in result['absent']:
        print('(%s)' % line)
    print()
    figures_table(result)
    counts_table(result)
    promises_table(result)

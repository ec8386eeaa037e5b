# SPDX-License-Identifier: MIT
"""Run Frama-C/WP on one function of uapi/ and read what it says.

The provers' list lies in a directory of ours, so that nothing of the user's is
read or written, and each process group is ended before its directory is.
"""
import collections
import os
import re
import shutil
import signal
import subprocess

TOOLS = {"frama-c": "frama-c-base", "why3": "why3", "cvc4": "cvc4", "z3": "z3", "gcc": "gcc"}

# Unsigned wrap-around is no error in C, but here no check may rely on it.
FLAGS = ["-c11", "-machdep", "gcc_x86_64", "-cpp-extra-args=-nostdinc", "-no-autoload-plugins",
         "-load-module", "wp,rtegen,report", "-wp-rte", "-warn-unsigned-overflow",
         "-warn-unsigned-downcast", "-warn-signed-downcast", "-wp-cache", "none", "-wp-par", "1"]

# Seconds that a prover has for one goal: at first, and once more for what it left open.
TIMEOUTS = (4, 60)

VALID = re.compile(r"^\[wp\] \[[^]]+\] Goal (\S+) : Valid")
FAILED = re.compile(r"^\[wp\] \[Failed\] (?:Goal|Smoke-test) (\S+)")
PASSED = re.compile(r"^\[wp\] \[Passed\] Smoke-test (\S+_requires)$")
SUM = re.compile(r"^\[wp\] Proved goals:\s+(\d+) / (\d+)")


# valid: names; proven, goals: numbers; failed: what is not proven, or why not;
# smoke: how many requires clauses were tried for a contradiction, without one;
# limit: the seconds a goal had.
Result = collections.namedtuple("Result", "valid proven goals failed smoke limit")


def missing():
    """Packages that are not there."""
    return [p for t, p in TOOLS.items() if not shutil.which(t)]


def verdict(name, result):
    """What is wrong with the proof of @name: a list, empty when nothing is."""
    wrong = list(result.failed)
    for clause in ("ensures", "assigns"):
        if not any(v.startswith("typed_%s_%s" % (name, clause)) for v in result.valid):
            wrong.append("its contract has no %s clause" % clause)
    if result.goals == 0 or result.proven != result.goals:
        wrong.append("%d of %d goals proven" % (result.proven, result.goals))
    return wrong


class Prover:
    def __init__(self, scratch):
        self.home = os.path.join(scratch, "home")
        os.makedirs(self.home, exist_ok=True)
        self.env = dict(os.environ, HOME=self.home, TMPDIR=scratch, LC_ALL="C.UTF-8")
        self.env.pop("FRAMAC_WP_CACHE", None)
        done = subprocess.run(["why3", "config", "detect"], env=self.env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.provers = sorted(set(re.findall(r"Found prover (CVC4|Z3) version ([\d.]+\d)", done.stdout)))

    def lines(self, path, args, stop=None):
        """Frama-C's output; ended early at the first line that @stop matches."""
        proc = subprocess.Popen(["frama-c", *FLAGS, *args, os.path.basename(path)],
                                cwd=os.path.dirname(path), text=True,
                                env=dict(self.env, PWD=os.path.dirname(path)),
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                start_new_session=True)
        out = []
        try:
            for line in proc.stdout:
                out.append(line.rstrip())
                if stop and stop.match(line):
                    break
            else:
                proc.wait()
        finally:
            if proc.poll() is None:
                os.killpg(proc.pid, signal.SIGKILL)
                proc.wait()
            proc.stdout.close()
        return out, proc.returncode

    def prove(self, path, function, timeouts=TIMEOUTS, stop=False):
        """All goals of @function; with @stop only up to the first that fails.

        Both provers are asked; what both leave open is tried once more with the
        next time limit, so that a busy machine does not make a proof fail. Beside
        each contract goes a smoke test: could false be proven from what it
        requires, every caller would be refused and every goal would be valid.
        """
        result = None
        for limit in timeouts:
            out, status = self.lines(path, [
                "-wp", "-wp-fct", function, "-wp-prover", "cvc4,z3",
                "-wp-timeout", str(limit), "-wp-smoke-tests", "-wp-smoke-timeout", "1",
                "-wp-no-smoke-dead-code", "-wp-no-smoke-dead-call",
                "-wp-no-smoke-dead-assumes"], FAILED if stop else None)
            valid = {m[1] for m in map(VALID.match, out) if m}
            failed = sorted({m[1] for m in map(FAILED.match, out) if m})
            smoke = len([1 for m in map(PASSED.match, out) if m])
            total = [m for m in map(SUM.match, out) if m]
            if stop and failed:
                return Result(valid, len(valid), len(valid) + len(failed), failed, smoke, limit)
            if status != 0 or len(total) != 1:
                return Result(valid, 0, 0,
                              ["frama-c ended with status %s" % status] + out[-12:], smoke,
                              limit)
            passed = len([1 for line in out if line.startswith("[wp] [Passed] Smoke-test")])
            proven, goals = int(total[0][1]) - passed, int(total[0][2]) - passed
            if proven < goals and not failed:
                failed = ["%d goals without a name" % (goals - proven)]
            result = Result(valid, proven, goals, failed, smoke, limit)
            if not failed:
                break
        return result

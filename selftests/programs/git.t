#!/bin/bash
# SPDX-License-Identifier: MIT
# git with fixed names and dates, so that every object has the same number.
. "$(dirname "$0")/lib.sh"
need git git git || finish

text='
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@example.org GIT_AUTHOR_DATE="1700000000 +0000" GIT_COMMITTER_DATE="1700000000 +0000" GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
git -c init.defaultBranch=main init -q r; cd r; git config gc.auto 0; git config core.untrackedCache false
i=0; while [ $i -lt 150 ]; do i=$((i + 1)); mkdir -p d$((i % 10)); seq $i $((i * 20)) >d$((i % 10))/f$i; done; git add .; git commit -q -m first; git log --oneline --stat | tail -1
for n in 1 2 3 4 5; do echo "change $n" >>d1/f1; echo x >new$n; git add -A; git commit -q -m "commit $n"; done; git log --format="%h %s"; git rev-parse HEAD; git status --short; git diff HEAD~2 --stat
git checkout -q -b side HEAD~3; echo side >side; git add side; git commit -q -m side; git checkout -q main; git merge -q --no-edit side; git log --graph --oneline; git tag -a v1 -m tagged; git describe
echo conflict >d1/f1; git commit -q -a -m ours; git checkout -q side; echo other >d1/f1; git commit -q -a -m theirs; git merge main || echo conflict $?; git status --short | head -3; git merge --abort
git checkout -q main; git rebase -q side 2>&1 | tail -1; git rebase --abort 2>/dev/null; git stash list; echo dirty >new1; git stash -q; git stash pop -q; git diff | cat; git checkout -q -- new1
git grep -n "change 3"; git blame d1/f1 | cut -c1-9 | head -2; git show --stat HEAD~1 | tail -3; git ls-files | wc -l; git cat-file -p HEAD^{tree} | head -3; git archive HEAD | tar -t | wc -l; git rm -q new5; git mv new4 moved; git status --short; git reset -q --hard
git gc -q --prune=now; git count-objects -v | grep -E "in-pack|garbage|packs"; git fsck --full 2>&1 | tail -1; git reflog | wc -l; cd ..; git clone -q r c 2>&1; cd c; git log -1 --format=%H; git remote -v | wc -l; cd ..; git clone -q --bare --no-local r b.git; git -C c push -q ../b.git HEAD:refs/heads/pushed 2>&1; git -C b.git rev-parse pushed; git -C b.git bundle create -q x.bundle --all; git bundle verify -q b.git/x.bundle >/dev/null 2>&1; echo $?
git -C r worktree add -q ../w side; ls w | head -3; git -C r format-patch -q -2 --stdout main | sha256sum; cat r/.git/HEAD; rm -rf r/.git/objects/pack b.git/objects c/.git/objects b.git/x.bundle; find . -name index -o -name "*.idx" -o -path "*/objects/info/packs" -o -path "*/logs/*" -type f | xargs rm -f'
same "git" 90 sh "$text"
rw=1 same "git in a directory of the host" 90 sh "$text"
finish

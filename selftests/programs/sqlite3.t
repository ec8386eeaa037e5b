#!/bin/bash
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
need sqlite3 sqlite3 sqlite3 || finish

ignore_files='\./t\.db$'	# four writers at once: which row comes first is chance
text='
sqlite3 t.db "create table t (a integer primary key, b text, c real); create index i on t (b); with recursive n(x) as (select 1 union all select x + 1 from n where x < 20000) insert into t select x, printf(\"%05x\", x * 7919 % 65536), x / 3.0 from n; select count(*), min(b), max(b), round(sum(c), 3) from t; delete from t where a % 3 = 0; vacuum; pragma integrity_check;"
sqlite3 t.db ".mode csv" "select a, b from t where b like \"0a%\" order by b limit 3" "explain query plan select * from t where b = 1"; sqlite3 t.db .dump | sha256sum; sqlite3 t.db .dump | sqlite3 copy.db; sqlite3 copy.db "select count(*) from t"
sqlite3 t.db "pragma journal_mode=wal; insert into t (b) values (1); pragma wal_checkpoint(truncate);"
for i in 1 2 3 4; do (for k in 1 2 3 4 5 6 7 8 9 10; do sqlite3 -cmd ".timeout 20000" t.db "insert into t (b, c) values (\"w$i\", $k)"; done) & done; wait; sqlite3 t.db "select b, count(*), sum(c) from t where b like \"w%\" group by b"
sqlite3 t.db "pragma journal_mode=delete" "begin exclusive" "insert into t (b) values (9)" ".shell sqlite3 -cmd \".timeout 50\" t.db \"insert into t (b) values (8)\" 2>&1 || echo refused" "commit" "select count(*) from t where b = 8"
sqlite3 ro.db "create table x (y)"; chmod 444 ro.db; [ $(id -u) = 0 ] || sqlite3 ro.db "insert into x values (1)" 2>&1; sqlite3 :memory: "select json_extract(json_array(1,2), char(36) || char(91) || 1 || char(93)), upper(hex(zeroblob(3)))"
sqlite3 t.db "select b, c from t order by b, c" | sha256sum; ls'
same "sqlite3" 60 sh "$text"
rw=1 same "sqlite3 in a directory of the host" 60 sh "$text"
finish

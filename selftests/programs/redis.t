#!/bin/bash
# SPDX-License-Identifier: MIT
# redis-server and redis-benchmark over a unix socket, in one sandbox.
. "$(dirname "$0")/lib.sh"
need redis-server redis-server redis || finish

# Ends in words, so that a server that does not come up or down is seen.
start='redis-server --port 0 --unixsocket "$PWD/r.sock" --dir "$PWD" --save "" --appendonly no --daemonize no --logfile log "$@" & p=$!
i=0; until redis-cli -s r.sock ping 2>/dev/null | grep -q PONG; do i=$((i + 1)); [ $i -lt 200 ] || { echo never came up; cat log; exit 1; }; sleep 0.05; done; echo up; '
ignore_files=' \./log|r\.sock|dump\.rdb$|appendonly|temp-'
same "redis" 60 sh "set --; $start"'
c="redis-cli -s r.sock"; $c set a 1; $c incr a; $c get a; $c rpush l 1 2 3; $c lrange l 0 -1; $c hset h f v; $c hgetall h; $c zadd z 2 b 1 a; $c zrange z 0 -1; $c expire a 100; $c ttl a | grep -c .; seq 1 5000 | sed "s/.*/set k& v&/" | $c --pipe | tail -1; $c dbsize
$c eval "local s = 0 for i = 1, 10000 do s = s + i end return s" 0; ($c --csv subscribe ch >sub & s=$!; sleep 0.3; $c publish ch hi; sleep 0.1; kill $s); tail -1 sub; rm sub
$c bgsave; i=0; while [ "$($c info persistence | tr -d "\r" | grep rdb_bgsave_in)" != rdb_bgsave_in_progress:0 ] && [ $i -lt 100 ]; do i=$((i + 1)); sleep 0.05; done; $c info persistence | tr -d "\r" | grep rdb_last_bgsave_status; [ -s dump.rdb ] && echo saved
$c debug object a | cut -c1-5; $c set big "$(head -c 100000 /dev/zero | tr "\0" x)"; $c strlen big; $c shutdown nosave; wait $p; echo "ended $?"'
same "redis: benchmark" 120 sh "set --; $start"'
redis-benchmark -s r.sock -q -n 10000 -c 20 -t ping,set,get,lpush,lrange_100 | tr "\r" "\n" | grep -E "requests per second" | sed "s/:.*//"; redis-benchmark -s r.sock -q -n 20000 -c 20 -P 16 -t set,get | tr "\r" "\n" | grep -E "requests per second" | sed "s/:.*//"; redis-cli -s r.sock dbsize | grep -c .; kill $p; wait $p; echo "ended $?"'
same "redis: appendonly and io threads" 60 sh "set -- --appendonly yes --io-threads 2; $start"'
seq 1 500 | sed "s/.*/incr n/" | redis-cli -s r.sock >/dev/null; redis-cli -s r.sock bgrewriteaof >/dev/null; i=0; until redis-cli -s r.sock info persistence | grep -q "aof_rewrite_in_progress:0" || [ $i = 100 ]; do i=$((i + 1)); sleep 0.05; done; redis-cli -s r.sock get n; kill -9 $p; wait $p 2>/dev/null; echo "killed $?"; rm r.sock; '"$start"'redis-cli -s r.sock get n; redis-cli -s r.sock shutdown; wait $p; echo "ended $?"'
finish

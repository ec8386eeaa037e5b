#!/bin/bash
# SPDX-License-Identifier: MIT
# tmux: a server with pseudo terminals, and what is on its screen.
. "$(dirname "$0")/lib.sh"
need tmux tmux tmux || finish

# wait_for TEXT: until the pane shows it; wait_until COMMAND: until it succeeds. Nothing is left to how quick tmux is: windows have names, since tmux names them after what runs when it looks
lib='t() { tmux -f /dev/null -S "$PWD/t.sock" "$@"; }; wait_for() { i=0; until t capture-pane -p -t "${2:-0}" | grep -q "$1"; do i=$((i + 1)); [ $i -lt 300 ] || { echo "no $1"; t capture-pane -p; return 1; }; sleep 0.05; done; }; wait_until() { i=0; until eval "$1"; do i=$((i + 1)); [ $i -lt 300 ] || { echo "never: $1"; return 1; }; sleep 0.05; done; }; runs() { [ "$(t display-message -p -t "$1" "#{pane_current_command}")" = "$2" ]; }; '
ignore_files='t\.sock'
same "tmux" 60 sh "$lib"'export LC_ALL=C.UTF-8 PS1="@ " SHELL=/bin/sh ENV=; t new-session -d -x 80 -y 24 -s s -n one "exec sh"; wait_for "^@"; t list-sessions -F "#{session_name} #{session_windows}"
t send-keys "echo one-\$((1 + 1))" Enter; wait_for one-2; t send-keys "stty size" Enter; wait_for "24 80\|23 80"; t send-keys "sleep 50" Enter; wait_until "runs 0 sleep"; t send-keys C-c; wait_until "runs 0 sh"; t send-keys "echo after-\$?" Enter; wait_for after-130; t capture-pane -p | grep -o -E "(one-2|after-130)$" | sort -u
t split-window -h "exec sh"; wait_until "runs 0.1 sh"; t list-panes -F "#{pane_index} #{pane_width}x#{pane_height} #{pane_current_command}"; t send-keys -t 1 "tput cols 2>/dev/null || stty size" Enter; t resize-pane -t 1 -x 20; t list-panes -F "#{pane_index} #{pane_width}"
t new-window -n two "echo second window; exec cat"; wait_for "second window" two; t send-keys -t two "typed" Enter; wait_for typed two; t list-windows -F "#{window_index} #{window_name} #{window_panes}"; t pipe-pane -t two "cat >piped"; t send-keys -t two "to-pipe" Enter; wait_for to-pipe two; wait_until "grep -q to-pipe piped" && echo piped; rm -f piped
t set-buffer hello; t show-buffer; t run-shell "echo run-shell >ran"; cat ran; t kill-window -t two; t list-windows | wc -l; t kill-server; wait_until "! t ls >/dev/null 2>&1" && echo gone'
finish

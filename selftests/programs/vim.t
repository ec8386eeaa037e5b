#!/bin/bash
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
vim=$(command -v vim.basic || command -v vim.tiny || command -v vim)
[ -n "$vim" ] || { skip vim "package vim-tiny"; finish; }

setup() { seq -f 'line %g of text' 200 >text; printf '%s\n' '%s/line \(\d\+\)/LINE<\1>/' 'g/7/d' '$put =\"appended\"' '1,5sort! n' 'normal ggdd' 'w out' 'q!' >cmds; }
same "vim -es" 30 sh "$vim"' -u NONE -i NONE -n -es text <cmds; echo "status $?"; sha256sum out; head -3 out; tail -2 out
'"$vim"' -u NONE -i NONE -es -c "%!sort -r" -c "w! sorted" -c "qa!" text; echo "status $?"; head -2 sorted; '"$vim"' -u NONE -i NONE -es -c "r !echo from the shell" -c "x" text; echo "status $?"; tail -1 text; grep -n shell text
'"$vim"' -u NONE -i NONE -es -c "set nosuchoption" -c "q" text; echo "status $?"; '"$vim"' -u NONE -i NONE -es -c "let x = 0 | for i in range(20000) | let x += i | endfor | call writefile([x], \"sum\") | qa!"; cat sum 2>/dev/null || echo tiny; '"$vim"' --version | head -1 | cut -d" " -f1-3'
finish

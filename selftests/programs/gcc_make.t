#!/bin/bash
# SPDX-License-Identifier: MIT
# gcc and make build a project of 20 files, and what they built runs.
. "$(dirname "$0")/lib.sh"
need gcc gcc "gcc and make" || finish
need make make "gcc and make" || finish

setup()
{
	local i

	for i in $(seq 20); do
		cat >f$i.c <<-END
			#include <stdio.h>
			#include <string.h>
			#include <math.h>
			#include "all.h"
			static double table$i[64];
			int f$i(int x)
			{
				char text[64];
				for (int k = 0; k < 64; k++)
					table$i[k] = sin(k * $i) + sqrt(x + k);
				snprintf(text, sizeof(text), "%d:%.3f", x, table$i[x & 63]);
				return (int)strlen(text) + $i * x % 17;
			}
		END
	done
	{ echo '#pragma once'; for i in $(seq 20); do echo "int f$i(int x);"; done; } >all.h
	{ printf '#include <stdio.h>\n#include "all.h"\nint main(void) { int s = 0;\n'; for i in $(seq 20); do echo "s += f$i(s + $i);"; done; echo 'printf("sum %d\n", s); return s % 100; }'; } >main.c
	cat >Makefile <<-'END'
		OBJS := $(patsubst %.c,%.o,$(wildcard *.c))
		CFLAGS := -O2 -g -Wall -MMD
		prog: $(OBJS) lib.a
			$(CC) -o $@ main.o lib.a -lm
		lib.a: $(filter-out main.o,$(OBJS))
			$(AR) rcsD $@ $^
		clean:
			rm -f *.o *.d prog lib.a
		-include *.d
	END
}

rw=1 same "make -j2" 120 sh 'make -s -j2 2>&1; ./prog; echo "status $?"; make -q; echo "up to date $?"; touch all.h; make -n | grep -c gcc || make -n | grep -c "cc "; make -s 2>&1; ls *.o | wc -l; size -A prog | grep -c debug; nm prog | grep -c " T f"; strip prog; ./prog; make -s clean; ls'
same "other ways to build" 120 sh 'gcc -O0 -o p0 *.c -lm && ./p0; gcc -Os -static -o ps *.c -lm && ./ps; gcc -fPIC -shared -o libf.so f*.c -lm && gcc -o pd main.c -L. -lf -Wl,-rpath,"\$ORIGIN" && ./pd; gcc -O1 -flto=2 -o pl *.c -lm && ./pl
echo "int main(void) { return undeclared; }" | gcc -x c - 2>&1 | grep -c error; echo "syntax error" >bad.c; gcc -c bad.c 2>/dev/null || echo "failed $?"; rm -f bad.c; gcc -E main.c | grep -c f20; gcc -S -o - f1.c | grep -c call; printf "int main(void){int*p=0;return *p;}" >c.c; gcc -o crash c.c; ./crash; echo "status $?"
printf "#include <iostream>\n#include <vector>\n#include <thread>\nint main(){std::vector<std::thread> t;int s[4];for(int i=0;i<4;i++)t.emplace_back([&,i]{s[i]=i*i;});for(auto&x:t)x.join();try{throw 1;}catch(int e){std::cout<<s[3]+e<<std::endl;}}" >t.cc; g++ -O1 -pthread -o t t.cc && ./t; rm -f p0 ps pd pl libf.so crash t' 
finish

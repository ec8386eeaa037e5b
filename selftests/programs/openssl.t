#!/bin/bash
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"
need openssl openssl openssl || finish

same "openssl" 60 sh '
seq 20000 >data; openssl dgst -sha256 data; openssl dgst -sha3-256 data; openssl enc -aes-256-cbc -pbkdf2 -pass pass:x -S 0102030405060708 -in data -out enc; openssl enc -d -aes-256-cbc -pbkdf2 -pass pass:x -S 0102030405060708 -in enc | cmp - data && echo decrypted; sha256sum enc
openssl enc -chacha20 -K 00 -iv 00 -in data | sha256sum; openssl rand -hex 16 | wc -c; openssl prime 1000003; openssl genrsa 2048 2>/dev/null >key.pem; openssl rsa -in key.pem -check -noout; openssl req -x509 -new -key key.pem -subj /CN=test -days 1 -out cert.pem; openssl verify -CAfile cert.pem cert.pem
openssl dgst -sha256 -sign key.pem -out sig data; openssl x509 -in cert.pem -pubkey -noout >pub.pem; openssl dgst -sha256 -verify pub.pem -signature sig data; openssl ecparam -genkey -name prime256v1 -noout | openssl ec -check 2>&1 | grep -c valid; openssl version | cut -d" " -f1; echo abc | openssl base64; rm key.pem cert.pem sig pub.pem'
same "openssl speed" 60 sh 'openssl speed -seconds 1 -bytes 1024 sha256 2>/dev/null | grep -cE "^sha256 +[0-9.]+k"; openssl speed -seconds 1 -bytes 16384 -evp aes-128-gcm 2>/dev/null | grep -ciE "^aes-128-gcm +[0-9.]+k"; openssl speed -seconds 1 -multi 2 -bytes 1024 md5 2>/dev/null | grep -cE "^md5 +[0-9.]+k"; openssl speed -seconds 1 ecdsap256 2>/dev/null | grep -c nistp256'
finish

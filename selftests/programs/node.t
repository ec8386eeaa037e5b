#!/bin/bash
# SPDX-License-Identifier: MIT
# node: JIT, worker threads, child processes, streams, unix sockets.
. "$(dirname "$0")/lib.sh"
need node nodejs node || finish

run() { same "$1" 60 sh "cat >t.js <<'JS'
$2
JS
exec node t.js a 'b c'"; }

run "node: language and JIT" '
const assert = require("assert"), crypto = require("crypto"), zlib = require("zlib"), util = require("util");
function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); } console.log(fib(27), process.argv.slice(2));
let a = new Float64Array(200000); for (let r = 0; r < 20; r++) for (let i = 0; i < a.length; i++) a[i] = Math.sqrt(i * r) + a[i] * 0.5; console.log(a[777].toFixed(6));
const m = new Map(); for (let i = 0; i < 200000; i++) m.set("k" + i % 5000, i); console.log(m.size, m.get("k7")); let s = ""; for (let i = 0; i < 100000; i++) s += i; console.log(s.length);
console.log(crypto.createHash("sha256").update("abc").digest("hex"), crypto.randomBytes(8).length, zlib.gunzipSync(zlib.gzipSync("x".repeat(100000))).length);
console.log([5, 3, 9, 1].sort().join(), /(?<y>\d{4})-(\d\d)/.exec("on 2026-11-23").groups.y, 2n ** 70n, JSON.stringify({ a: [1, { b: null }] }), util.inspect({ x: new Set([1]) }));
function* g() { yield* [1, 2, 3]; } console.log([...g()], structuredClone({ d: new Date(0) }).d.toISOString()); try { null.x; } catch (e) { console.log(e.constructor.name); }
const wasm = new WebAssembly.Module(new Uint8Array([0,97,115,109,1,0,0,0,1,7,1,96,2,127,127,1,127,3,2,1,0,7,7,1,3,97,100,100,0,0,10,9,1,7,0,32,0,32,1,106,11])); console.log(new WebAssembly.Instance(wasm).exports.add(40, 2));
let big = []; for (let i = 0; i < 50; i++) big.push(new Array(20000).fill(i)); big = null; for (let i = 0; i < 200; i++) Buffer.alloc(100000); console.log(process.memoryUsage().rss > 0);
Promise.resolve().then(() => console.log("micro")); setImmediate(() => console.log("immediate")); setTimeout(() => console.log("timer"), 500); process.nextTick(() => console.log("tick")); process.on("exit", c => console.log("exit", c));'

run "node: worker threads" '
const { Worker, isMainThread, parentPort, workerData, MessageChannel } = require("worker_threads");
if (isMainThread) {
  const shared = new SharedArrayBuffer(64), view = new Int32Array(shared); let done = 0, sum = 0;
  for (let i = 0; i < 4; i++) { const w = new Worker(__filename, { workerData: { shared, i } }); w.on("message", m => sum += m); w.on("error", e => console.log("error", e.message));
    w.on("exit", c => { if (++done === 4) { console.log(sum, Atomics.load(view, 0)); const x = new Worker("throw new Error(\"thrown\")", { eval: true }); x.on("error", e => console.log(e.message));
      x.on("exit", c => { console.log("exit", c); const y = new Worker("for (;;);", { eval: true }); y.on("online", () => y.terminate().then(c => console.log("terminated", c))); }); } }); }
} else { const v = new Int32Array(workerData.shared); for (let k = 0; k < 10000; k++) Atomics.add(v, 0, 1); Atomics.notify(v, 1); Atomics.wait(v, 2, 0, 5); let s = 0; for (let k = 0; k < 1e6; k++) s += k % (workerData.i + 2); parentPort.postMessage(s); }'

run "node: child_process" '
const cp = require("child_process");
console.log(cp.execSync("echo sync; exit 0").toString(), cp.spawnSync("sh", ["-c", "echo err >&2; exit 3"]).status, cp.spawnSync("cat", { input: "piped" }).stdout.toString());
if (process.argv[4] === "child") { process.on("message", m => { process.send(m * 2); process.disconnect(); }); } else {
const c = cp.spawn("sh", ["-c", "read x; echo got $x; exit 5"]); c.stdout.on("data", d => console.log(String(d).trim())); c.on("close", (code, sig) => { console.log("close", code, sig);
  const k = cp.spawn("sleep", ["9"]); k.on("exit", (c, s) => { console.log("exit", c, s);
    const f = cp.fork(__filename, ["a", "b c", "child"], { silent: true }); f.on("message", m => console.log("message", m)); f.on("exit", c => { console.log("fork", c);
      cp.exec("echo $V", { env: { V: "env", PATH: process.env.PATH } }, (e, o) => { console.log(o.trim()); cp.execFile("/nonexistent", e => { console.log(e.code); cp.exec("exit 7", e => console.log(e.code)); }); }); }); f.send(21); });
  k.kill(); }); c.stdin.end("line\n"); }'

run "node: files, streams, sockets" '
const fs = require("fs"), net = require("net"), path = require("path"), rl = require("readline"), { pipeline } = require("stream/promises"), zlib = require("zlib"), os = require("os");
(async () => {
  fs.mkdirSync("d/e", { recursive: true }); for (let i = 0; i < 50; i++) fs.writeFileSync("d/f" + i, "x".repeat(i * 100)); console.log(fs.readdirSync("d").length, fs.statSync("d/f7").size); await fs.promises.appendFile("d/f0", "more"); console.log(await fs.promises.readFile("d/f0", "utf8"));
  await pipeline(fs.createReadStream("d/f49"), zlib.createGzip(), fs.createWriteStream("z.gz")); await pipeline(fs.createReadStream("z.gz"), zlib.createGunzip(), fs.createWriteStream("back")); console.log(fs.readFileSync("back").length);
  const srv = net.createServer(c => c.on("data", d => c.end(String(d).toUpperCase()))).listen("n.sock"); await new Promise(r => srv.on("listening", r)); const rs = await Promise.all([..."abcdefgh"].map(x => new Promise(r => { const c = net.connect("n.sock", () => c.write(x)); let s = ""; c.on("data", d => s += d); c.on("close", () => r(s)); }))); console.log(rs.join("")); srv.close();
  const w = fs.watch("d", (t, n) => { console.log("watch", n); w.close(); }); setTimeout(() => fs.writeFileSync("d/watched", ""), 20); await new Promise(r => w.on("close", r)); try { fs.readFileSync("nope"); } catch (e) { console.log(e.code, e.syscall); }
  fs.symlinkSync("d/f1", "l"); console.log(fs.readlinkSync("l"), fs.lstatSync("l").isSymbolicLink()); fs.renameSync("l", "l2"); fs.rmSync("d", { recursive: true }); fs.rmSync("z.gz"); console.log(fs.existsSync("d"), os.EOL.length, os.cpus().length > 0); process.on("SIGUSR2", () => { console.log("signal"); process.exit(6 - 6); }); process.kill(process.pid, "SIGUSR2"); setTimeout(() => 0, 3000);
})();'
finish

// SPDX-License-Identifier: MIT
// What go.t runs: goroutines, preemption by signals, processes, sockets, timers, a nil pointer.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	var wg sync.WaitGroup
	var n atomic.Int64
	ch := make(chan int)
	for i := 0; i < 1000; i++ {
		wg.Add(1)
		go func() { defer wg.Done(); n.Add(int64(i)); ch <- i }()
	}
	sum := 0
	for i := 0; i < 1000; i++ {
		sum += <-ch
	}
	wg.Wait()
	fmt.Println("goroutines", n.Load(), sum)
	stop := false // asynchronous preemption: loops without a call
	for i := 0; i < 4; i++ {
		go func() {
			for x := 0; !stop; x++ {
			}
		}()
	}
	time.Sleep(50 * time.Millisecond)
	runtime.GC()
	stop = true
	fmt.Println("preempted")
	var keep [][]byte
	for i := 0; i < 2000; i++ {
		b := make([]byte, 10000)
		b[i] = 1
		if i%10 == 0 {
			keep = append(keep, b)
		}
	}
	runtime.GC()
	fmt.Println("kept", len(keep))
	out, err := exec.Command("sh", "-c", "echo from sh; exit 3").Output()
	var ee *exec.ExitError
	fmt.Printf("%q %v\n", out, errors.As(err, &ee) && ee.ExitCode() == 3)
	for i := 0; i < 20; i++ {
		if exec.Command("true").Run() != nil {
			fmt.Println("failed")
		}
	}
	_, err = exec.Command("/nonexistent").Output()
	fmt.Println(errors.Is(err, os.ErrNotExist))
	l, err := net.Listen("unix", "go.sock")
	fmt.Println(err)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go io.Copy(c, c)
		}
	}()
	var mu sync.Mutex
	var got []string
	for i := 0; i < 50; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c, err := net.Dial("unix", "go.sock")
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Fprintf(c, "line %02d\n", i)
			s, _ := bufio.NewReader(c).ReadString('\n')
			c.Close()
			mu.Lock()
			got = append(got, s)
			mu.Unlock()
		}()
	}
	wg.Wait()
	l.Close()
	sort.Strings(got)
	fmt.Print(len(got), " ", got[49])
	sig := make(chan os.Signal, 1)
	signal.Notify(sig, syscall.SIGUSR1)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	fmt.Println(<-sig)
	select {
	case <-time.After(20 * time.Millisecond):
		fmt.Println("timer")
	case <-sig:
	}
	r, w, _ := os.Pipe()
	r.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	_, err = r.Read(make([]byte, 1))
	fmt.Println(errors.Is(err, os.ErrDeadlineExceeded))
	w.Close()
	os.WriteFile("file", []byte("text"), 0o640)
	ents, _ := os.ReadDir(".")
	for _, e := range ents {
		fmt.Println(e.Name(), e.Type())
	}
	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		var p *int
		*p = 1
	}()
	os.Exit(4)
}

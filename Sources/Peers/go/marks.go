// How deep goroutines of a real server used their stacks, each by itself: in a Go that paints the stack of every goroutine
// before it begins, and looks at it when it has ended.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	_ "unsafe" // for go:linkname
)

func init() {
	operations["marks"] = marks
	operations["shallow"] = shallow
}

// What a change of runtime/proc.go counts (GoPeer.swift).
//
//go:linkname stackMarks runtime.stackMarks
var stackMarks struct {
	isPainting bool
	ended      [4]uint64
}

// Serves count requests over arguments[0] connections at once, each a document that is parsed and handled; every connection is
// closed after its requests. Returns nanoseconds, and of the goroutines that began and ended meanwhile: how many there were, how
// many used at most 128 bytes, 512 bytes, 2 KiB, and more.
func marks(count int, arguments []int) []int64 {
	return marked(func() { serve(count, arguments[0]) })
}

// The same of count goroutines that do nothing, and of as many that descend arguments[0] frames, in turn.
func shallow(count int, arguments []int) []int64 {
	return marked(func() {
		for i := 0; i < count; i++ {
			go func() {}()
			done := make(chan uint64)
			go func() {
				var outermost frame
				done <- descend(arguments[0], &outermost)
			}()
			<-done
		}
		for ended() < uint64(2*count) {
			time.Sleep(time.Millisecond)
		}
	})
}

func marked(body func()) []int64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	stackMarks.ended = [4]uint64{}
	stackMarks.isPainting = true
	start := time.Now()
	body()
	found := []int64{int64(time.Since(start)), 0}
	stackMarks.isPainting = false
	for _, number := range stackMarks.ended {
		found = append(found, int64(number))
	}
	found[1] = int64(ended())
	return found
}

func ended() (all uint64) {
	for i := range stackMarks.ended {
		all += atomic.LoadUint64(&stackMarks.ended[i])
	}
	return all
}

func serve(count, connections int) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		var value any
		text, _ := io.ReadAll(request.Body)
		if json.Unmarshal(text, &value) != nil {
			http.Error(answer, "no JSON", http.StatusBadRequest)
			return
		}
		// What a handler does beside its answer.
		logged := make(chan int)
		go func() { logged <- handle(value) }()
		fmt.Fprintln(answer, <-logged)
	})}
	go server.Serve(listener)
	var clients sync.WaitGroup
	for c := 0; c < connections; c++ {
		clients.Add(1)
		go func(c int) {
			defer clients.Done()
			transport := &http.Transport{}
			client := http.Client{Transport: transport}
			for i := c; i < count; i += connections {
				text := document(depths[i%len(depths)])
				answer, err := client.Post("http://"+listener.Addr().String(), "application/json", bytes.NewReader(text))
				if err != nil {
					panic(err)
				}
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
			transport.CloseIdleConnections()
		}(c)
	}
	clients.Wait()
	server.Close()
	time.Sleep(50 * time.Millisecond)
}

// Goroutines that live as connections do: made, parked, woken when all others have been, 32 KiB of stack used, ended.
package main

import (
	"runtime"
	"sync/atomic"
	"time"
)

func init() { operations["connections"] = connections }

const connectionDepth = 119

//go:noinline
func useStack(depth int, outer *[32]uint64) uint64 {
	var own [32]uint64
	own[depth&31] = outer[(depth+1)&31] + 1
	if depth == 0 {
		return own[0]
	}
	return useStack(depth-1, &own) + own[1]
}

// Nanoseconds of count connections on one processor, while arguments[0] are alive: the oldest ends and a new one is made.
// Each of those has been replaced once before.
func connections(count int, arguments []int) []int64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	alive := arguments[0]
	gates := make([]chan struct{}, alive)
	for i := range gates {
		gates[i] = make(chan struct{})
	}
	var ended, sum atomic.Uint64
	open := func(gate chan struct{}) {
		go func() {
			<-gate
			var first [32]uint64
			sum.Add(useStack(connectionDepth, &first))
			ended.Add(1)
		}()
	}
	for _, gate := range gates {
		open(gate)
	}
	runtime.Gosched()
	replace := func(count int) {
		for i := 0; i < count; i++ {
			gate := gates[i%alive]
			gate <- struct{}{}
			open(gate)
			runtime.Gosched()
		}
	}
	replace(alive)
	start := time.Now()
	replace(count)
	took := time.Since(start)
	for _, gate := range gates {
		gate <- struct{}{}
	}
	for ended.Load() < uint64(count+2*alive) {
		runtime.Gosched()
	}
	return []int64{int64(took)}
}

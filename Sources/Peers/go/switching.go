// Goroutines that yield to one another in turn: what a switch costs when many stacks are alive.
package main

import (
	"runtime"
	"sync"
	"time"
)

func init() {
	operations["turns-among"] = switchesAmong
	operations["round-trip"] = roundTrips
}

// Two goroutines on one processor yield in turn; a round trip is a turn of the other. Answers with how many it had, too.
func roundTrips(count int, arguments []int) []int64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	turns := 0
	var done sync.WaitGroup
	done.Add(1)
	go func() {
		defer done.Done()
		for turns < count {
			turns++
			runtime.Gosched()
		}
	}()
	start := time.Now()
	for turns < count {
		runtime.Gosched()
	}
	took := time.Since(start)
	done.Wait()
	return []int64{int64(took), int64(turns)}
}

// At least count switches among arguments[0] goroutines on one processor, each yielding in its turn; answers with the time of
// count of them. One of them keeps the time: between two of its turns every other one has had one.
func switchesAmong(count int, arguments []int) []int64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	number := arguments[0]
	turns := (count + number - 1) / number
	var took time.Duration
	var done sync.WaitGroup
	start := make(chan struct{})
	for i := 0; i < number; i++ {
		done.Add(1)
		go func(keepsTime bool) {
			defer done.Done()
			<-start
			// All are awake after two turns.
			runtime.Gosched()
			runtime.Gosched()
			began := time.Now()
			for turn := 0; turn < turns; turn++ {
				runtime.Gosched()
			}
			if keepsTime {
				took = time.Since(began)
			}
			runtime.Gosched()
			runtime.Gosched()
		}(i == number/2)
	}
	// Parked, all of them, before the first is woken.
	for i := 0; i < 3; i++ {
		runtime.Gosched()
	}
	close(start)
	done.Wait()
	return []int64{int64(took) * int64(count) / int64(turns*number)}
}

// The part of exercise.go that calls C, and is called by threads that C started.

package main

// int call_back_on_thread(int rounds);
// int overflow_on_thread(int own);
// int use_up(int depth);
// int begin_calls(void);
// void end_calls(void);
// static int twice(int number) { return number * 2; }
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
)

// The record of the goroutine takes assembly to find, which a package with C has none of.
func record() *[3]uintptr { return new([3]uintptr) }

func foreign() string {
	sum := 0
	for index := 0; index < 1000; index++ {
		sum += int(C.twice(C.int(index)))
	}
	answers := make(chan int)
	go func() { answers <- int(C.call_back_on_thread(20)) }()
	return fmt.Sprint(sum, " ", int(C.call_back_on_thread(50)), " ", <-answers)
}

//export calledBack
func calledBack(number C.int) C.int {
	if number%10 == 0 {
		runtime.GC()
	}
	result := int(descend(int(number)+100, uint64(number))&0xff) + largeFrames(int(number)%3)
	func() {
		defer func() {
			if recover() != nil {
				result++
			}
		}()
		fail(3, "nil")
	}()
	if number > 0 && number%4 == 0 {
		result += int(C.call_back_on_thread(1))
	}
	return C.int(result % 1000)
}

// Uses up a stack that is no goroutine's.
func foreignOverflow(where string) {
	switch where {
	case "go": // a thread that Go started
		done := make(chan int)
		go func() { done <- int(C.use_up(1)) }()
		<-done
	case "c":
		C.overflow_on_thread(0)
	case "c-own":
		C.overflow_on_thread(1)
	}
}

//export calledToUseUp
func calledToUseUp() { C.use_up(1) }

var calls, isWaiting, isOver uint32
var waited int

// A thread of C calls Go many times beside collections. Then it calls once, until one more collection is over, which
// waits for that call to be preempted, or as long as it takes to turn so often. Says whether it was preempted.
func foreignCalls() {
	if C.begin_calls() != 0 {
		os.Exit(65)
	}
	for round := 0; round < 300 || atomic.LoadUint32(&calls) < 10000; round++ {
		runtime.GC()
	}
	ended := make(chan bool)
	go func() {
		C.end_calls()
		ended <- true
	}()
	for atomic.LoadUint32(&isWaiting) == 0 {
		runtime.Gosched()
	}
	runtime.GC()
	atomic.StoreUint32(&isOver, 1)
	<-ended
	fmt.Println("calls", waited < mostTurns)
}

//export calledForNothing
func calledForNothing() { atomic.AddUint32(&calls, 1) }

//export calledToWait
func calledToWait() {
	atomic.StoreUint32(&isWaiting, 1)
	waited = turnUntil(&isOver, mostTurns)
}

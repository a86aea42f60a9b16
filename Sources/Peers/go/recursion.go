// Recursions that nothing but the limit of a goroutine's stack ends. That is the end of the process too: what they found they
// write as they go.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"
)

func init() {
	operations["ackermann"] = ackermannOnce
	operations["runaway"] = runawayOnce
}

// New levels for each line.
const levelsPerLine = 256

var deepest int

// The process's peak of memory. Not by getrusage: its maximum may be that of the process that started this one.
func peak() string {
	status, _ := os.ReadFile("/proc/self/status")
	_, field, _ := strings.Cut(string(status), "VmHWM:")
	words := strings.Fields(field)
	if len(words) == 0 {
		return "0"
	}
	return words[0]
}

//go:noinline
func tell(depth int) {
	took := time.Since(begin)
	fmt.Fprintf(os.Stdout, "depth=%d\nnanoseconds=%d\npeak-kibibytes=%s\n", depth, took, peak())
}

func ackermann(m, n uint64, depth int) uint64 {
	if depth > deepest {
		deepest = depth
		if depth%levelsPerLine == 0 {
			tell(depth)
		}
	}
	if m == 0 {
		return n + 1
	}
	if n == 0 {
		return ackermann(m-1, 1, depth+1)
	}
	return ackermann(m-1, ackermann(m, n-1, depth+1), depth+1)
}

func runaway(depth int) int {
	if depth&(depth-1) == 0 {
		tell(depth)
	}
	return runaway(depth+1) + 1
}

// Ackermann's function of arguments[0] and arguments[1] on a stack of at most arguments[2] bytes. Answers with its time and
// its value.
func ackermannOnce(count int, arguments []int) []int64 {
	debug.SetMaxStack(arguments[2])
	// What tells may need a larger stack than the recursion has yet: its first lines grow it where it is small.
	tell(0)
	value := ackermann(uint64(arguments[0]), uint64(arguments[1]), 1)
	took := int64(time.Since(begin))
	tell(deepest)
	return []int64{took, int64(value)}
}

// A recursion without an end, on as large a stack as Go allows, or of at most arguments[0] bytes.
func runawayOnce(count int, arguments []int) []int64 {
	if len(arguments) > 0 {
		debug.SetMaxStack(arguments[0])
	}
	return []int64{int64(runaway(1))}
}

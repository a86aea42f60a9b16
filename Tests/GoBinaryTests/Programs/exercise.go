// A program that uses stacks in every way Go has. What it prints is the same in each run, whether its checks are there or not.
// The first argument says what to do; see main.

package main

import (
	"fmt"
	"os"
	"os/signal"
	"reflect"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	size := 32 << 10
	if len(os.Args) > 2 {
		fmt.Sscan(os.Args[2], &size)
	}
	mode := "work"
	if len(os.Args) > 1 {
		mode = os.Args[1]
	}
	switch mode {
	case "work":
		work(size)
	case "overflow":
		overflow(func() { fmt.Println("came back", descend(1<<40, 1)) })
	case "overflow-large":
		overflow(func() { fmt.Println("came back", sparse(1<<40)) })
	case "frames":
		fmt.Println(frames())
		answers := make(chan [5]byte)
		go func() { answers <- frames() }()
		fmt.Println(<-answers)
	case "overflow-foreign":
		foreignOverflow(os.Args[2])
	case "foreign-calls":
		foreignCalls()
	case "margin":
		margin(size)
	case "parked":
		parked(size)
	case "churn":
		churn(size)
	default:
		growth(mode, size)
	}
}

// Everything, with at most about size bytes of stack in frames that are small.
func work(size int) {
	debug.SetMaxStack(512 << 20)
	// First, since runtime.GC lets the other goroutine run for 10 ms at each span that it sweeps.
	fmt.Println("preemption", preemption())
	fmt.Println("recursion", descend(size/160, 1), descendElsewhere(size))
	fmt.Println("goroutines", goroutines(2000))
	fmt.Println("panics", panics())
	fmt.Println("defers", defers())
	fmt.Println("collection", collection())
	fmt.Println("signals", signals())
	fmt.Println("select", selections())
	fmt.Println("maps", maps())
	fmt.Println("reflection", reflection())
	fmt.Println("timers", timers())
	fmt.Println("large frames", largeFrames(5), largeFramesElsewhere())
	fmt.Println("churn", churned(2000))
	fmt.Println("foreign", foreign())
}

//go:noinline
func descend(depth int, seed uint64) uint64 {
	var local [8]uint64
	for index := range local {
		local[index] = seed*6364136223846793005 + uint64(index)
	}
	if depth > 0 {
		seed = descend(depth-1, local[depth&7])
	}
	for _, value := range local {
		seed = seed*31 + value
	}
	return seed
}

func descendElsewhere(size int) uint64 {
	answers := make(chan uint64)
	go func() { answers <- descend(size/160, 2) }()
	return <-answers
}

// A frame just below what keeps its check, of which only the high end is written before the next call.
//
//go:noinline
func sparse(depth int) int {
	var local [1450]uint64
	local[len(local)-1-depth&3] = uint64(depth)
	if depth > 0 {
		depth = sparse(depth - 1)
	}
	return depth + int(local[len(local)-1])
}

// Frames of these sizes in KiB, to the first and the last byte.
func frames() [5]byte {
	return [5]byte{frame200(1), frame228(2), frame244(3), frame252(4), frame260(5)}
}

//go:noinline
func frame200(value byte) byte { var a [200 << 10]byte; return ends(a[:], value) + a[len(a)/2] }

//go:noinline
func frame228(value byte) byte { var a [228 << 10]byte; return ends(a[:], value) + a[len(a)/2] }

//go:noinline
func frame244(value byte) byte { var a [244 << 10]byte; return ends(a[:], value) + a[len(a)/2] }

//go:noinline
func frame252(value byte) byte { var a [252 << 10]byte; return ends(a[:], value) + a[len(a)/2] }

//go:noinline
func frame260(value byte) byte { var a [260 << 10]byte; return ends(a[:], value) + a[len(a)/2] }

//go:noinline
func ends(bytes []byte, value byte) byte {
	for index := range bytes {
		bytes[index] = value
	}
	return bytes[0] + bytes[len(bytes)-1]
}

func goroutines(count int) uint64 {
	var group sync.WaitGroup
	values := make(chan uint64, 16)
	for index := 0; index < count; index++ {
		group.Add(1)
		go func(index int) {
			defer group.Done()
			if index%3 == 0 {
				runtime.Gosched()
			}
			values <- descend(index%50, uint64(index))
		}(index)
	}
	go func() {
		group.Wait()
		close(values)
	}()
	var sum uint64
	for value := range values {
		sum += value
	}
	return sum
}

type failure struct{ depth int }

//go:noinline
func fail(depth int, what string) int {
	defer func() {
		if depth == 3 {
			if reason := recover(); reason != nil {
				panic(fmt.Sprint("again: ", reason))
			}
		}
	}()
	if depth > 0 {
		return fail(depth-1, what) + 1
	}
	var list []int
	var table map[string]int
	var pointer *failure
	switch what {
	case "index":
		return list[len(what)]
	case "map":
		table["a"] = 1
	case "nil":
		return pointer.depth
	case "divide":
		return 1 / len(list)
	case "assertion":
		var any interface{} = what
		return any.(int)
	case "own":
		panic(failure{depth})
	}
	return 0
}

func panics() string {
	result := ""
	for _, depth := range []int{0, 2, 20} {
		for _, what := range []string{"index", "map", "nil", "divide", "assertion", "own"} {
			func() {
				defer func() {
					result += fmt.Sprint(recover(), "; ")
				}()
				fail(depth, what)
			}()
		}
	}
	done := make(chan string)
	go func() {
		defer func() { done <- fmt.Sprint("exit ", recover()) }()
		runtime.Goexit()
	}()
	return result + <-done
}

func defers() int {
	sum := 0
	for index := 0; index < 100; index++ {
		func() {
			for inner := 0; inner < index; inner++ {
				defer func(value int) { sum = sum*3%1000003 + value }(inner)
			}
		}()
	}
	return sum
}

type node struct {
	next *node
	data [5]int
}

//go:noinline
func holdList(depth int) int {
	var head *node
	for index := 0; index < 20; index++ {
		head = &node{next: head}
		head.data[depth%5] = index * depth
	}
	sum := 0
	if depth > 0 {
		if depth%10 == 0 {
			runtime.GC()
		}
		sum = holdList(depth - 1)
	}
	for ; head != nil; head = head.next {
		sum += head.data[depth%5]
	}
	return sum
}

func collection() int {
	var group sync.WaitGroup
	sums := make([]int, 4)
	for index := range sums {
		group.Add(1)
		go func(index int) {
			defer group.Done()
			sums[index] = holdList(40 + index)
		}(index)
	}
	group.Wait()
	return sums[0] + 3*sums[1] + 5*sums[2] + 7*sums[3]
}

func signals() string {
	arrived := make(chan os.Signal, 8)
	signal.Notify(arrived, syscall.SIGUSR1, syscall.SIGUSR2)
	defer signal.Stop(arrived)
	result := ""
	for _, number := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGUSR1} {
		syscall.Kill(syscall.Getpid(), number)
		select {
		case got := <-arrived:
			result += fmt.Sprint(got, "; ")
		case <-time.After(10 * time.Second):
			result += "none; "
		}
	}
	return result
}

//go:noinline
func spin(stop *uint32) uint32 {
	count := uint32(1)
	for atomic.LoadUint32(stop) == 0 {
		count |= count * 3
	}
	return count & 1
}

// More than a collection takes.
const mostTurns = 1 << 31

// Calls a function that has a check, until another goroutine says that it is over or most times. Says how often.
//
//go:noinline
func turnUntil(isOver *uint32, most int) int {
	turn := 0
	for turn < most && atomic.LoadUint32(isOver) == 0 {
		turn = turned(turn)
	}
	return turn
}

//go:noinline
func turned(turn int) int {
	if turn < 0 {
		return turned(-turn)
	}
	return turn + 1
}

// A goroutine turns at this depth of calls, where a collection begins, and then where it began, until that is over or
// most times. Says which.
func margin(depth int) {
	var hasBegun, isOver uint32
	turns := make(chan int)
	go func() {
		turnAt(depth, &hasBegun)
		turns <- turnUntil(&isOver, mostTurns)
	}()
	for atomic.LoadUint32(&hasBegun) == 0 {
		runtime.Gosched()
	}
	runtime.GC()
	atomic.StoreUint32(&isOver, 1)
	fmt.Println("margin", <-turns < mostTurns)
}

// Turns longer than it takes for a collection to begin.
//
//go:noinline
func turnAt(depth int, hasBegun *uint32) int {
	if depth > 0 {
		return turnAt(depth-1, hasBegun) + 1
	}
	turns := 0
	for atomic.StoreUint32(hasBegun, 1); turns < 1<<26 && atomic.LoadUint32(hasBegun) == 1; turns++ {
	}
	return turns
}

func preemption() uint32 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var stop uint32
	answers := make(chan uint32)
	go func() { answers <- spin(&stop) }()
	time.Sleep(3 * time.Millisecond)
	runtime.GC()
	atomic.StoreUint32(&stop, 1)
	return <-answers
}

func selections() int {
	one, two, quit := make(chan int), make(chan int, 3), make(chan bool)
	go func() {
		for index := 0; index < 100; index++ {
			select {
			case one <- index:
			case two <- index:
			}
		}
		close(quit)
	}()
	sum := 0
	for isRunning := true; isRunning; {
		select {
		case value := <-one:
			sum += value
		case value := <-two:
			sum += value
		case <-quit:
			isRunning = false
		}
	}
	for len(two) > 0 {
		sum += <-two
	}
	return sum
}

func maps() int {
	table := map[string]map[int]string{}
	for index := 0; index < 2000; index++ {
		key := fmt.Sprint(index % 37)
		if table[key] == nil {
			table[key] = map[int]string{}
		}
		table[key][index] = key
		if index%7 == 0 {
			delete(table[key], index-37)
		}
	}
	sum := 0
	for key, inner := range table {
		for number, value := range inner {
			sum += number * (len(key) + len(value))
		}
	}
	return sum
}

type shape interface{ Area(scale int) int }
type square struct{ Side, Margin int }

func (s square) Area(scale int) int { return (s.Side + s.Margin) * s.Side * scale }

func reflection() string {
	var value shape = square{3, 4}
	result := reflect.ValueOf(value).MethodByName("Area").Call([]reflect.Value{reflect.ValueOf(5)})[0].Int()
	add := reflect.MakeFunc(reflect.TypeOf(func(int, int) int { return 0 }), func(in []reflect.Value) []reflect.Value {
		return []reflect.Value{reflect.ValueOf(int(in[0].Int()+in[1].Int()) + int(descend(20, 1)&3))}
	}).Interface().(func(int, int) int)
	first := map[string][]square{"a": {{1, 2}, {3, 4}}, "b": nil}
	second := map[string][]square{"a": {{1, 2}, {3, 4}}, "b": nil}
	equal := reflect.DeepEqual(first, second)
	second["a"][1].Margin++
	return fmt.Sprint(result, add(2, 3), equal, reflect.DeepEqual(first, second), first)
}

func timers() int {
	count := 0
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for range ticker.C {
		if count++; count == 5 {
			break
		}
	}
	fired := make(chan int)
	time.AfterFunc(time.Millisecond, func() { fired <- count * 2 })
	return <-fired
}

// 64 KiB in a frame: it keeps its check and grows the stack, so that a pointer into a caller's frame must be adjusted.
//
//go:noinline
func large(depth int, outer *[16]int) int {
	var local [64 << 10]byte
	var mine [16]int
	mine[depth&15] = depth
	for index := range local {
		local[index] = byte(index * depth)
	}
	sum := 0
	if depth > 0 {
		sum = large(depth-1, &mine)
	}
	outer[depth&15] += mine[depth&15] + sum
	return sum + int(local[depth*1000]) + outer[depth&15]
}

func largeFrames(depth int) int {
	var outer [16]int
	return large(depth, &outer)
}

func largeFramesElsewhere() int {
	answers := make(chan int)
	go func() { answers <- largeFrames(4) }()
	return <-answers
}

// Stacks that come and go while the heap takes their place, and the reverse.
func churned(count int) int {
	var kept [][]byte
	sum := 0
	for round := 0; round < 3; round++ {
		var group sync.WaitGroup
		sums := make([]int, count)
		for index := 0; index < count; index++ {
			group.Add(1)
			go func(index int) {
				defer group.Done()
				sums[index] = int(descend(index%60, uint64(index)) & 0xff)
				if index%5 == round {
					sums[index] += largeFrames(index % 3)
				}
			}(index)
		}
		group.Wait()
		for _, value := range sums {
			sum += value
		}
		runtime.GC()
		runtime.GC()
		for index := 0; index < 200; index++ {
			block := make([]byte, 1<<uint(12+index%5))
			for place := range block {
				block[place] = byte(place ^ index)
			}
			kept = append(kept, block)
		}
		for index, block := range kept {
			for place := range block {
				if block[place] != byte(place^(index%200)) {
					fmt.Println("corrupt block", index, place)
					os.Exit(65)
				}
			}
		}
	}
	return sum
}

func churn(rounds int) {
	for round := 0; round < rounds; round++ {
		churned(3000)
	}
	fmt.Println("churned", rounds)
}

// Runs end beside goroutines that watch what is on their stacks.
func overflow(end func()) {
	ready := make(chan bool)
	for index := 0; index < 50; index++ {
		go watch(index, ready)
	}
	for index := 0; index < 50; index++ {
		<-ready
	}
	fmt.Println("ready")
	done := make(chan bool)
	go func() {
		end()
		close(done)
	}()
	<-done
}

//go:noinline
func watch(index int, ready chan bool) {
	var local [2000]int
	for place := range local {
		local[place] = place * index
	}
	ready <- true
	for {
		for place, value := range local {
			if value != place*index {
				fmt.Println("corrupt stack", index, place)
				os.Exit(65)
			}
		}
		runtime.Gosched()
	}
}

// Resident memory of count goroutines that wait, in bytes each.
func parked(count int) {
	before := resident()
	block := make(chan bool)
	var group sync.WaitGroup
	for index := 0; index < count; index++ {
		group.Add(1)
		go func() {
			group.Done()
			<-block
		}()
	}
	group.Wait()
	time.Sleep(100 * time.Millisecond)
	fmt.Println((resident() - before) / count)
}

func resident() int {
	runtime.GC()
	text, _ := os.ReadFile("/proc/self/statm")
	var all, pages int
	fmt.Sscan(string(text), &all, &pages)
	return pages * os.Getpagesize()
}
